import { svelte } from '@sveltejs/vite-plugin-svelte';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

// In development the API is another process: `npm run mock`, or a real server.
const api = loadEnv('development', '.', 'ATALAYA_').ATALAYA_API ?? 'http://127.0.0.1:2091';

export default defineConfig({
  // Relative addresses: the same files work embedded in the server, under a sub-path and on a CDN.
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The server finds the module of packages' pages by the manifest.
    manifest: 'manifest.json',
    rollupOptions: { input: { index: 'index.html', pages: 'src/pages/main.ts' } },
  },
  server: { proxy: { '/api': { target: api, ws: true }, '/-': api, '/occi': api, '^/p/': api } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
