import { packagesApi, type PackageDetail, type PackageEntry, type TreeSection } from '../../api/packages';
import { api } from '../../api/client';
import { live } from '../../api/live';
import type { Rule } from '../../api/types';
import { Resource } from '../../state/resource.svelte';
import { schemas } from './schemas.svelte';

const every = 15_000;

/**
 * Tells when something has changed: packages by the live topic, states of rules by that of alerts. What neither
 * says (how many series a rule judges) is asked for now and then while the page is seen.
 */
function follow(load: () => void, isOurs: (name: string) => boolean): () => void {
  const timer = setInterval(() => !document.hidden && load(), every);
  const ends = [
    live.subscribe({ topic: 'alerts' }, load, load),
    live.subscribe({ topic: 'packages' }, (frames) => frames.some(({ packages }) => packages?.some(isOurs)) && load()),
  ];
  return () => {
    clearInterval(timer);
    for (const end of ends) end();
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
    return follow(() => void this.resource.load(), () => true);
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
    const own = this.name.split('@')[0];
    // An instance's values stand in another package: any change may be about it.
    const end = follow(() => void this.look(), (changed) => changed === own || this.name.includes('@'));
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
