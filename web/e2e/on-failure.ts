import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { Visitor } from './browser';
import { root } from './server';

// What the pages looked like when a test failed.
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  const folder = join(root, 'test-results', 'failed');
  mkdirSync(folder, { recursive: true });
  const name = task.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60);
  let number = 0;
  for (const visitor of Visitor.present) {
    await visitor.page.screenshot({ path: join(folder, `${name}-${(number += 1)}.png`) }).catch(() => undefined);
    console.log(`${task.name}: ${visitor.page.url()}`, visitor.faults);
  }
});
