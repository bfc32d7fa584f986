import { differing, fillTemplate, plainName } from '../../../charts/naming';
import type { Labels } from '../../../api/types';

/** What the series of a widget are called: by its legend, else by the labels in which they differ. */
export function namesOf(all: Labels[], legend: string | undefined, fallback: string): string[] {
  if (legend) return all.map((labels) => fillTemplate(legend, labels) || fallback);
  if (all.length === 1) return [fallback];
  const differ = differing(all);
  return all.map((labels) => plainName(labels, differ, fallback));
}
