import { labelNames, labelValues, metadata } from '../../api/prom';
import type { Knowledge, Metadata } from '../../lib/promql/complete';

/** Names change rarely, values more often: what is older is asked for anew. */
const fresh = 60_000;
/** More than anyone reads through; what is typed narrows further. */
const mostValues = 5000;

const kept = new Map<string, { at: number; answer: Promise<unknown> }>();

function once<T>(key: string, ask: () => Promise<T>, otherwise: T, patience = 2000): Promise<T> {
  const found = kept.get(key);
  if (found && Date.now() - found.at < fresh) return found.answer as Promise<T>;
  // Completion helps where it can: whoever runs the query is told what is wrong.
  const answer = ask().catch(() => {
    setTimeout(() => kept.delete(key), patience);
    return otherwise;
  });
  if (kept.size > 200) kept.clear();
  kept.set(key, { at: Date.now(), answer });
  return answer;
}

async function readMetadata(): Promise<ReadonlyMap<string, Metadata>> {
  const found = await metadata();
  return new Map(Object.entries(found).flatMap(([name, all]) => (all[0] ? [[name, all[0]] as const] : [])));
}

/** What the server knows, asked for as it is needed. */
export const knowledge: Knowledge = {
  metrics: () => once('metrics', () => labelValues('__name__'), []),
  metadata: () => once<ReadonlyMap<string, Metadata>>('metadata', readMetadata, new Map(), fresh),
  labels: (selector) => once(`labels ${selector}`, () => labelNames(selector), []),
  values: (label, selector) => once(`values ${label} ${selector}`, () => labelValues(label, selector, mostValues), []),
};
