import { expect, it } from 'vitest';
import type { RuleGroup } from '../../api/prom';
import type { Alert, Rule } from '../../api/types';
import { arrange, filterFromQuery, filterToQuery, rulesOf } from './model';

const at = '2026-01-01T00:00:00Z';
const common = { health: 'ok', evaluationTime: 0.002, lastEvaluation: at };
const groups: RuleGroup[] = [
  {
    name: 'node',
    file: 'tower/package.yaml',
    interval: 15,
    evaluationTime: 0.01,
    lastEvaluation: at,
    rules: [
      { ...common, type: 'recording', name: 'a:b', query: 'sum(x)' },
      { ...common, type: 'alerting', name: 'Down', query: 'up == 0', state: 'inactive', duration: 60, alerts: [] },
      {
        ...common, type: 'alerting', name: 'Down', query: 'up == 1', state: 'firing', duration: 0, labels: { severity: 'page' },
        alerts: [{ labels: { alertname: 'Down' }, annotations: {}, state: 'firing', activeAt: at, value: '1e+00' }],
      },
      { ...common, type: 'alerting', name: 'Odd', query: 'x', state: 'unknown', duration: 0, health: 'err', lastError: '1:2: no' },
      { ...common, type: 'alerting', name: 'New', query: 'y', state: 'unknown', duration: 0, health: 'unknown', lastEvaluation: '0001-01-01T00:00:00Z' },
    ],
  },
];
const thresholds: Rule[] = [{ id: 'tower/disk/full', package: 'tower', group: 'disk', name: 'full', title: 'Disk is full', kind: 'gauge', expr: 'free', state: 'warning', series: 3 }];
const open = [{ id: 'a1', rule: 'tower/disk/full', name: 'full', state: 'firing', severity: 'warning', labels: { i: 'a' }, started: at, value: 0.1 }] as Alert[];
const all = rulesOf(groups, thresholds, open);
const nothing = { show: '', kind: '', text: '' } as const;

it('lists both notations, the worst first', () => {
  expect(arrange(all, nothing).rows.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'Down firing', 'Odd error', 'full warning', 'New unknown', 'a:b ok', 'Down ok',
  ]);
});

it('names rules of one name apart, and where they are written', () => {
  expect(all.map(({ path }) => path.slice(3).join('/')).slice(0, 3)).toEqual(['a:b', 'Down', 'Down/2']);
  expect(all[0]!.item).toEqual(['tower', 'groups', 'node']);
  expect(all.at(-1)!.item).toEqual(['tower', 'rules', 'disk', 'full']);
  expect(rulesOf([{ ...groups[0]!, file: '/etc/rules.yml' }], [], [])[0]!.item).toBeUndefined();
});

it('knows what was never evaluated', () => {
  const rule = all.find(({ name }) => name === 'New')!;
  expect(rule.evaluated).toBeUndefined();
  expect(rule.state).toBe('unknown');
});

it('gives a threshold its open alerts', () => {
  expect(all.at(-1)!.alerts).toMatchObject([{ id: 'a1', state: 'warning', value: '0.1' }]);
});

it('counts for each choice what it would show beside the others', () => {
  const found = arrange(all, { show: 'firing', kind: 'alerting', text: '' });
  expect(found.rows.map(({ expr }) => expr)).toEqual(['up == 1']);
  expect(found.counts).toMatchObject({ '': 4, firing: 1, ok: 1, error: 1, unknown: 1 });
  expect(found.kinds).toMatchObject({ '': 2, alerting: 1, threshold: 1, recording: 0 });
});

it('finds by all words, in labels and expressions too', () => {
  expect(arrange(all, { ...nothing, text: 'page UP' }).rows).toHaveLength(1);
  expect(arrange(all, { ...nothing, text: 'disk' }).rows.map(({ title }) => title)).toEqual(['Disk is full']);
});

it('keeps the filter in the address', () => {
  const filter = { show: 'error', kind: 'recording', text: 'x y' } as const;
  expect(filterFromQuery(filterToQuery(filter))).toEqual(filter);
  expect(filterFromQuery({ show: 'all', kind: 'x' })).toEqual(nothing);
});
