import { expect, it } from 'vitest';
import { ApiError } from '../../api/errors';
import { faultOf } from './fault';

it('takes the place that the server says', () => {
  const error = new ApiError(400, { error: 'unexpected ")"', place: { file: '', line: 2, column: 7 }, remedy: 'Close it.' });
  expect(faultOf(error)).toEqual({ message: 'unexpected ")"', line: 2, column: 7, remedy: 'Close it.' });
});

it('reads the place from the words of Prometheus', () => {
  const error = new ApiError(400, { error: 'invalid parameter "query": 1:8: parse error: unclosed left parenthesis' });
  expect(faultOf(error)).toEqual({ message: 'parse error: unclosed left parenthesis', line: 1, column: 8 });
});

it('has no place where nobody knows one', () => {
  expect(faultOf(new ApiError(422, { error: 'too many samples', place: { file: '', line: 0, column: 0 } }))).toEqual({ message: 'too many samples' });
  expect(faultOf(new ApiError(0, { error: 'offline' }))).toEqual({ message: 'The server does not answer: offline' });
});
