import { beforeEach, expect, it, vi } from 'vitest';

const place = { hash: '#/incidents/1' };
let heard: () => void = () => {};
const put = (_: unknown, __: string, hash: string): void => void (place.hash = hash);

beforeEach(() => {
  vi.resetModules();
  place.hash = '#/incidents/1';
  vi.stubGlobal('location', place);
  vi.stubGlobal('history', { replaceState: put, pushState: put });
  vi.stubGlobal('window', { addEventListener: (_: string, listener: () => void) => void (heard = listener) });
});

it('keeps what a view shows in its address', async () => {
  const { router } = await import('./router.svelte');
  router.set({ range: '1h' });
  expect(place.hash).toBe('#/incidents/1?range=1h');
  expect(router.query('range')).toBe('1h');
});

it('does not bring back who is just leaving for another view', async () => {
  const { router } = await import('./router.svelte');
  place.hash = '#/alerts/a'; // said, but not heard yet
  router.set({ range: '1h' });
  expect(place.hash).toBe('#/alerts/a');
  heard();
  expect(router.route.path).toEqual(['alerts', 'a']);
  router.set({ range: '1h' });
  expect(place.hash).toBe('#/alerts/a?range=1h');
});
