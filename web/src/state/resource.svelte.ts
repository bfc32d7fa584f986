/**
 * Something fetched: its data, its error, and whether it has been awaited for more than 200 ms
 * (only then is a skeleton worth showing). A later load supersedes an earlier one, which ends with it.
 */
export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  slow = $state(false);
  loading = $state(false);
  private controller: AbortController | undefined;
  private newest: Promise<void> | undefined;

  constructor(private readonly fetcher: (signal: AbortSignal) => Promise<T>) {}

  load(): Promise<void> {
    this.newest = this.ask();
    return this.settled(this.newest);
  }

  /** When nothing newer is awaited either. */
  private async settled(begun: Promise<void>): Promise<void> {
    await begun;
    if (this.newest && this.newest !== begun) await this.settled(this.newest);
  }

  private async ask(): Promise<void> {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.loading = true;
    const timer = setTimeout(() => (this.slow = this.controller === controller && this.loading), 200);
    try {
      const data = await this.fetcher(controller.signal);
      if (this.controller !== controller) return;
      this.data = data;
      this.error = undefined;
    } catch (reason) {
      if (this.controller !== controller || controller.signal.aborted) return;
      this.error = reason;
    } finally {
      clearTimeout(timer);
      if (this.controller === controller) {
        this.loading = false;
        this.slow = false;
      }
    }
  }

  stop(): void {
    this.controller?.abort();
    this.controller = undefined;
  }
}
