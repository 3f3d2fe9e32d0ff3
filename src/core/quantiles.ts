import { claimBytes, claimFloats, claimWords, releaseBytes } from '../kernels/arena.ts';
import { type DigestKernel, digestValues, halfRange, loadDigestKernel } from '../kernels/digest.ts';
import type { RowBlock } from '../types.ts';

/** Percentages at which values and norms are shown. */
export const quantileLevels: readonly number[] = [0, 1, 5, 25, 50, 75, 95, 99, 100];

/** Upper 16 bits from which on a magnitude is no finite number. */
const firstNonFinite = 0x7f80;

/** Counters have 32 bits: they are emptied into float64 before so many values. */
const mostCounted = 2 ** 32 - 1;

/** 32-bit counters, in the arena when it has room, and where they overflow to. */
class Counters {
  readonly fast: Uint32Array;
  #emptied: Float64Array | undefined;
  #pending = 0;

  constructor(length: number) {
    this.fast = claimWords(length).fill(0);
  }

  /** To be called before so many values are counted. */
  expect(values: number): void {
    if (this.#pending + values > mostCounted) {
      this.#emptied ??= new Float64Array(this.fast.length);
      for (let i = 0; i < this.fast.length; i++) this.#emptied[i] += this.fast[i];
      this.fast.fill(0);
      this.#pending = 0;
    }
    this.#pending += values;
  }

  count(index: number): number {
    return this.fast[index] + (this.#emptied?.[index] ?? 0);
  }

  totalOf(indices: Uint16Array): number {
    let total = 0;
    for (let i = 0; i < indices.length; i++) total += this.count(indices[i]);
    return total;
  }

  release(): void {
    releaseBytes(this.fast);
  }
}

/** Values that one pass keeps at most, where it is known about where the quantiles lie. */
const mostKept = 1 << 21;

/** How far quantiles of a sample may be off, in standard deviations of a rank. */
const sampleError = 3;

/** Values near the quantiles, kept in the first pass so that there need be no second. */
interface Kept {
  flags: Uint8Array;
  values: Float32Array;
  used: number;
  isFull: boolean;
}

/**
 * Exact quantiles of the finite values of a table in two passes: the first counts values by the upper half of their bits, the second those
 * of the few halves that hold a quantile by the lower half. A sample can tell near which values the quantiles lie; those are kept by the
 * first pass, and if it told the truth there is no second.
 *
 * Cost: 0.3 MiB for the first pass, up to 4.5 MiB for the second, 8 MiB beside with a sample, however large the table.
 */
export class ValueQuantiles {
  readonly #kernel: DigestKernel;
  readonly #upper = new Counters(halfRange);
  #kept: Kept | undefined;

  private constructor(kernel: DigestKernel) {
    this.#kernel = kernel;
  }

  static async by(kernel: 'ts' | 'simd'): Promise<ValueQuantiles> {
    return new ValueQuantiles(await loadDigestKernel(kernel));
  }

  /** Before the first pass: keeps what lies near the quantiles of a sample. */
  expect(sample: Float32Array, levels: readonly number[]): void {
    const counters = new Counters(halfRange);
    counters.expect(sample.length);
    inPieces(sample, (piece) => this.#kernel.countUpper(piece, counters.fast));
    const order = finiteHalves();
    const total = counters.totalOf(order);
    const flags = claimBytes(halfRange).fill(0);
    const ranges = levels.map((level) => {
      const part = level / 100;
      const error = sampleError * Math.sqrt((part * (1 - part)) / total);
      return { low: (part - error) * total, high: (part + error) * total };
    });
    for (const { low, high } of ranges) {
      let before = 0;
      for (let at = 0; at < order.length && before <= high; at++) {
        before += counters.fast[order[at]];
        if (before >= low) flags[order[at]] = 4;
      }
    }
    counters.release();
    const values = claimFloats(mostKept);
    this.#kept = { flags, values, used: 0, isFull: total === 0 };
  }

  /** The first pass. */
  add(block: RowBlock): void {
    this.#upper.expect(block.data.length);
    inPieces(block.data, (piece) => this.#count(piece));
  }

  #count(piece: Float32Array): void {
    const kept = this.#kept;
    if (kept !== undefined && kept.used + piece.length > mostKept) kept.isFull = true;
    if (kept === undefined || kept.isFull) this.#kernel.countUpper(piece, this.#upper.fast);
    else kept.used = this.#kernel.countAndKeep(piece, this.#upper.fast, kept.flags, kept.values, kept.used);
  }

  /**
   * The quantiles at percentages, interpolated linearly, as numpy.quantile does by default; null when no value is finite.
   *
   * @param scan the second pass: the same values again
   * @param extremes the smallest and the largest finite value, where they are known
   */
  async at(
    levels: readonly number[],
    scan: () => AsyncIterable<RowBlock>,
    extremes?: readonly [number, number],
  ): Promise<number[] | null> {
    const order = finiteHalves();
    const total = this.#upper.totalOf(order);
    if (total === 0) return null;
    const values = new Map<number, number>();
    if (extremes !== undefined) {
      values.set(0, extremes[0]);
      values.set(total - 1, extremes[1]);
    }
    const places = new Set(levels.flatMap((level) => placesOf(level, total)));
    const wanted = [...places].filter((place) => !values.has(place)).sort((a, b) => a - b);
    const found = this.#halvesOf(wanted, order);
    const halves = [...new Set(found.map(({ half }) => half))];
    const lower = new Counters(halves.length * halfRange);
    try {
      await this.#countLower(this.#keeps(halves) ?? scan(), halves, lower);
      for (const { place, half, rank } of found)
        values.set(place, valueAtRank(half, halves.indexOf(half), rank, lower));
    } finally {
      lower.release();
    }
    return levels.map((level) => interpolate(level, total, (place) => values.get(place) as number));
  }

  /** The kept values, when all of those halves are among them. */
  #keeps(halves: readonly number[]): Iterable<{ data: Float32Array }> | undefined {
    const kept = this.#kept;
    if (kept === undefined || kept.isFull || halves.some((half) => kept.flags[half] === 0)) return undefined;
    return [{ data: kept.values.subarray(0, kept.used) }];
  }

