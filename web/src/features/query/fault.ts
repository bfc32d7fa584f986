import { ApiError, describeError } from '../../api/errors';

/** What is wrong with an expression: the words, and the place where it is known (counted from 1). */
export interface Fault {
  message: string;
  line?: number;
  column?: number;
  remedy?: string;
}

/** `1:8: parse error: …`, also behind other words. */
const placed = /(?:^|[\s"])(\d+):(\d+): (?=\S)/;

/** Reads what the server answered about an expression. */
export function faultOf(error: unknown): Fault {
  const words = describeError(error);
  if (!(error instanceof ApiError)) return { message: words.detail || words.title };
  const { place, remedy } = error.body;
  const message = error.body.error ?? words.title;
  const found = placed.exec(message);
  const line = place?.line || (found ? Number(found[1]) : 0);
  const column = place?.column || (found ? Number(found[2]) : 0);
  const plain = found ? message.slice(found.index + found[0].length) : message;
  const told = [400, 422].includes(error.status) ? plain.replace(/^invalid parameter "query": /, '') : `${words.title}: ${plain}`;
  return { message: told, ...(line > 0 && { line, column: Math.max(column, 1) }), ...(remedy && { remedy }) };
}
