/** A wire that leaves and arrives level. */
export function curve(x1: number, y1: number, x2: number, y2: number, level = 0): string {
  const from = Math.round(x1);
  const to = Math.round(x2 - level);
  const bend = Math.round((to - from) * 0.5);
  const end = level > 0 ? ` H ${Math.round(x2)}` : '';
  if (Math.abs(y1 - y2) < 0.5) return `M ${from} ${y1} H ${Math.round(x2)}`;
  return `M ${from} ${y1} C ${from + bend} ${y1} ${to - bend} ${y2} ${to} ${y2}${end}`;
}

/** A wire that goes around what stands between its ends. */
export function around(x1: number, y1: number, x2: number, y2: number, bow: number): string {
  const [from, to] = [Math.round(x1), Math.round(x2)];
  const reach = Math.round((to - from) * 0.3);
  return `M ${from} ${y1} C ${from + reach} ${y1 + bow} ${to - reach} ${y2 + bow} ${to} ${y2}`;
}
