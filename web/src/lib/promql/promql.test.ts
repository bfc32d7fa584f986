import { describe, expect, it } from 'vitest';
import { completeAt, type Knowledge } from './complete';
import { contextAt, metricsIn } from './context';
import { functions } from './words';
import { tokensOf } from './tokens';

const asked: string[] = [];
const known: Knowledge = {
  metrics: async () => ['up', 'node_load1', 'node_cpu_seconds_total', 'with.dots'],
  metadata: async () => new Map([['node_load1', { type: 'gauge', unit: '', help: '1m load average.' }]]),
  labels: async (selector) => (asked.push(`labels ${selector}`), ['__name__', 'instance', 'job', 'mode']),
  values: async (label, selector) => (asked.push(`${label} of ${selector}`), ['a.b', 'say "hi"', 'idle']),
};
/** Where `^` stands. */
async function at(text: string): Promise<Record<string, string>> {
  asked.length = 0;
  const offset = text.indexOf('^');
  const plain = text.replace('^', '');
  const found = await completeAt(plain, offset, known);
  return Object.fromEntries((found?.list ?? []).map(({ label, insert }) => [label, plain.slice(0, found!.from) + insert + plain.slice(found!.to)]));
}
const kindAt = (text: string): string | undefined => contextAt(text.replace('^', ''), text.indexOf('^'))?.kind;

describe('where a value may stand', () => {
  it('offers metrics, functions with their signature, and aggregations', async () => {
    const found = await completeAt('nod', 3, known);
    const byLabel = new Map(found!.list.map((one) => [one.label, one]));
    expect(byLabel.get('node_load1')).toMatchObject({ detail: 'gauge', info: '1m load average.', insert: 'node_load1' });
    expect(byLabel.get('rate')).toMatchObject({ detail: '(v range)', insert: 'rate()', caret: 5 });
    expect(byLabel.get('sum')).toMatchObject({ kind: 'aggregation', insert: 'sum()' });
    expect(byLabel.get('time')).toMatchObject({ insert: 'time()' });
    expect(byLabel.get('time')).not.toHaveProperty('caret');
    expect(byLabel.get('with.dots')).toMatchObject({ insert: '{"with.dots"}' });
  });
  it('gives a metric the window that the function around it wants', async () => {
    expect((await at('rate(^'))['up']).toBe('rate(up[5m]');
    expect((await at('rate(^[1m])'))['up']).toBe('rate(up[1m])');
    expect((await at('abs(^'))['up']).toBe('abs(up');
    expect((await at('quantile_over_time(0.9, ^)'))['up']).toBe('quantile_over_time(0.9, up[5m])');
  });
  it('writes no second bracket where one is', async () => {
    const found = await at('ra^(x[5m])');
    expect(found['rate']).toBe('rate(x[5m])');
    expect(found['up']).toBeUndefined();
  });
  it.each(['^', 'a + ^', 'sum(^)', 'a == bool ^', 'sum by (x) (^)', 'a / on (x) ^', 'a and ^', '(^', '-^', 'a / on (x) group_left (y) u^'])('is at %s', (text) => {
    expect(kindAt(text)).toBe('value');
  });
});

describe('behind a value', () => {
  it.each(['up ^', 'sum(x) ^', 'x[5m] ^', '1 ^', 'up{a="b"} o^', 'sum(x) by (y) ^', 'sum ^'])('words follow at %s', (text) => {
    expect(kindAt(text)).toBe('operator');
  });
  it('by and without follow aggregations only', async () => {
    expect((await at('sum(x) b^'))['by']).toBe('sum(x) by ()');
    expect((await at('sum ^'))['by']).toBe('sum by ()');
    expect(await at('up ^')).not.toHaveProperty('by');
    expect(await at('rate(x[5m]) ^')).not.toHaveProperty('without');
  });
});

