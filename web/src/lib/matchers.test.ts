import { describe, expect, it } from 'vitest';
import { faultOf, formatMatchers, matchersFor, parseMatchers, predicateOf, splitWords, type Matcher } from './matchers';

describe('matchers as text', () => {
  it.each([
    ['instance="db1",team=~"a|b"', [{ name: 'instance', op: '=', value: 'db1' }, { name: 'team', op: '=~', value: 'a|b' }]],
    ['{a!="1", b!~x.*}', [{ name: 'a', op: '!=', value: '1' }, { name: 'b', op: '!~', value: 'x.*' }]],
    ['a="say \\"no\\", twice"', [{ name: 'a', op: '=', value: 'say "no", twice' }]],
    ['', []],
  ])('reads %s', (text, matchers) => {
    expect(parseMatchers(text)).toEqual(matchers);
  });
  it.each(['a', 'a="b" c="d"', 'a="b', '1a=b'])('refuses %s', (text) => {
    expect(parseMatchers(text)).toBeUndefined();
  });
  it('comes back the same', () => {
    const matchers: Matcher[] = [{ name: 'a', op: '!~', value: 'x "y"\\d\n' }];
    expect(parseMatchers(formatMatchers(matchers))).toEqual(matchers);
  });
  it('stands among words', () => {
    const { text, matchers } = splitWords('disk full team=ops title="two words" ratio=');
    expect(text).toBe('disk full ratio=');
    expect(formatMatchers(matchers)).toBe('team="ops",title="two words"');
  });
});

describe('labels that meet matchers', () => {
  const meets = (text: string, labels: Record<string, string>): boolean => predicateOf(parseMatchers(text)!)(labels);
  it('takes a label that is missing for an empty one', () => {
    expect(meets('team=""', {})).toBe(true);
    expect(meets('team!="ops"', {})).toBe(true);
    expect(meets('team=~".+"', {})).toBe(false);
  });
  it('wants an expression to fit the whole value, line breaks too', () => {
    expect(meets('a=~"web"', { a: 'web1' })).toBe(false);
    expect(meets('a=~"web.*"', { a: 'web\n1' })).toBe(true);
    expect(meets('a=~"(?i)WEB1"', { a: 'web1' })).toBe(true);
    expect(meets('a!~"web|db"', { a: 'db' })).toBe(false);
  });
  it('meets nothing with an expression that is none, and says what is wrong', () => {
    expect(meets('a=~"("', { a: '(' })).toBe(false);
    expect(meets('a!~"("', { a: '(' })).toBe(false);
    expect(faultOf({ name: 'a', op: '=~', value: '(' })).toContain('no regular expression');
  });
});

describe('matchers made from labels', () => {
  const all = [
    { alertname: 'disk', instance: 'a.b', team: 'ops' },
    { alertname: 'disk', instance: 'c', team: 'ops' },
  ];
  it('keeps what is the same and lists what tells them apart', () => {
    expect(formatMatchers(matchersFor(all, ['instance']))).toBe('alertname="disk",instance=~"a\\\\.b|c",team="ops"');
    expect(all.every(predicateOf(matchersFor(all, ['instance'])))).toBe(true);
  });
  it('leaves out labels that only some have', () => {
    expect(formatMatchers(matchersFor([...all, { alertname: 'disk' }], ['instance']))).toBe('alertname="disk"');
  });
});
