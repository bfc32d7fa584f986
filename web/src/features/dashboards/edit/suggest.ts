/** The name before the caret that could be completed: where it begins, and what there is of it. */
export function wordAt(text: string, caret: number): { from: number; word: string } | undefined {
  const before = text.slice(0, caret);
  const match = /[a-zA-Z_:][\w:]*$/.exec(before);
  if (!match || match[0].length < 2) return undefined;
  // Within quotes and braces there are labels and values, not metrics.
  const quotes = (before.match(/"/g) ?? []).length;
  const open = before.lastIndexOf('{') > before.lastIndexOf('}');
  if (quotes % 2 === 1 || open || before[match.index - 1] === '$') return undefined;
  return { from: match.index, word: match[0] };
}

const most = 12;

/** Names that begin with the word, then those that hold it. */
export function suggestions(names: readonly string[], word: string): string[] {
  const wanted = word.toLowerCase();
  const found: [number, string][] = [];
  for (const name of names) {
    const at = name.toLowerCase().indexOf(wanted);
    if (at >= 0 && name !== word) found.push([at === 0 ? 0 : 1, name]);
  }
  return found
    .sort(([a, left], [b, right]) => a - b || left.localeCompare(right))
    .slice(0, most)
    .map(([, name]) => name);
}
