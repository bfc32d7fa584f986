/** A query cut at the place of an error: what stands before it, the character there, what follows. */
export interface MarkedQuery {
  before: string;
  at: string;
  after: string;
}

/** `line` and `column` count from 1; undefined when the place is not within the text. */
export function markPlace(text: string, line: number, column: number): MarkedQuery | undefined {
  const lines = text.split('\n');
  if (line < 1 || line > lines.length || column < 1) return undefined;
  const offset = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  if (offset > text.length) return undefined;
  return { before: text.slice(0, offset), at: text.slice(offset, offset + 1) || ' ', after: text.slice(offset + 1) };
}
