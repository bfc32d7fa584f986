/** A query that a person ran in this browser. */
export interface PastQuery {
  expr: string;
  /** Unix seconds, of the last time. */
  at: number;
}

export const mostKept = 200;

/** The newest first, each once. */
export function remember(past: readonly PastQuery[], exprs: readonly string[], at: number): PastQuery[] {
  const ran = [...new Set(exprs.map((expr) => expr.trim()).filter(Boolean))];
  const others = past.filter(({ expr }) => !ran.includes(expr));
  return [...ran.map((expr) => ({ expr, at })), ...others].slice(0, mostKept);
}

/** Reads what a browser kept; what is not sound is left out. */
export function readPast(text: string | null): PastQuery[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(found)) return [];
    return found.filter((one): one is PastQuery => typeof one?.expr === 'string' && typeof one?.at === 'number');
  } catch {
    return [];
  }
}

export function findPast(past: readonly PastQuery[], text: string): PastQuery[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return past.filter(({ expr }) => words.every((word) => expr.toLowerCase().includes(word)));
}
