import { describe, expect, it } from 'vitest';
import type { Alert } from '../../api/types';
import { absorb, arrange, filterFromQuery, filterToQuery, groupOf, noFilter, step, worstFirst } from './filter';

const alert = (id: string, patch: Partial<Alert> = {}): Alert => ({
  id,
  name: id,
  state: 'firing',
  severity: 'critical',
  labels: { instance: 'web1' },
  started: '2026-01-01T00:00:00Z',
  ...patch,
});
const all = noFilter;
const name = (a: Alert): string => a.name;

describe('the filter in the address', () => {
  it('leaves no trace when nothing is filtered', () => {
    expect(filterToQuery(filterFromQuery({}))).toEqual({});
  });
  it('takes a severity alone for the open alerts of that severity', () => {
    expect(filterFromQuery({ severity: 'critical' }).show).toBe('critical');
  });
  it.each([
    { state: 'no_data', host: 'web1' },
    { severity: 'warning', text: 'disk full' },
    { state: 'resolved', severity: 'critical' },
    { state: 'acked' },
    { state: 'shelved', severity: 'warning', match: 'team=~"a|b",instance!="web1"' },
    { state: 'suppressed', silence: '6d1f' },
  ])('comes back the same: %o', (query) => {
    expect(filterToQuery(filterFromQuery(query))).toEqual({
      state: undefined,
      severity: undefined,
      host: undefined,
      match: undefined,
      text: undefined,
      silence: undefined,
      ...query,
    });
  });
  it('takes matchers out of the words once', () => {
    const filter = absorb(absorb({ ...all, text: 'disk team=ops' }));
    expect(filterToQuery(filter)).toMatchObject({ text: 'disk', match: 'team="ops"' });
    expect(absorb({ ...filter, text: 'team="ops"' }).matchers).toHaveLength(1);
  });
  it('ignores words that it does not know', () => {
    expect(filterFromQuery({ state: 'odd', severity: 'odd' })).toEqual(all);
  });
});

describe('the list', () => {
  it('has the worst first and the newest first among equals', () => {
    const list = [
      alert('acked', { ack: { by: 'ana', at: '2026-01-01T00:00:00Z' } }),
      alert('warning', { severity: 'warning' }),
      alert('older'),
      alert('gone', { state: 'no_data' }),
      alert('newer', { fired: '2026-01-01T00:01:00Z' }),
      alert('pending', { state: 'pending', severity: 'warning' }),
    ];
    expect(worstFirst(list).map(name)).toEqual(['newer', 'older', 'warning', 'gone', 'pending', 'acked']);
  });
  it('counts each open alert in one group, also those that the chosen group hides', () => {
    const list = [alert('a'), alert('b', { severity: 'warning' }), alert('c', { state: 'no_data' })];
    const found = arrange(list, { ...all, show: 'warning' }, name);
    expect(found.rows.map(name)).toEqual(['b']);
    expect(found.counts).toEqual({ open: 3, critical: 1, warning: 1, no_data: 1, pending: 0, acked: 0, shelved: 0, suppressed: 0 });
  });
  it('finds every word of a text in title, summary or labels', () => {
    const list = [alert('a', { annotations: { summary: 'Disk is full' } }), alert('b', { labels: { instance: 'db' } })];
    expect(arrange(list, { ...all, text: 'disk web1' }, name).rows.map(name)).toEqual(['a']);
    expect(arrange(list, { ...all, text: 'DISK db' }, name).rows).toEqual([]);
  });
  it('offers other hosts while one is chosen, most alerts first', () => {
    const list = [alert('a'), alert('b', { labels: { instance: 'db' } }), alert('c', { labels: { instance: 'db' } })];
    const found = arrange(list, { ...all, host: 'web1' }, name);
    expect(found.hosts).toEqual([['db', 2], ['web1', 1]]);
    expect(found.rows.map(name)).toEqual(['a']);
  });
  it('keeps to the matchers, those among the words too, and counts the severity as a label', () => {
    const list = [alert('a'), alert('b', { severity: 'warning' }), alert('c', { labels: { instance: 'db1' } })];
    const fits = (text: string): string[] => arrange(list, { ...all, text }, name).rows.map(name);
    expect(fits('severity=critical')).toEqual(['a', 'c']);
    expect(fits('instance=~web. severity!=critical')).toEqual(['b']);
    expect(fits('db instance=~".*1"')).toEqual(['c']);
  });
  it('finds what a silence hides', () => {
    const list = [alert('a', { silenced_by: ['s1', 's2'] }), alert('b')];
    expect(arrange(list, { ...all, silence: 's2' }, name).rows.map(name)).toEqual(['a']);
  });
  it('shows what people did with an alert before what it is: on the shelf, silenced, acknowledged', () => {
    const ack = { by: 'ana', at: 0 };
    expect(groupOf(alert('a', { ack, shelf: ack, silenced_by: ['s'] }))).toBe('shelved');
    expect(groupOf(alert('a', { ack, silenced_by: ['s'] }))).toBe('suppressed');
  });
  it('puts an acknowledged alert among the acknowledged ones whatever its severity', () => {
    expect(groupOf(alert('a', { ack: { by: 'ana', at: 0 } }))).toBe('acked');
  });
});

describe('a step through the list', () => {
  const rows = [{ id: 'a' }, { id: 'b' }];
  it('begins at the first and stays within', () => {
    expect(step(rows, '', 1)).toBe(0);
    expect(step(rows, 'b', 1)).toBe(1);
    expect(step(rows, 'a', -1)).toBe(0);
  });
});
