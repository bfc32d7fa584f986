import { defineConfig } from 'vitest/config';

// What a person does, in a real Chromium against the real server. One file at a time: each starts a
// server with an agent that measures this machine every second.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    setupFiles: ['e2e/on-failure.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
