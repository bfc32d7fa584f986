/**
 * How well a query fits a text: letters in order, best when together and at the start of words.
 * Undefined when it does not fit; larger is better.
 */
export function fuzzyScore(query: string, text: string): number | undefined {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  if (wanted === '') return 0;
  const within = text.toLowerCase();
  const whole = within.indexOf(query.trim().toLowerCase());
  if (whole >= 0) return 1000 - whole - within.length / 100;
  let score = 0;
  let position = 0;
  let together = 0;
  for (const letter of wanted) {
    const found = within.indexOf(letter, position);
    if (found < 0) return undefined;
    together = found === position ? together + 1 : 0;
    score += together * 4 + (found === 0 || /[\s/._-]/.test(within[found - 1]!) ? 6 : 0) - (found - position) * 0.5;
    position = found + 1;
  }
  return score - within.length / 100;
}

/** The value of a PromQL or log label matcher, quoted. */
export function quote(value: string): string {
  return `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}

/** `{a="1",b="2"}` from labels. */
export function selectorOf(labels: Record<string, string>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${quote(value)}`);
  return `{${parts.join(',')}}`;
}
