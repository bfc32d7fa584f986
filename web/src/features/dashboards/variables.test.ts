import { describe, expect, it } from 'vitest';
import type { Variable } from '../../api/dashboards';
import { choiceLabel, choices, dependsOn, formatChosen, initialChoice, parseChosen, substitute, substituteText, unknownIn, writtenPlace, type Variables } from './variables';

const one = (value: string) => ({ values: [value], all: false, multi: false });
const many = (...values: string[]) => ({ values, all: false, multi: true });
const all = { values: [], all: true, multi: true };

describe('substitution in PromQL', () => {
  const vars: Variables = { instance: many('web1', 'db.example'), mode: one('user'), n: one('5'), any: all, q: one('say "hi"') };

  it('joins several values as alternatives where an expression is matched', () => {
    expect(substitute('up{instance=~"$instance"}', { instance: many('a', 'b') })).toBe('up{instance=~"a|b"}');
  });
  it('escapes what the expression and the string around it would read as something else', () => {
    expect(substitute('up{instance=~"$instance"}', vars)).toBe('up{instance=~"web1|db\\\\.example"}');
    expect(substitute('up{instance=~`$instance`}', vars)).toBe('up{instance=~`web1|db\\.example`}');
  });
  it('puts a value as it is where it must be equal', () => {
    expect(substitute('x{mode="$mode", host="${q}"}', vars)).toBe('x{mode="user", host="say \\"hi\\""}');
    expect(substitute('x{i="$i"}', { i: one('db.example') })).toBe('x{i="db.example"}');
  });
  it('puts values outside of strings, such as numbers and windows', () => {
    expect(substitute('topk($n, rate(x[${n}m]))', vars)).toBe('topk(5, rate(x[5m]))');
  });
  it('matches anything for all', () => {
    expect(substitute('up{instance=~"$any"}', vars)).toBe('up{instance=~".+"}');
  });
  it('matches the values that are listed for all of a list', () => {
    const listed = { values: [], all: true, multi: true, known: ['user', 'sys.tem'] };
    expect(substitute('x{mode!~"$mode"}', { mode: listed })).toBe('x{mode!~"user|sys\\\\.tem"}');
  });
  it('leaves alone what is not a variable', () => {
    expect(substitute('label_replace(x, "a", "$1", "b", "(.*)") * $nothing', vars)).toBe(
      'label_replace(x, "a", "$1", "b", "(.*)") * $nothing',
    );
  });
  it('takes the longest name', () => {
    expect(substitute('$mode_x $mode', { mode: one('a') })).toBe('$mode_x a');
  });
  it('is not confused by quotes within strings', () => {
    expect(substitute('x{a="\\"$mode", b=~"$mode"}', { mode: one('a.b') })).toBe('x{a="\\"a.b", b=~"a\\\\.b"}');
  });
});

it('writes values into titles for people', () => {
  expect(substituteText('CPU of $instance ($x)', { instance: many('a', 'b') })).toBe('CPU of a, b ($x)');
  expect(substituteText('CPU of ${instance}', { instance: all })).toBe('CPU of all');
});

describe('the address', () => {
  const variable: Variable = { label: 'instance', of: 'up', multi: true, all: true };
  it.each([
    [['a'], 'a'],
    [['a', 'b'], 'a,b'],
    [['a,b', 'c\\d'], 'a\\,b,c\\\\d'],
    [['*'], '\\*'],
    [[''], '\\'],
    [['ends with \\', 'b'], 'ends with \\\\,b'],
  ])('holds %j as %s and gives it back', (values, text) => {
    expect(formatChosen(many(...values))).toBe(text);
    expect(parseChosen(text, variable).values).toEqual(values);
  });
  it('holds all as a star', () => {
    expect(formatChosen(all)).toBe('*');
    expect(parseChosen('*', variable)).toMatchObject({ all: true, values: [] });
  });
  it('takes a star for a value where all is not offered', () => {
    expect(parseChosen('*', { label: 'x', of: 'up' })).toMatchObject({ all: false, values: ['*'] });
  });
  it('takes the first value where only one can be chosen', () => {
    expect(parseChosen('a,b', { label: 'x', of: 'up' }).values).toEqual(['a']);
  });
  it('does not cut a text at its commas', () => {
    expect(parseChosen('a,b', { text: true }).values).toEqual(['a,b']);
  });
});

describe('the beginning', () => {
  it('is the default before all before the first value', () => {
    expect(initialChoice({ label: 'x', of: 'up', all: true, default: 'b' }, ['a', 'b']).values).toEqual(['b']);
    expect(initialChoice({ label: 'x', of: 'up', all: true }, ['a', 'b']).all).toBe(true);
    expect(initialChoice({ label: 'x', of: 'up' }, ['a', 'b']).values).toEqual(['a']);
    expect(initialChoice({ values: [1, 2], default: 2 }, ['1', '2']).values).toEqual(['2']);
    expect(initialChoice({ text: true }, []).values).toEqual(['']);
  });
  it('gives way to what the address says', () => {
    const definitions: Record<string, Variable> = { host: { label: 'instance', of: 'up' }, mode: { values: ['a', 'b'] } };
    const chosen = choices(definitions, { 'v.mode': 'b', 'v.other': 'x' }, { host: ['h1'], mode: ['a', 'b'] });
    expect(chosen.host!.values).toEqual(['h1']);
    expect(chosen.mode!.values).toEqual(['b']);
    expect(Object.keys(chosen)).toEqual(['host', 'mode']);
  });
});

it('says what is chosen in a few words', () => {
  expect(choiceLabel(all)).toBe('all');
  expect(choiceLabel(many())).toBe('none');
  expect(choiceLabel(many('a', 'b', 'c', 'd'))).toBe('a, b and 2 more');
});
it('knows which variables hang on another', () => {
  expect(dependsOn({ label: 'device', of: 'disk{instance=~"$instance"}' }, 'instance')).toBe(true);
  expect(dependsOn({ label: 'device', of: 'disk' }, 'instance')).toBe(false);
});

it('names the variables of an expression that nobody defined', () => {
  const known = { host: { values: ['a'], all: false, multi: false } };
  expect(unknownIn('x{i="$host", j=~"${other}"} + rate(y[$window]) + $other', known)).toEqual(['other', 'window']);
  expect(unknownIn('x{i="$host"}', known)).toEqual([]);
  expect(unknownIn('x{i="#$a"} # $b\n + $c # "$d', known)).toEqual(['a', 'c']);
});

it('finds the place of a mistake in what is written, before and behind variables', () => {
  const vars: Variables = { instance: many('a', 'b'), n: one('5') };
  const expr = 'sum(\n  up{instance=~"$instance"} > $n)\n+ nofunc(x)';
  const at = (line: number, column: number): number[] => Object.values(writtenPlace(expr, vars, { line, column }));
  expect(substitute(expr, vars)).toBe('sum(\n  up{instance=~"a|b"} > 5)\n+ nofunc(x)');
  expect([at(1, 1), at(2, 17), at(2, 18), at(2, 23), at(2, 26), at(3, 3)]).toEqual([[1, 1], [2, 17], [2, 17], [2, 29], [2, 33], [3, 3]]);
});
