import { live } from '../api/live';
import type { Push } from '../api/types';
import { stateLook } from '../lib/statelook';
import { toasts, type ToastKind } from './toasts.svelte';
import { router } from './router.svelte';

const storageKey = 'atalaya.desktop';

/** Notifications pushed to this browser: a toast while the page is seen, the desktop's else. */
class Pushes {
  permission = $state<NotificationPermission | 'unsupported'>(
    'Notification' in window ? Notification.permission : 'unsupported',
  );
  private wanted = $state(localStorage.getItem(storageKey) !== 'off');
  private started = false;

  get enabled(): boolean {
    return this.permission === 'granted' && this.wanted;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    live.subscribe({ topic: 'notifications' }, (frames) => {
      for (const { notification } of frames) if (notification) this.show(notification);
    });
  }

  /** Asked for by a click only. */
  async enable(): Promise<void> {
    this.wanted = true;
    localStorage.removeItem(storageKey);
    if ('Notification' in window) this.permission = await Notification.requestPermission();
  }

  disable(): void {
    this.wanted = false;
    localStorage.setItem(storageKey, 'off');
  }

  private show(push: Push): void {
    const href = push.alert_id ? router.href(['alerts', push.alert_id]) : undefined;
    const [title, text] = wordsOf(push);
    toasts.show(kindOf(push), title, text, href);
    // Who looks at the page has seen the toast; the desktop is for everyone else.
    if (!this.enabled || (!document.hidden && document.hasFocus())) return;
    try {
      const note = new Notification(title, { body: text, tag: push.alert_id ?? push.id });
      note.onclick = () => {
        window.focus();
        if (push.alert_id) router.go(['alerts', push.alert_id]);
        note.close();
      };
    } catch {
      this.permission = 'unsupported'; // browsers of phones have the name but refuse pages
    }
  }
}

/** The state stands in the title: a desktop shows no shapes. */
function wordsOf(push: Push): [title: string, text: string] {
  const state = push.state === 'firing' ? push.severity : push.state;
  const word = state && state !== 'none' ? `${stateLook(state).word}: ` : '';
  return [word + push.title, push.state === 'resolved' ? '' : (push.text ?? '')];
}

function kindOf(push: Push): ToastKind {
  if (push.state === 'resolved') return 'ok';
  if (push.state === 'no_data') return 'warning'; // whatever it was before, its value is not known now
  return push.severity === 'critical' || push.severity === 'warning' ? push.severity : 'info';
}

export const pushes = new Pushes();
