let base = '';

/**
 * Finds the API: localStorage `atalaya.api` (for development), else the page's meta tag: empty for
 * the server that sent the page, a URL, or `config.json` to read {"api": …} from beside the page.
 */
export async function loadConfig(): Promise<void> {
  const stored = localStorage.getItem('atalaya.api');
  const meta = document.querySelector<HTMLMetaElement>('meta[name="atalaya-api"]')?.content ?? '';
  let found = stored ?? meta;
  if (found.endsWith('.json')) {
    const answer = await fetch(found);
    const config = (await answer.json()) as { api?: string };
    found = config.api ?? '';
  }
  base = found.replace(/\/+$/, '');
}

export function apiUrl(path: string): string {
  return base + path;
}

export function liveUrl(ticket: string): string {
  const url = new URL(apiUrl('/api/atalaya/v1/live'), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.searchParams.set('ticket', ticket);
  return url.toString();
}
