import { formatHash, parseHash, type Route } from '../lib/route';

/** The address bar, as state. Views read it and write it; nothing else remembers what a view shows. */
class Router {
  route = $state.raw<Route>(parseHash(location.hash));

  constructor() {
    window.addEventListener('hashchange', () => (this.route = parseHash(location.hash)));
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
