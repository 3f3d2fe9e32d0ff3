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

const bitsView = new DataView(new ArrayBuffer(4));

/**
 * A histogram of values that were counted by their upper 16 bits.
 *
 * Bins are a power of two wide, so their edges fall between buckets and every count is exact. Up to 40 bins cover all but a
 * thousandth of the values at either end; those are in a first bin from `low` and a last one to `high`. An edge belongs to the
 * bin that lies farther from 0; values within 1e-40 of 0 count as 0.
 * Shape: buckets [65536] → bins in ascending order, [] when no finite value was counted
 */
export function histogramOf(buckets: ArrayLike<number>, low: number, high: number): HistogramBin[] {
  const counted = finiteCount(buckets);
  if (counted === 0) return [];
  const tail = counted * tailShare;
  const [least, most] = [magnitudeEdge(buckets, tail, false), magnitudeEdge(buckets, tail, true)];
  const step = stepOf(least, most);
  const first = Math.floor(least / step);
  const bins = Array.from({ length: Math.max(1, Math.ceil(most / step) - first) }, (_, index) => ({
    from: (first + index) * step,
    to: (first + index + 1) * step,
    count: 0,
  }));
  const below: HistogramBin = { from: low, to: bins[0].from, count: 0 };
  const above: HistogramBin = { from: bins[bins.length - 1].to, to: high, count: 0 };
  for (let magnitude = 0; magnitude < firstInfinite; magnitude++) {
    const [positive, negative] = [buckets[magnitude], buckets[magnitude + 0x8000]];
    // Most buckets are empty, and this runs once: it has to be cheap before it is compiled.
    if (positive === 0 && negative === 0) continue;
    const index = Math.floor(floatOf(magnitude) / step);
    place(bins, below, above, index - first, positive);
    place(bins, below, above, (magnitude === 0 ? 0 : -index - 1) - first, negative);
  }
  return [below, ...bins, above].filter((bin) => bin.count > 0 || (bin !== below && bin !== above));
}

function place(
  bins: HistogramBin[],
  below: HistogramBin,
  above: HistogramBin,
  index: number,
  count: number,
): void {
  if (index < 0) below.count += count;
  else if (index >= bins.length) above.count += count;
  else bins[index].count += count;
}

function finiteCount(buckets: ArrayLike<number>): number {
  let count = 0;
  for (let magnitude = 0; magnitude < firstInfinite; magnitude++) {
    count += buckets[magnitude] + buckets[magnitude + 0x8000];
  }
  return count;
}

/** The outer edge of the bucket beyond which at most `tail` values lie, at the low or the high end. */
function magnitudeEdge(buckets: ArrayLike<number>, tail: number, atHighEnd: boolean): number {
  const near = atHighEnd ? 0 : 0x8000;
  const sign = atHighEnd ? 1 : -1;
  let beyond = 0;
  for (let magnitude = firstInfinite - 1; magnitude >= 0; magnitude--) {
    beyond += buckets[near + magnitude];
    if (beyond > tail) return sign * edgeOf(magnitude + 1);
  }
  const far = 0x8000 - near;
  for (let magnitude = 0; magnitude < firstInfinite; magnitude++) {
    beyond += buckets[far + magnitude];
    if (beyond > tail) return -sign * edgeOf(magnitude);
  }
  return 0;
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
  return magnitude >= firstInfinite ? 2 ** 128 : floatOf(magnitude);
}

function floatOf(upperBits: number): number {
  bitsView.setUint32(0, upperBits * 65536);
  return bitsView.getFloat32(0);
}
