import { session } from '../api/session';
import { partBelow } from '../lib/pageaddress';
import { formatHash } from '../lib/route';
import { root } from './door';

const triedKey = 'atalaya.page.tried';
/** Who comes back this soon without a cookie would be sent round for ever. */
const soon = 15_000;

/**
 * The page that the server shows to a browser without the cookie: its button leads through the UI and back here.
 * A browser that is signed in goes at once.
 */
export function leadToSignIn(): void {
  if (!document.head.querySelector('meta[name="atalaya-sign-in"]')) return;
  const part = partBelow(root, location.href);
  const way = document.querySelector<HTMLAnchorElement>('a.at-button');
  if (part === undefined || !way) return;
  way.href = root.href + formatHash(['page'], { to: part });
  // Within a frame the UI would stand inside of itself.
  if (!session.exists || window.top !== window) return;
  const now = Date.now();
  if (now - Number(sessionStorage.getItem(triedKey)) < soon) return;
  sessionStorage.setItem(triedKey, String(now));
  location.replace(way.href);
}
