import { StreamLanguage } from '@codemirror/language';
import { functionNamed, groupingWords, isAggregation, keywords } from '../../lib/promql/words';
import { tokenAt } from '../../lib/promql/tokens';

interface State {
  /** Within braces and brackets of labels names are labels. */
  labels: boolean[];
  /** The last word was by, on and the like. */
  grouping: boolean;
  /** The quote of a raw string that goes on over lines. */
  raw: boolean;
}

/** The colours of PromQL. */
export const promql = StreamLanguage.define<State>({
  name: 'promql',
  startState: () => ({ labels: [], grouping: false, raw: false }),
  copyState: (state) => ({ ...state, labels: [...state.labels] }),
  token(stream, state) {
    if (state.raw) {
      state.raw = !stream.skipTo('`') || (stream.next(), false);
      if (state.raw) stream.skipToEnd();
      return 'string';
    }
    if (stream.eatSpace()) return null;
    const token = tokenAt(stream.string, stream.pos);
    stream.pos = token.to;
    const wasGrouping = state.grouping;
    state.grouping = false;
    switch (token.kind) {
      case 'comment':
        return 'comment';
      case 'string':
        state.raw = token.text.startsWith('`') && !token.closed;
        return 'string';
      case 'duration':
      case 'number':
        return 'number';
      case 'variable':
        return 'labelName';
      case 'open':
        state.labels.push(token.text === '{' || wasGrouping);
        return 'punctuation';
      case 'close':
        state.labels.pop();
        return 'punctuation';
      case 'name': {
        if (state.labels[state.labels.length - 1]) return 'propertyName';
        const word = token.text.toLowerCase();
        state.grouping = groupingWords.has(word);
        if (keywords.has(word)) return 'keyword';
        const isCall = /^\s*\(/.test(stream.string.slice(stream.pos)) || isAggregation(word);
        return isCall && functionNamed(word) ? 'variableName.function' : null;
      }
      default:
        return null;
    }
  },
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', "'", '`'], before: ')]}:;>[,' }, commentTokens: { line: '#' } },
});
