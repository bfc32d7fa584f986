import { expect, it } from 'vitest';
import type { Knowledge } from '../../../lib/promql/complete';
import type { Variables } from '../variables';
import { completeWidget } from './complete';

const variables: Variables = { instance: { values: ['web1'], all: false, multi: true }, device: { values: [], all: true, multi: true } };
const asked: string[] = [];
const known: Knowledge = {
  metrics: async () => ['node_load1'],
  metadata: async () => new Map(),
  labels: async (selector) => (asked.push(selector), ['device', 'instance']),
  values: async (_, selector) => (asked.push(selector), ['sda', 'sdb']),
};
const words = async (text: string, offset = text.length): Promise<string[] | undefined> =>
  (await completeWidget(text, offset, variables, known))?.list.map(({ insert }) => insert);

it('offers the variables of the dashboard behind a dollar', async () => {
  expect(await words('up{instance=~"$')).toEqual(['$instance', '$device']);
  expect(await words('up{instance=~"${de}"}', 17)).toEqual(['${instance}', '${device}']);
  expect(await completeWidget('up{instance=~"${de}"}', 18, variables, known)).toMatchObject({ from: 14, to: 19 });
});

it('asks anew when a dollar is typed among the values of a label', async () => {
  const found = (await completeWidget('io{device="s', 12, variables, known))!;
  expect(['s', 'sd', '$', 's$'].map((word) => found.validFor.test(word))).toEqual([true, true, false, false]);
});

it('offers what PromQL has elsewhere', async () => {
  expect(await words('node_lo')).toContain('node_load1');
});

it('asks the server with what is chosen', async () => {
  asked.length = 0;
  expect(await words('io{instance=~"$instance",device="')).toEqual(['sda"', 'sdb"']);
  expect(asked).toEqual(['io{instance=~"web1"}']);
});
