import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert, AlertDetail } from '../../api/types';

const merged = vi.hoisted(() => [] as string[]);
vi.mock('../../state/alerts.svelte', () => ({
  openAlerts: { merge: (alerts: Alert[]) => merged.push(...alerts.map(({ id }) => id)) },
}));
vi.mock('../../state/toasts.svelte', () => ({ toasts: {} }));
vi.mock('../../api/client', () => ({ api: {} }));
const { bodyOf, commands, runAll } = await import('./actions');

const alert = (id: string, patch: Partial<Alert> = {}): Alert => ({
  id,
  name: id,
  state: 'firing',
  severity: 'critical',
  labels: {},
  started: 0,
  ...patch,
});

describe('what is sent', () => {
  it('has a note only when there is one, and an end only where it means something', () => {
    expect(bodyOf('ack', { note: ' ' })).toEqual({});
    expect(bodyOf('ack', { note: ' on it ', for: '1h' })).toEqual({ note: 'on it', for: '1h' });
    expect(bodyOf('close', { note: 'x', for: '1h' })).toEqual({ note: 'x' });
    expect(bodyOf('note', { note: 'seen ' })).toEqual({ text: 'seen' });
  });
  it('says an end one way', () => {
    expect(bodyOf('shelve', { until: '2026-01-01T00:00:00Z', for: '1h' })).toEqual({ until: '2026-01-01T00:00:00Z' });
  });
  it('leaves alone what there is nothing to do for', () => {
    expect(commands.ack.fits(alert('a', { state: 'resolved' }))).toBe(false);
    expect(commands.unshelve.fits(alert('a'))).toBe(false);
  });
});

describe('a command for many', () => {
  beforeEach(() => void merged.splice(0));
  it('goes on after a refusal, and tells how far it is and what failed', async () => {
    const all = Array.from({ length: 120 }, (_, i) => alert(`a${i}`));
    const progress: number[] = [];
    const sent = async (_: unknown, one: Alert): Promise<AlertDetail> => {
      if (one.id === 'a7') throw new Error('gone');
      return one;
    };
    const { done, failed } = await runAll('ack', all, {}, (count) => progress.push(count), sent);
    expect(done).toHaveLength(119);
    expect(failed.map(({ item: { id } }) => id)).toEqual(['a7']);
    expect(progress.at(-1)).toBe(120);
    expect(new Set(merged).size).toBe(119);
  });
});
