export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'hunk';
  text: string;
}

/** The lines of a unified diff; headers of files are left out. */
export function parseUnified(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let within = false;
  for (const line of diff.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('@@')) {
      within = true;
      lines.push({ kind: 'hunk', text: line });
    } else if (!within || line.startsWith('\\')) continue;
    else if (line.startsWith('+')) lines.push({ kind: 'added', text: line.slice(1) });
    else if (line.startsWith('-')) lines.push({ kind: 'removed', text: line.slice(1) });
    else lines.push({ kind: 'same', text: line.slice(1) });
  }
  return lines;
}

export interface Pair {
  left?: string;
  right?: string;
  same: boolean;
}

/** Beyond this many differing lines on both sides the middle is shown as replaced as a whole. */
const limit = 2000;

/** Two texts line by line beside each other: the longest common subsequence stands level. */
export function sideBySide(left: string, right: string): Pair[] {
  const [a, b] = [linesOf(left), linesOf(right)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const same = (text: string): Pair => ({ left: text, right: text, same: true });
  return [
    ...a.slice(0, start).map(same),
    ...middle(a.slice(start, endA), b.slice(start, endB)),
    ...a.slice(endA).map(same),
  ];
}

export function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function middle(a: string[], b: string[]): Pair[] {
  const common = a.length > limit || b.length > limit ? [] : commonLines(a, b);
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  for (const [atA, atB] of [...common, [a.length, b.length] as const]) {
    while (i < atA || j < atB) {
      const pair: Pair = { same: false };
      if (i < atA) pair.left = a[i++]!;
      if (j < atB) pair.right = b[j++]!;
      pairs.push(pair);
    }
    if (i < a.length && j < b.length) pairs.push({ left: a[i++]!, right: b[j++]!, same: true });
  }
  return pairs;
}

/** Pairs of positions of the longest common subsequence. */
export function commonLines(a: string[], b: string[]): (readonly [number, number])[] {
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const down = length[(i + 1) * width + j]!;
      const across = length[i * width + j + 1]!;
      length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1]! + 1 : Math.max(down, across);
    }
  }
  const found: (readonly [number, number])[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if (length[(i + 1) * width + j]! >= length[i * width + j + 1]!) i += 1;
    else j += 1;
  }
  return found;
}
