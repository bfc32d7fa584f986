/** Where the words of a line stand: the y of their upper edge. */
export interface LabelRoom {
  top: number;
  bottom: number;
  /** Height of the words, and the gap between them and their line. */
  size: number;
  gap: number;
}

/**
 * Puts the words of horizontal lines over them, or under them where another's stand there already, and further down
 * where there is no room either; undefined where the chart ends before. `lines` are from the top down.
 */
export function placeLabels(lines: number[], { top, bottom, size, gap }: LabelRoom): (number | undefined)[] {
  let free = top;
  return lines.map((y) => {
    const above = y - gap - size;
    const at = above >= free ? above : Math.max(y + gap, free);
    if (at + size > bottom) return undefined;
    free = at + size;
    return at;
  });
}
