import { formatHash, parseHash, type Route } from '../lib/route';

/** Asked when someone is about to leave a view: false keeps them, and `go` takes them there after all. */
export type Guard = (go: () => void) => boolean;

/** The address bar, as state. Views read it and write it; nothing else remembers what a view shows. */
class Router {
  route = $state.raw<Route>(parseHash(location.hash));

  private guard: Guard | undefined;
  private guarded: string[] = [];

  constructor() {
    window.addEventListener('hashchange', () => this.follow(location.hash));
  }

  /**
   * For an $effect of a view with unsaved work: returns what takes the guard away. `parts` names what of the
   * query leads to another view too.
   */
  hold(guard: Guard, parts: string[] = []): () => void {
    this.guard = guard;
    this.guarded = parts;
    return () => {
      if (this.guard === guard) this.guard = undefined;
    };
  }

  private follow(hash: string): void {
    const wanted = parseHash(hash);
    const isOther =
      wanted.path.join('/') !== this.route.path.join('/') || this.guarded.some((name) => wanted.query[name] !== this.route.query[name]);
    const go = (): void => {
      this.guard = undefined;
      location.hash = hash;
    };
    if (isOther && this.guard && !this.guard(go)) {
      history.pushState(null, '', formatHash(this.route.path, this.route.query));
      return;
    }
    this.route = wanted;
  }

  get area(): string {
    return this.route.path[0] ?? 'overview';
  }

  query(name: string): string {
    return this.route.query[name] ?? '';
  }

  /** An address of another view; the time range goes along. */
  href(path: string[], query: Record<string, string | undefined> = {}): string {
    const { range, from, to } = this.route.query;
    return formatHash(path, { range, from, to, ...query });
  }

  go(path: string[], query: Record<string, string | undefined> = {}): void {
    location.hash = this.href(path, query);
  }

  /** Changes parts of this view's address; `undefined` removes. A step back undoes it only if `push`. */
  set(patch: Record<string, string | undefined>, push = false): void {
    // The view is being left: whoever went elsewhere is not brought back.
    if (parseHash(location.hash).path.join('/') !== this.route.path.join('/')) return;
    const hash = formatHash(this.route.path, { ...this.route.query, ...patch });
    if (hash === location.hash) return;
    if (push) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
    this.route = parseHash(hash);
  }

  setPath(path: string[]): void {
    history.replaceState(null, '', formatHash(path, this.route.query));
    this.route = parseHash(location.hash);
  }
}

export const router = new Router();
