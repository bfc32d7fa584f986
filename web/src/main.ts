import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { loadConfig } from './api/config';
import { auth } from './state/auth.svelte';
import { router } from './state/router.svelte';
import './state/theme.svelte';

async function start(): Promise<void> {
  await loadConfig();
  // A sign-in link is used by the sign-in page; asking who is signed in first would cost a round trip.
  if (router.area === 'sign-in' && router.query('link')) auth.phase = 'out';
  else void auth.start();
  mount(App, { target: document.getElementById('app')! });
}

void start();
