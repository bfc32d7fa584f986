const pad = (n: number): string => String(n).padStart(2, '0');

/** Unix seconds → what `<input type="datetime-local">` shows, in the viewer's zone. */
export function toLocal(at: number): string {
  const d = new Date(at * 1000);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

/** The other way round, as RFC 3339; undefined while it is not complete. */
export function fromLocal(text: string): string | undefined {
  const at = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
