/** A half-open range of bytes. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Ranges that one read answers: members, as positions in the list they came from, lie within start..end. */
export interface MergedRange {
  start: number;
  end: number;
  members: number[];
}

/**
 * Groups ranges so that neighbors become one read.
 *
 * Ranges are taken by start; one joins the group before it when at most `gap` unwanted bytes lie between and the group stays
 * within `longest` bytes. With gap 0 no byte is read that nobody asked for.
 * Cost: O(n log n), O(n) when the ranges are in order already.
 */
export function mergeRanges(ranges: readonly ByteRange[], gap: number, longest: number): MergedRange[] {
  const order = ranges.map((_, index) => index);
  if (ranges.some((range, index) => index > 0 && range.start < ranges[index - 1].start)) {
    order.sort((a, b) => ranges[a].start - ranges[b].start);
  }
  const merged: MergedRange[] = [];
  let last: MergedRange | undefined;
  for (const index of order) {
    const { start, end } = ranges[index];
    const reach = last === undefined ? end : Math.max(last.end, end);
    if (last !== undefined && start <= last.end + gap && reach - last.start <= longest) {
      last.end = reach;
      last.members.push(index);
    } else {
      last = { start, end, members: [index] };
      merged.push(last);
    }
  }
  return merged;
}
