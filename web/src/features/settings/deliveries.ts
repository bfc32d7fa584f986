import type { Attempt, Notice } from '../../api/types';

/** What became of a delivery, in a few words; the answer of the newest attempt says why. */
export function outcomeOf(notice: Notice): string {
  const last = notice.attempts?.at(-1);
  return last ? answerOf(last) : '';
}

export function answerOf(attempt: Attempt): string {
  const status = attempt.status ? String(attempt.status) : '';
  return [status, attempt.answer ?? ''].filter(Boolean).join(' ');
}

/** The test that was asked for: the newest of this channel that is not among the ones before. */
export function newTest(notices: Notice[], channel: string, before: ReadonlySet<string>): Notice | undefined {
  return notices.find((notice) => notice.channel === channel && notice.transition === 'test' && !before.has(notice.id));
}

/** `firing`, `resolved`, … as a word for people. */
export function transitionWord(transition: Notice['transition']): string {
  return String(transition ?? '').replace(/_/g, ' ');
}
