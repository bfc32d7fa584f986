/** Requests under way at once: the server stores one after the other anyway. */
const atOnce = 6;
/** Answers taken in at once: each time costs as much as the list is long. */
const portion = 50;

export interface Outcome<T, Answer> {
  done: Answer[];
  failed: { item: T; reason: unknown }[];
}

/** One command for many things; `take` gets the answers in portions as they come. */
export async function runMany<T, Answer>(
  items: T[],
  send: (item: T) => Promise<Answer>,
  take: (answers: Answer[]) => void,
  onProgress: (done: number) => void = () => {},
): Promise<Outcome<T, Answer>> {
  const outcome: Outcome<T, Answer> = { done: [], failed: [] };
  const waiting = [...items];
  let untaken: Answer[] = [];
  const flush = (): void => {
    take(untaken);
    untaken = [];
  };
  const worker = async (): Promise<void> => {
    while (waiting.length > 0) {
      const item = waiting.shift()!;
      try {
        const answer = await send(item);
        outcome.done.push(answer);
        untaken.push(answer);
        if (untaken.length >= portion) flush();
      } catch (reason) {
        outcome.failed.push({ item, reason });
      }
      onProgress(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  flush();
  return outcome;
}