  release(): void {
    this.#upper.release();
    const { values, flags } = this.#kept ?? {};
    if (flags !== undefined) releaseBytes(flags);
    if (values !== undefined) releaseBytes(values);
  }

  /** In which half the value of each rank lies, and its rank there. */
  #halvesOf(places: readonly number[], order: Uint16Array) {
    const found: { place: number; half: number; rank: number }[] = [];
    let [index, before] = [0, 0];
    for (const place of places) {
      while (before + this.#upper.count(order[index]) <= place) before += this.#upper.count(order[index++]);
      found.push({ place, half: order[index], rank: place - before });
    }
    return found;
  }

  async #countLower(
    blocks: AsyncIterable<RowBlock> | Iterable<{ data: Float32Array }>,
    halves: readonly number[],
    lower: Counters,
  ): Promise<void> {
    const bytes = claimBytes(halfRange);
    bytes.fill(0);
    for (const [slot, half] of halves.entries()) bytes[half] = slot + 1;
    try {
      for await (const { data } of blocks) {
        lower.expect(data.length);
        inPieces(data, (piece) => this.#kernel.countLower(piece, bytes, lower.fast));
      }
    } finally {
      releaseBytes(bytes);
    }
  }
}

function inPieces(data: Float32Array, work: (piece: Float32Array) => void): void {
  for (let at = 0; at < data.length; at += digestValues) work(data.subarray(at, at + digestValues));
}

/** Upper halves of finite values in the order of the values. */
function finiteHalves(): Uint16Array {
  const halves = new Uint16Array(2 * firstNonFinite);
  for (let i = 0; i < firstNonFinite; i++) {
    halves[firstNonFinite - 1 - i] = i + 0x8000;
    halves[firstNonFinite + i] = i;
  }
  return halves;
}

/** The value of a rank among those of one half. */
function valueAtRank(half: number, slot: number, rank: number, lower: Counters): number {
  const isNegative = half >= 0x8000;
  let left = rank;
  for (let step = 0; step < halfRange; step++) {
    const low = isNegative ? halfRange - 1 - step : step;
    left -= lower.count(slot * halfRange + low);
    if (left < 0) return floatOf(half, low);
  }
  // Unless the second pass had other values than the first.
  return floatOf(half, isNegative ? 0 : halfRange - 1);
}

function floatOf(half: number, low: number): number {
  return new Float32Array(Uint32Array.of(half * halfRange + low).buffer)[0] + 0;
}

/** The ranks between which a quantile lies. */
function placesOf(level: number, total: number): number[] {
  const below = Math.floor((level / 100) * (total - 1));
  return [below, Math.min(below + 1, total - 1)];
}

/** From the nearer end, as NumPy does, so that the last bit is the same. */
function interpolate(level: number, total: number, valueAt: (place: number) => number): number {
  const [below, above] = placesOf(level, total);
  const part = (level / 100) * (total - 1) - below;
  const [a, b] = [valueAt(below), valueAt(above)];
  if (a === b) return a;
  return part >= 0.5 ? b - (b - a) * (1 - part) : a + (b - a) * part;
}

/**
 * Quantiles of numbers that are at hand, as numpy.quantile interpolates them; null when there are none. They are sorted in place.
 */
export function quantilesOf(values: Float64Array, levels: readonly number[]): number[] | null {
  if (values.length === 0) return null;
  values.sort();
  return levels.map((level) => interpolate(level, values.length, (place) => values[place]));
}
