import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import type { RowSource } from './principal.ts';

/** Groups that are listed, and rows of a group. */
const keptGroups = 10;
const keptRows = 4;

/** Rows of candidates are gathered in pieces of about this many values. */
const gatheredValues = 1 << 18;

/** Rows that can be gathered by their numbers. */
type GatheredRows = Pick<RowSource, 'dim' | 'gather'>;

/** Rows with the same values. */
export interface DuplicateGroup {
  /** How many rows there are. */
  size: number;
  /** The first of them, ascending. */
  rows: number[];
  norm: number;
}

export interface Duplicates {
  groups: number;
  /** Rows that are in a group. */
  rows: number;
  /** Largest groups first; ties: the lower first row. */
  largest: DuplicateGroup[];
}

/**
 * Groups of two or more rows with the same float32 values; 0 and -0 are the same, a NaN is the same as one of the same bits.
 *
 * Rows whose hashes are equal are gathered and compared, so that the groups are exact.
 * Shape: hashes [rows], equal for equal rows
 * Cost: a sorted copy of the hashes and 4 bytes per candidate; a gather of the candidates.
 */
export async function findDuplicates(source: GatheredRows, hashes: Float64Array): Promise<Duplicates> {
  const found = new Groups();
  await compareRepeated(source, hashes, (open) => found.take(open));
  return found.result();
}

/**
 * For each row the first that has the same values, as findDuplicates tells them; -1 for rows that are the first or the only ones.
 *
 * Shape: hashes [rows] → [rows]
 * Cost: as findDuplicates, and 4 bytes per row.
 */
export async function findFirsts(source: GatheredRows, hashes: Float64Array): Promise<Int32Array> {
  const firsts = new Int32Array(hashes.length).fill(-1);
  const nothing = () => {};
  await compareRepeated(source, hashes, nothing, (row, first) => {
    firsts[row] = first;
  });
  return firsts;
}

/**
 * Gathers the rows whose hashes are repeated, and compares them.
 *
 * @param close is given the groups of every repeated hash
 * @param meet is told of every row that has the values of an earlier one
 */
async function compareRepeated(
  source: GatheredRows,
  hashes: Float64Array,
  close: (groups: readonly OpenGroup[]) => void,
  meet?: (row: number, first: number) => void,
): Promise<void> {
  const { rows, starts } = candidatesOf(hashes);
  const most = Math.max(1, Math.floor(gatheredValues / source.dim));
  const memory = claimFloats(Math.min(most, rows.length) * source.dim);
  let [group, open]: [number, OpenGroup[]] = [0, []];
  try {
    for (let first = 0; first < rows.length; first += most) {
      const ids = rows.slice(first, first + most);
      const { data } = await source.gather(ids, memory);
      for (const [index, row] of ids.entries()) {
        if (first + index === starts[group + 1]) {
          close(open);
          [group, open] = [group + 1, []];
        }
        const joined = join(open, row, data.subarray(index * source.dim, (index + 1) * source.dim));
        if (joined.size > 1) meet?.(row, joined.rows[0]);
      }
      // The next rows come to the same memory.
      for (const one of open) if (one.values.buffer === data.buffer) one.values = one.values.slice();
    }
    close(open);
  } finally {
    releaseBytes(memory);
  }
}

/**
 * Rows whose hash another row has too, group by group.
 *
 * Shape: group g is rows[starts[g]] to rows[starts[g + 1] - 1], ascending
 */
function candidatesOf(hashes: Float64Array): { rows: Uint32Array; starts: Uint32Array } {
  const sorted = hashes.slice().sort();
  let groups = 0;
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i - 1] || (groups > 0 && sorted[groups - 1] === sorted[i])) continue;
    sorted[groups++] = sorted[i];
  }
  const repeated = sorted.subarray(0, groups);
  const starts = new Uint32Array(groups + 1);
  if (groups === 0) return { rows: new Uint32Array(0), starts };
  for (const hash of hashes) {
    const group = indexOf(repeated, hash);
    if (group >= 0) starts[group + 1]++;
  }
  for (let group = 0; group < groups; group++) starts[group + 1] += starts[group];
  const rows = new Uint32Array(starts[groups]);
  const next = starts.slice();
  for (let row = 0; row < hashes.length; row++) {
    const group = indexOf(repeated, hashes[row]);
    if (group >= 0) rows[next[group]++] = row;
  }
  return { rows, starts };
}

/** Where a number stands in an ascending list; -1 where it does not. */
function indexOf(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] === wanted) return middle;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

interface OpenGroup extends DuplicateGroup {
  values: Float32Array;
}

/** Adds a row to the group of its values, or opens one: equal hashes are as good as never an accident. */
function join(open: OpenGroup[], row: number, values: Float32Array): OpenGroup {
  const group = open.find((one) => isSame(one.values, values));
  if (group === undefined) {
    const opened = { size: 1, rows: [row], norm: Number.NaN, values };
    open.push(opened);
    return opened;
  }
  group.size++;
  if (group.rows.length < keptRows) group.rows.push(row);
  return group;
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  if (Buffer.compare(bytesOf(a), bytesOf(b)) === 0) return true;
  const [x, y] = [bitsOf(a), bitsOf(b)];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i] && !(a[i] === 0 && b[i] === 0)) return false;
  return true;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

class Groups {
  #groups = 0;
  #rows = 0;
  readonly #largest: DuplicateGroup[] = [];

  take(closed: readonly OpenGroup[]): void {
    for (const { size, rows, values } of closed) {
      if (size < 2) continue;
      this.#groups++;
      this.#rows += size;
      const largest = this.#largest;
      let at = largest.length;
      while (at > 0 && precedes(size, rows[0], largest[at - 1])) at--;
      if (at >= keptGroups) continue;
      largest.splice(at, 0, { size, rows, norm: Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)) });
      largest.length = Math.min(largest.length, keptGroups);
    }
  }

  result(): Duplicates {
    return { groups: this.#groups, rows: this.#rows, largest: this.#largest };
  }
}

function precedes(size: number, first: number, other: DuplicateGroup): boolean {
  return size > other.size || (size === other.size && first < other.rows[0]);
}
