import { api, whenSignedOut } from '../api/client';
import { ApiError } from '../api/errors';
import { live } from '../api/live';
import { session } from '../api/session';
import type { Role, SignIn, User } from '../api/types';

const ranks: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Who is signed in. `phase` decides between the frame and the sign-in page. */
class Auth {
  user = $state.raw<User | undefined>(undefined);
  phase = $state<'starting' | 'in' | 'out' | 'unreachable'>('starting');
  error = $state.raw<unknown>(undefined);

  constructor() {
    whenSignedOut(() => this.leave());
  }

  may(role: Role): boolean {
    return this.user !== undefined && ranks[this.user.role] >= ranks[role];
  }

  /** Also asks without tokens: a server started without authentication lets everyone in. */
  async start(): Promise<void> {
    try {
      this.enter(await api.get<User>('/auth/me'));
    } catch (reason) {
      const isRefusal = reason instanceof ApiError && (reason.status === 401 || reason.status === 403);
      this.error = isRefusal ? undefined : reason;
      this.phase = isRefusal ? 'out' : 'unreachable';
    }
  }

  /** Asks again who is signed in, after something about them changed. */
  async reload(): Promise<void> {
    this.user = await api.get<User>('/auth/me');
  }

  async signIn(user: string, password: string): Promise<void> {
    await this.accept(await api.signIn<SignIn>('/auth/sign-in', { user, password }));
  }

  async useLink(link: string): Promise<void> {
    await this.accept(await api.signIn<SignIn>('/auth/link', { link }));
  }

  private async accept(answer: SignIn): Promise<void> {
    session.keep(answer);
    this.enter(answer.user ?? (await api.get<User>('/auth/me')));
  }

  private enter(user: User): void {
    this.user = user;
    this.phase = 'in';
    live.start();
  }

  async signOut(): Promise<void> {
    const refresh_token = session.refreshToken;
    if (refresh_token) await api.post('/auth/sign-out', { refresh_token }).catch(() => undefined);
    this.leave();
  }

  private leave(): void {
    session.forget();
    live.stop();
    this.user = undefined;
    this.phase = 'out';
  }
}

export const auth = new Auth();
