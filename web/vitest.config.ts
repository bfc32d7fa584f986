// Unit tests: functions and state without a browser. The settings stand in vite.config.ts.
export { default } from './vite.config';
