import { commonLines, linesOf } from './linediff';

/** Lines [from, to) of the base that became `lines`. */
interface Change {
  from: number;
  to: number;
  lines: string[];
}

/** Beyond this many lines nobody waits for the comparison. */
const limit = 3000;

function changesOf(base: string[], text: string[]): Change[] {
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  for (const [atBase, atText] of [...commonLines(base, text), [base.length, text.length] as const]) {
    if (i < atBase || j < atText) changes.push({ from: i, to: atBase, lines: text.slice(j, atText) });
    [i, j] = [atBase + 1, atText + 1];
  }
  return changes;
}

/** Both people's changes of a text, line by line; undefined where they touch the same lines, or neighbouring ones. */
export function merge(base: string, mine: string, theirs: string): string | undefined {
  const [b, m, t] = [linesOf(base), linesOf(mine), linesOf(theirs)];
  if (Math.max(b.length, m.length, t.length) > limit) return undefined;
  const isSame = (x: Change, y: Change): boolean => x.from === y.from && x.to === y.to && x.lines.join('\n') === y.lines.join('\n');
  const ours = changesOf(b, m);
  const others = changesOf(b, t).filter((change) => !ours.some((own) => isSame(own, change)));
  for (const x of ours) for (const y of others) if (x.from <= y.to && y.from <= x.to) return undefined;
  const merged = [...b];
  for (const change of [...ours, ...others].sort((x, y) => y.from - x.from)) merged.splice(change.from, change.to - change.from, ...change.lines);
  return merged.length > 0 ? `${merged.join('\n')}\n` : '';
}
