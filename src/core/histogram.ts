/** Some of the values that were counted. */
export interface HistogramBin {
  from: number;
  to: number;
  count: number;
}

/** Most bins between the tails. */
const mostBins = 40;

/** This share of the values at either end is put in one bin each, so that an outlier does not flatten the rest. */
const tailShare = 0.001;

/** Bucket of the first value that is no number: infinities and NaN have all bits of the exponent set. */
const firstInfinite = 0x7f80;

/** Buckets of float32 values next to zero are this wide. */
const narrowestStep = 2 ** -133;

/** Buckets of one sign and exponent. */
const chunkLength = 128;

/** A bucket that is not empty. */
interface Filled {
  /** Sign (-1, 1) and upper 15 bits of the magnitude. */
  sign: number;
  magnitude: number;
  count: number;
}

/**
 * A histogram of values that were counted by their upper 16 bits.
 *
 * Bins are a power of two wide, so their edges fall between buckets and every count is exact. Up to 40 bins cover all but a
 * thousandth of the values at either end; those are in a first bin from `low` and a last one to `high`. An edge belongs to the
 * bin that lies farther from 0; values within 1e-40 of 0 count as 0.
 * Shape: buckets [65536] → bins in ascending order, [] when no finite value was counted
 */
export function histogramOf(buckets: Uint32Array | Float64Array, low: number, high: number): HistogramBin[] {
  const filled = filledBuckets(buckets);
  if (filled.length === 0) return [];
  const [least, most] = centralRange(filled);
  const step = stepOf(least, most);
  const first = Math.floor(least / step);
  const bins = Array.from({ length: Math.max(1, Math.ceil(most / step) - first) }, (_, index) => ({
    from: (first + index) * step,
    to: (first + index + 1) * step,
    count: 0,
  }));
  const below: HistogramBin = { from: low, to: bins[0].from, count: 0 };
  const above: HistogramBin = { from: bins[bins.length - 1].to, to: high, count: 0 };
  for (const { sign, magnitude, count } of filled) {
    const distance = Math.floor(edgeOf(magnitude) / step);
    const index = (sign > 0 || magnitude === 0 ? distance : -distance - 1) - first;
    (index < 0 ? below : index >= bins.length ? above : bins[index]).count += count;
  }
  return [below, ...bins, above].filter((bin) => bin.count > 0 || (bin !== below && bin !== above));
}

/** The finite buckets that hold something, by ascending value. */
function filledBuckets(buckets: Uint32Array | Float64Array): Filled[] {
  const negative: Filled[] = [];
  const positive: Filled[] = [];
  const empty = new Uint8Array(chunkLength * buckets.BYTES_PER_ELEMENT);
  for (let start = 0; start < buckets.length; start += chunkLength) {
    // Most exponents never occur, and this runs once, in code that is not compiled yet: comparing bytes passes over them.
    const offset = buckets.byteOffset + start * buckets.BYTES_PER_ELEMENT;
    if (Buffer.compare(new Uint8Array(buckets.buffer, offset, empty.length), empty) === 0) continue;
    const isNegative = start >= 0x8000;
    const sign = isNegative ? -1 : 1;
    for (let bucket = start; bucket < start + chunkLength; bucket++) {
      const magnitude = bucket & 0x7fff;
      const count = buckets[bucket];
      if (count > 0 && magnitude < firstInfinite)
        (isNegative ? negative : positive).push({ sign, magnitude, count });
    }
  }
  return [...negative.reverse(), ...positive];
}

/** The range beyond either end of which lies at most a thousandth of the values. */
function centralRange(filled: readonly Filled[]): [number, number] {
  const tail = tailShare * filled.reduce((sum, { count }) => sum + count, 0);
  let below = 0;
  const least = filled.find(({ count }) => {
    below += count;
    return below > tail;
  })!;
  let above = 0;
  const most = filled.findLast(({ count }) => {
    above += count;
    return above > tail;
  })!;
  return [
    least.sign > 0 ? edgeOf(least.magnitude) : -edgeOf(least.magnitude + 1),
    most.sign > 0 ? edgeOf(most.magnitude + 1) : -edgeOf(most.magnitude),
  ];
}

/** The narrowest power of two that makes at most 40 bins, and no narrower than a bucket at the larger end. */
function stepOf(least: number, most: number): number {
  const magnitude = Math.max(Math.abs(least), Math.abs(most));
  const bucketWidth = 2 ** (exponentOf(magnitude) - 7);
  let step = 2 ** Math.ceil(Math.log2(Math.max(most - least, narrowestStep) / mostBins));
  step = Math.max(step, bucketWidth, narrowestStep);
  while (Math.ceil(most / step) - Math.floor(least / step) > mostBins) step *= 2;
  return step;
}

function exponentOf(magnitude: number): number {
  return magnitude > 0 ? Math.floor(Math.log2(magnitude)) : -126;
}

/** The smallest magnitude of a bucket; of the one after the last finite bucket: 2^128. */
function edgeOf(magnitude: number): number {
  const [exponent, mantissa] = [magnitude >> 7, magnitude & 0x7f];
  return exponent === 0 ? mantissa * 2 ** -133 : (128 + mantissa) * 2 ** (exponent - 134);
}
