import type { ChartSpec } from '../charts/spec';

/** A chart that someone wants on a dashboard, until it is chosen on which. */
class DashboardOffer {
  current = $state.raw<{ spec: ChartSpec; step: number } | undefined>(undefined);

  /** `step`: seconds between the points that it shows now, for the windows of its rates. */
  make(spec: ChartSpec, step: number): void {
    this.current = { spec, step };
  }

  clear(): void {
    this.current = undefined;
  }
}

export const dashboardOffer = new DashboardOffer();
