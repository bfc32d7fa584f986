import { expect, it } from 'vitest';
import type { Incident } from '../../api/incidents';
import { columnsOf, countsOf, filterFromQuery, filterToQuery, fits, order, ownersOf, rowsOf, type IncidentFilter } from './filter';

let next = 1;
const incident = (more: Partial<Incident> = {}): Incident => ({
  id: String(next++),
  title: 'Disk full: web1',
  state: 'open',
  severity: 'warning',
  worst: 'warning',
  opened: 1000,
  updated: 1000,
  labels: { service: 'web' },
  counts: { open: 1, critical: 0, warning: 1, no_data: 0, unknown: 0, total: 1 },
  ...more,
});
const filter = (more: Partial<IncidentFilter> = {}): IncidentFilter => ({ ...filterFromQuery({}), ...more });
const ids = (list: Incident[]): string => list.map(({ id }) => id).join(' ');

it('keeps a filter in the address, and what is not filtered leaves no trace', () => {
  expect(filterToQuery(filter())).toEqual({ state: undefined, owner: undefined, severity: undefined, text: undefined, by: undefined });
  const query = { state: 'acknowledged', owner: '-', severity: 'critical', text: 'disk', by: 'owner' };
  expect(filterToQuery(filterFromQuery(query))).toEqual(query);
  expect(filterFromQuery({ state: 'nonsense', severity: 'dire', by: 'moon' })).toEqual(filter());
});

it('finds by words in title, labels and owner, by number, owner and severity', () => {
  const one = incident({ id: '42', owner: 'ana', severity: 'critical' });
  const meets = (more: Partial<IncidentFilter>): boolean => fits(filter(more))(one);
  expect(['disk WEB1', 'service=web', 'ana', '#42', '42'].every((text) => meets({ text }))).toBe(true);
  expect(meets({ text: '#4' }) || meets({ text: 'disk db1' })).toBe(false);
  expect([meets({ owner: 'ana' }), meets({ owner: 'luis' }), meets({ owner: '-' })]).toEqual([true, false, false]);
  expect([meets({ severity: 'critical' }), meets({ severity: 'warning' })]).toEqual([true, false]);
  expect(fits(filter({ owner: '-' }))(incident())).toBe(true);
});

it('puts open before acknowledged before closed, the worst first, closed ones by their end', () => {
  const list = [
    incident({ id: '1', state: 'closed', closed: 5000 }),
    incident({ id: '2', state: 'acknowledged', severity: 'critical' }),
    incident({ id: '3' }),
    incident({ id: '4', opened: 2000 }),
    incident({ id: '5', severity: 'critical' }),
    incident({ id: '6', state: 'closed', closed: 6000 }),
  ];
  expect(ids(order(list))).toBe('5 4 3 2 6 1');
  expect(ids(rowsOf(list, filter()))).toBe('5 4 3 2');
  expect(ids(rowsOf(list, filter({ show: 'closed' })))).toBe('6 1');
  expect(countsOf(list, filter())).toEqual({ open: 3, acknowledged: 1, closed: 2 });
});

it('makes columns of states or of owners', () => {
  const list = [incident({ id: '1', owner: 'luis' }), incident({ id: '2' }), incident({ id: '3', owner: 'ana', state: 'acknowledged' }), incident({ id: '4', owner: 'ana', state: 'closed' })];
  const shown = (more: Partial<IncidentFilter> = {}): string[] => columnsOf(list, filter(more)).map(({ title, rows }) => `${title}: ${ids(rows)}`);
  expect(shown()).toEqual(['Open: 2 1', 'Acknowledged: 3', 'Closed lately: 4']);
  expect(shown({ show: 'open' })).toEqual(['Open: 2 1']);
  expect(shown({ by: 'owner' })).toEqual(['Nobody: 2', 'ana: 3', 'luis: 1']);
  expect(shown({ by: 'owner', show: 'closed' })).toEqual(['Nobody: ', 'ana: 4']);
  expect(ownersOf(list)).toEqual(['ana', 'luis']);
});
