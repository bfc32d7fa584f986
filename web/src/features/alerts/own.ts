import { queryInstant } from '../../api/prom';
import type { Alert } from '../../api/types';
import { toSeconds } from '../../lib/duration';
import { nowSeconds } from '../../state/clock.svelte';
import { narrowTo } from './narrow';
import { seriesOfAlert } from './words';

/** The expression of an alert's rule for this alert's series alone; the whole one where that is not known. */
export async function ownExpr(alert: Pick<Alert, 'expr' | 'started' | 'labels'>, signal: AbortSignal): Promise<string> {
  const whole = alert.expr ?? '';
  // Shortly after it began, its series had a sample.
  const at = Math.min((toSeconds(alert.started) ?? nowSeconds()) + 1, nowSeconds());
  try {
    const found = await queryInstant(whole, at, signal);
    const own = seriesOfAlert(found.map(({ metric, value }) => ({ metric, values: [value] })), alert.labels)[0];
    return (own && narrowTo(whole, own.metric)) ?? whole;
  } catch {
    return whole; // the chart says what is wrong with it
  }
}
