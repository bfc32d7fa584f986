import { describe, expect, it } from 'vitest';
import { append, columnsOf, hitParts, keyOf, patternOf, prepend, rowAt, rowTops, without } from './lines';
import { chosenValues, formatSelector, parseSelector, toggled, withValues, type Matcher } from './matchers';

const record = (line: string, second = 0) => ({ id: '', time: second, labels: { file: 'a' }, line });

describe('a selector', () => {
  it.each(['{file="/var/log/a b.log"}', '{a="1",b!="2",c=~"x|y",d!~"z"}', '{a="say \\"hi\\", \\\\ {ok}"}'])('comes back the same: %s', (text) => {
    expect(formatSelector(parseSelector(text)!)).toBe(text);
  });
  it('leaves no trace when it is empty', () => {
    expect(formatSelector(parseSelector('{}')!)).toBe('');
  });
  it('is refused when it is none', () => {
    expect(parseSelector('file="a"')).toBeUndefined();
    expect(parseSelector('{file=a}')).toBeUndefined();
  });
  it('asks for several values by alternatives that match nothing else', () => {
    const one: Matcher[] = [{ name: 'file', op: '=', value: 'a.log' }];
    const two = withValues(one, 'file', toggled(chosenValues(one, 'file'), 'b|c'));
    expect(two).toEqual([{ name: 'file', op: '=~', value: 'a\\.log|b\\|c' }]);
    expect(chosenValues(two, 'file')).toEqual(['a.log', 'b|c']);
    expect(withValues(two, 'file', [])).toEqual([]);
  });
  it('keeps what a label must not be when its values change', () => {
    const not: Matcher = { name: 'level', op: '!=', value: 'debug' };
    expect(withValues([not], 'level', ['error'])).toEqual([not, { name: 'level', op: '=', value: 'error' }]);
  });
});

describe('lines', () => {
  it('have one name whichever way they came', () => {
    expect(keyOf({ ...record('x'), time: '1970-01-01T00:00:01.500Z' })).toBe(keyOf({ ...record('x'), id: '7', time: 1.5 }));
  });
  it('that came both live and by query are shown once, but really repeated ones twice', () => {
    const lines = prepend([], [{ record: record('b', 2) }, { record: record('a', 1) }]);
    const rest = without([record('b', 2), record('b', 2), record('c', 3)], lines);
    expect(rest.map((one) => one.record.line)).toEqual(['b', 'c']);
  });
  it('are numbered on without a gap at both ends', () => {
    let lines = append([], [{ record: record('c') }]);
    lines = prepend(lines, [{ record: record('b') }, { record: record('a') }]);
    lines = append(lines, [{ record: record('d') }]);
    expect(lines.map(({ n, text }) => [n, text])).toEqual([[-2, 'a'], [-1, 'b'], [0, 'c'], [1, 'd']]);
  });
  it('take as many rows as their text needs', () => {
    const tops = rowTops([{ columns: 5 }, { columns: 21 }, { columns: 0 }], 10);
    expect([...tops]).toEqual([0, 1, 4, 5]);
    expect([...rowTops([{ columns: 99 }, { columns: 1 }], undefined)]).toEqual([0, 1, 2]);
    expect([0, 1, 3.9, 4, 99].map((at) => rowAt(tops, at))).toEqual([0, 1, 1, 2, 2]);
  });
  it('count wide signs twice', () => {
    expect(columnsOf('ab日本')).toBe(6);
  });
});

describe('the search', () => {
  it('finds a text in any case and takes its signs as they are', () => {
    expect(hitParts('A.b a.B axb', patternOf('a.b', '')).filter(({ hit }) => hit).map(({ text }) => text)).toEqual(['A.b', 'a.B']);
  });
  it('reads the flags with which the server writes expressions', () => {
    expect(hitParts('ERROR', patternOf('', '(?i)error'))).toEqual([{ text: 'ERROR', hit: true }]);
  });
  it('leaves to the server what this browser cannot read', () => {
    expect(patternOf('', '(?P<x>a)')).toBeUndefined();
  });
});
