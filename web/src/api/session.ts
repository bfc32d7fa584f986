import { apiUrl } from './config';
import { ApiError } from './errors';
import type { ErrorBody, SignIn } from './types';

const storageKey = 'atalaya.session';

interface Stored {
  access: string;
  refresh: string;
  /** Unix milliseconds at which the access token ends. */
  ends: number;
}

/**
 * The tokens of this browser. A refresh token works once, so only one refresh may be in flight: in
 * this page by `refreshing`, among tabs by a lock around a fresh look at the shared storage.
 */
class Session {
  private refreshing: Promise<boolean> | undefined;

  private read(): Stored | undefined {
    try {
      const text = localStorage.getItem(storageKey);
      return text ? (JSON.parse(text) as Stored) : undefined;
    } catch {
      return undefined;
    }
  }

  get exists(): boolean {
    return this.read() !== undefined;
  }

  keep(signIn: SignIn): void {
    const stored: Stored = {
      access: signIn.access_token,
      refresh: signIn.refresh_token,
      ends: Date.now() + signIn.expires_in * 1000,
    };
    localStorage.setItem(storageKey, JSON.stringify(stored));
  }

  forget(): void {
    localStorage.removeItem(storageKey);
  }

  get refreshToken(): string | undefined {
    return this.read()?.refresh;
  }

  /** A token good for the next request; undefined when nobody is signed in. */
  async accessToken(): Promise<string | undefined> {
    const stored = this.read();
    if (!stored) return undefined;
    if (stored.ends - Date.now() > 10_000) return stored.access;
    await this.refresh(stored.access);
    return this.read()?.access;
  }

  /** Replaces the pair that `rejected` belongs to. False when the person has to sign in again. */
  refresh(rejected: string): Promise<boolean> {
    this.refreshing ??= this.locked(() => this.rotate(rejected)).finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async locked(work: () => Promise<boolean>): Promise<boolean> {
    // Locks exist only in secure contexts; without them two tabs may have to sign in again.
    return navigator.locks ? await navigator.locks.request('atalaya.refresh', work) : await work();
  }

  private async rotate(rejected: string): Promise<boolean> {
    const stored = this.read();
    if (!stored) return false;
    if (stored.access !== rejected) return true; // another tab was quicker
    let answer: Response;
    try {
      answer = await fetch(apiUrl('/api/atalaya/v1/auth/refresh'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: stored.refresh }),
      });
    } catch (reason) {
      throw new ApiError(0, { error: reason instanceof Error ? reason.message : String(reason) });
    }
    if (answer.ok) {
      this.keep((await answer.json()) as SignIn);
      return true;
    }
    if (answer.status >= 500) {
      throw new ApiError(answer.status, (await answer.json().catch(() => ({}))) as ErrorBody);
    }
    this.forget();
    return false;
  }
}

export const session = new Session();
