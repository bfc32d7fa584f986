import { describeError } from '../api/errors';

export type ToastKind = 'info' | 'ok' | 'warning' | 'critical';

export interface Toast {
  id: number;
  kind: ToastKind;
  title: string;
  text: string;
  href?: string | undefined;
  /** What the link says. */
  way: string;
}

const limit = 4;

class Toasts {
  list = $state<Toast[]>([]);
  private next = 1;

  show(kind: ToastKind, title: string, text = '', href?: string, way = 'Open'): void {
    const toast: Toast = { id: this.next++, kind, title, text, href, way };
    this.list = [...this.list, toast].slice(-limit);
    // Bad news stays long enough to be read by someone who looked away.
    setTimeout(() => this.dismiss(toast.id), kind === 'critical' ? 20_000 : kind === 'warning' ? 10_000 : 5000);
  }

  failure(error: unknown): void {
    const words = describeError(error);
    this.show('critical', words.title, [words.detail, words.remedy].filter(Boolean).join(' '));
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