describe('within braces', () => {
  it('labels of the metric are offered, without those that are matched already', async () => {
    const found = await at('node_load1{job="a", in^}');
    expect(Object.keys(found)).toEqual(['instance', 'mode']);
    expect(found['instance']).toBe('node_load1{job="a", instance=""}');
    expect(asked).toEqual(['labels node_load1{job="a"}']);
  });
  it('what stands behind narrows as well, what is being written does not', async () => {
    await at('up{^, job="a"}');
    expect(asked).toEqual(['labels up{job="a"}']);
    await at('up{mode="^", job="a"}');
    expect(asked).toEqual(['mode of up{job="a"}']);
  });
  it('keeps the operator that is there', async () => {
    expect((await at('up{i^="x"}'))['instance']).toBe('up{instance="x"}');
  });
  it('values come with the quotes that are missing', async () => {
    expect((await at('up{mode=^'))['idle']).toBe('up{mode="idle"');
    expect((await at('up{mode="i^'))['idle']).toBe('up{mode="idle"');
    expect((await at('up{mode="i^"}'))['idle']).toBe('up{mode="idle"}');
    expect((await at('up{mode="i^xyz"}'))['idle']).toBe('up{mode="idle"}');
    expect((await at('up{mode="^"}'))['say "hi"']).toBe('up{mode="say \\"hi\\""}');
    expect((await at("up{mode='^'}"))['idle']).toBe("up{mode='idle'}");
  });
  it('values of regular expressions are escaped, one alternative at a time', async () => {
    expect((await at('up{mode=~"idle|^"}'))['a.b']).toBe('up{mode=~"idle|a\\\\.b"}');
    expect((await at('up{mode=~`^`}'))['a.b']).toBe('up{mode=~`a\\.b`}');
  });
  it('asks for all series where the selector would be refused', async () => {
    await at('{mode!="x", job=^}');
    expect(asked).toEqual(['job of ']);
    await at('{mode="x", job=^}');
    expect(asked).toEqual(['job of {mode="x"}']);
  });
  it('an operator follows a name', async () => {
    expect((await at('up{mode ^}'))['=~']).toBe('up{mode =~""}');
  });
});

describe('in lists of labels', () => {
  it('the labels of the metrics of the expression are offered', async () => {
    expect(Object.keys(await at('sum by (job, ^) (up)'))).toEqual(['instance', 'mode']);
    expect(asked).toEqual(['labels up']);
    await at('a / on (^) b');
    expect(asked).toEqual(['labels {__name__=~"a|b"}']);
    expect(Object.keys(await at('sum(up) by (^'))).toContain('instance');
  });
});

it.each(['rate(x[^', 'rate(x[5^])', 'x offset ^', 'x[1h:^]'])('durations are offered at %s', async (text) => {
  expect(Object.keys(await at(text))).toContain('5m');
});

it.each(['# commen^', 'label_replace(up, "a^', '12^', 'up # x^'])('nothing is offered at %s', async (text) => {
  expect(await at(text)).toEqual({});
});

it('metrics of an expression are found, and labels, functions and words are none', () => {
  expect(metricsIn('sum by (job) (rate(a:b{x="y"}[5m] offset 1h)) / on (job) group_left group(c) > bool inf and time()')).toEqual(['a:b', 'c']);
});

it('tokens cover the text without overlap, whatever is typed', () => {
  for (const text of ['a{b="c', 'x["', '💥 $__', '1h30m', "'\\'", '{"a.b", c=~`d`}', '0x1F + 1e-3', '$var ${x']) {
    let end = 0;
    for (const token of tokensOf(text)) {
      expect(token.from).toBeGreaterThanOrEqual(end);
      expect(token.to).toBeGreaterThan(token.from);
      end = token.to;
    }
  }
  expect(tokensOf('1h30m').map(({ kind }) => kind)).toEqual(['duration']);
  expect(tokensOf('"a\\"').map(({ closed }) => closed)).toEqual([false]);
});

it('every function has a signature and one line about it', () => {
  expect(functions.length).toBeGreaterThan(80);
  for (const { name, signature, help } of functions) {
    expect(`${name}${signature}`).toMatch(/^[a-z_0-9]+\(.*\)$/);
    expect(help).toBeTruthy();
    expect(help).not.toContain('\n');
  }
});
