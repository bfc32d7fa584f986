import { packagesApi, type PackageDetail, type PackageEntry, type TreeSection } from '../../api/packages';
import { api } from '../../api/client';
import { live } from '../../api/live';
import type { Rule } from '../../api/types';
import { Resource } from '../../state/resource.svelte';
import { schemas } from './schemas.svelte';

const every = 5000;

/** Files are edited elsewhere too and nobody tells of it: asks every few seconds while the page is seen. */
function poll(load: () => void): () => void {
  const timer = setInterval(() => !document.hidden && load(), every);
  const end = live.subscribe({ topic: 'alerts' }, load, load);
  return () => {
    clearInterval(timer);
    end();
  };
}

const rulesNow = async (signal: AbortSignal): Promise<Rule[]> => (await api.get<{ rules: Rule[] }>('/rules', undefined, signal)).rules;

/** All packages, with the states of their rules. */
export class PackageList {
  readonly resource = new Resource(async (signal): Promise<{ packages: PackageEntry[]; rules: Rule[] }> => {
    const [packages, rules] = await Promise.all([packagesApi.list(signal), rulesNow(signal)]);
    return { packages, rules };
  });

  start(): () => void {
    void this.resource.load();
    return poll(() => void this.resource.load());
  }
}

/** One package: what it is, what it holds, and the states of its rules. */
export class PackageStore {
  readonly detail: Resource<PackageDetail>;
  readonly rules = new Resource(rulesNow);
  readonly tree: Resource<TreeSection[]>;
  /** Counts changes of its files: whoever shows a part of one looks again. */
  version = $state(0);
  private seen = '';

  constructor(readonly name: string) {
    this.detail = new Resource((signal) => packagesApi.detail(name, signal));
    this.tree = new Resource(async (signal) => {
      const [sections, known] = await Promise.all([packagesApi.tree(name, signal), schemas.of(name)]);
      const shapes = new Map(known.sections.map((section) => [section.name, section.shape]));
      return sections.map((section) => ({ ...section, shape: shapes.get(section.name) ?? 'tree' }));
    });
  }

  start(): () => void {
    void this.reload();
    const end = poll(() => void this.look());
    return () => {
      end();
      this.detail.stop();
      this.tree.stop();
      this.rules.stop();
    };
  }

  async reload(): Promise<void> {
    schemas.forget();
    await Promise.all([this.detail.load(), this.tree.load(), this.rules.load()]);
    this.note();
  }

  /** The tree is asked for again only when a file has changed: it may be large. */
  private async look(): Promise<void> {
    void this.rules.load();
    await this.detail.load();
    if (this.note()) void this.tree.load();
  }

  private note(): boolean {
    const detail = this.detail.data;
    const now = JSON.stringify([detail?.files.map(({ file, hash }) => [file, hash]), detail?.errors]);
    if (now === this.seen) return false;
    this.seen = now;
    this.version += 1;
    return true;
  }
}
