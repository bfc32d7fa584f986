import { expect, it } from 'vitest';
import type { Host } from '../../api/types';
import { factsLine, factsTitle } from './facts';

const host: Host = {
  id: '1',
  name: 'web1',
  state: 'up',
  facts: { os: 'Debian GNU/Linux 12 (bookworm)', cpus: '2', memory_bytes: '4294967296', kernel: '6.1' },
};

it('says system, processors and memory in one line', () => {
  expect(factsLine(host)).toBe('Debian 12 · 2 CPUs · 4 GiB');
});
it('says nothing of a host that has told nothing', () => {
  expect(factsLine({ ...host, facts: {} })).toBe('');
});
it('lists every fact with its unit', () => {
  expect(factsTitle(host)).toBe('os: Debian GNU/Linux 12 (bookworm)\ncpus: 2\nmemory: 4 GiB\nkernel: 6.1');
});
