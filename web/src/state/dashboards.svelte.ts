import { dashboardsApi, type DashboardEntry, type PageEntry } from '../api/dashboards';
import { Resource } from './resource.svelte';

const starsKey = 'atalaya.dashboards.starred';

function readStars(): string[] {
  try {
    const found = JSON.parse(localStorage.getItem(starsKey) ?? '[]') as unknown;
    return Array.isArray(found) ? found.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** All dashboards and pages of the tenant, loaded on first use; which are starred is known to this browser alone. */
class Dashboards {
  private readonly resource = new Resource(async (signal) => {
    const [dashboards, pages] = await Promise.all([dashboardsApi.list(signal), dashboardsApi.pages(signal)]);
    return { dashboards, pages };
  });
  private started = false;
  stars = $state.raw<string[]>(readStars());

  get list(): DashboardEntry[] {
    return this.resource.data?.dashboards ?? [];
  }
  get pages(): PageEntry[] {
    return this.resource.data?.pages ?? [];
  }
  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  /** Loads once; `reload` asks again. */
  start(): void {
    if (this.started) return;
    this.started = true;
    void this.resource.load();
  }

  reload(): Promise<void> {
    this.started = true;
    return this.resource.load();
  }

  find(id: string): DashboardEntry | PageEntry | undefined {
    return this.list.find((one) => one.id === id) ?? this.pages.find((one) => one.id === id);
  }

  pageAt(name: string, path: string[]): PageEntry | undefined {
    return this.pages.find((one) => one.package === name && one.path.join('/') === path.join('/'));
  }

  isStarred(id: string): boolean {
    return this.stars.includes(id);
  }

  toggleStar(id: string): void {
    this.stars = this.isStarred(id) ? this.stars.filter((other) => other !== id) : [...this.stars, id];
    localStorage.setItem(starsKey, JSON.stringify(this.stars));
  }
}

export const dashboards = new Dashboards();
