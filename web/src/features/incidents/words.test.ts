import { expect, it } from 'vitest';
import type { Incident, IncidentEvent, MemberAlert } from '../../api/incidents';
import { chartsOf } from './charts';
import { concernOf, countWords, incidentLook, timeline } from './words';

const counts = (more: Partial<Incident['counts']> = {}): Incident['counts'] => ({ open: 1, critical: 1, warning: 0, no_data: 0, unknown: 0, total: 1, ...more });

it('counts what is open in parts, and what there was once it is over', () => {
  expect(countWords({ state: 'open', counts: counts() })).toBe('1 alert');
  expect(countWords({ state: 'open', counts: counts({ open: 302, critical: 1, unknown: 300, no_data: 1, total: 310 }) })).toBe(
    '302 alerts: 1 critical, 1 without data, 300 unknown',
  );
  expect(countWords({ state: 'closed', counts: counts({ open: 0, total: 7 }) })).toBe('7 alerts in all');
});

it('shows what people did with it, else how bad it is', () => {
  expect(incidentLook({ state: 'open', severity: 'critical' })).toBe('critical');
  expect(incidentLook({ state: 'open', severity: 'none' })).toBe('firing');
  expect(incidentLook({ state: 'acknowledged', severity: 'critical' })).toBe('acked');
  expect(incidentLook({ state: 'closed', severity: 'critical' })).toBe('closed');
  expect(concernOf({ owner: 'ana', ack: { by: 'ana', at: 1, note: 'on it' } } as Incident)).toBe('ana: on it');
  expect(concernOf({ owner: 'luis' } as Incident)).toBe('luis');
});

it('tells what happened newest first: people, alerts, notifications', () => {
  const events: IncidentEvent[] = [
    { at: 100, kind: 'opened', severity: 'critical', text: 'Disk full' },
    { at: 100, kind: 'alert', from: 'pending', to: 'firing', severity: 'critical', text: '99 is above 90', alert: { id: 'a', name: 'DiskFull', labels: { instance: 'web1' } } },
    { at: 101, kind: 'notification', text: '', notification: { id: 'n', channel: 'ops/hook', state: 'sent' } },
    { at: 110, kind: 'acknowledged', by: 'ana', text: 'on it' },
    { at: 120, kind: 'alert', to: 'note', by: 'luis', text: 'the cache', alert: { id: 'a', name: 'DiskFull' } },
    { at: 125, kind: 'assigned', by: 'ana', text: 'luis: your turn' },
    { at: 126, kind: 'merged', by: 'ana', text: 'incident 7: disk' },
    { at: 126, kind: 'joined', text: 'topology', alert: { id: 'b', name: 'Slow' } },
    { at: 130, kind: 'closed', text: 'all of its alerts are over' },
  ];
  const told = timeline(events);
  expect(told.map(({ word, kind }) => `${kind} ${word}`)).toEqual([
    'alerts Closed',
    'alerts Joined',
    'people Merged',
    'people Assigned',
    'people Note',
    'people Acknowledged',
    'notifications Told',
    'alerts Critical',
    'alerts Opened',
  ]);
  expect(told[1]!.text).toBe('depends on it');
  expect(told[2]).toMatchObject({ by: 'ana', note: '', text: 'incident 7: disk' });
  expect(told[3]).toMatchObject({ by: 'ana', note: '', text: 'to luis: your turn' });
  expect(told[5]).toMatchObject({ by: 'ana', note: 'on it', text: '', look: 'acked' });
  expect(told[6]).toMatchObject({ text: 'ops/hook', look: 'sent' });
  expect(told[7]).toMatchObject({ alert: { id: 'a', name: 'DiskFull', where: 'web1' }, text: '99 is above 90' });
  expect(told[0]!.text).toBe('all of its alerts are over');
});

it('draws one chart for alerts of one expression, and none for lines of logs', () => {
  const alert = (id: string, more: Partial<MemberAlert> = {}): MemberAlert =>
    ({ id, name: id, state: 'firing', severity: 'critical', labels: { instance: id }, started: 0, ...more }) as MemberAlert;
  const series = ['a', 'b', 'c', 'd', 'gone'].map((id) => ({ alert: id, name: id, expr: id === 'c' ? 'up' : 'load', labels: {} }));
  const groups = chartsOf({ alerts: [alert('a'), alert('b'), alert('c'), alert('d', { kind: 'tailable' })], series });
  expect(groups.map(({ expr, alerts }) => `${expr}: ${alerts.map(({ id }) => id).join(' ')}`)).toEqual(['load: a b', 'up: c']);
});
