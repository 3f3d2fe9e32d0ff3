import type { WorkerThread } from '../command.ts';
import {
  claimGramSums,
  type GramShare,
  type GramSums,
  gramRows,
  linesOfShare,
  loadGramKernel,
  releaseGramSums,
  setLines,
} from '../kernels/gram.ts';
import type { RowBlock } from '../types.ts';

/** Mean squares of scaled deviations that float32 sums hold without losing any; others are added up in float64. */
const squareRange = [2 ** -40, 2 ** 80] as const;

/** How the dimensions of a table vary together. */
export interface Covariance {
  /** Rows that took part: those without a NaN or an infinity. */
  rows: number;
  /** Shape: [dim] */
  mean: Float64Array;
  /** Shape: [dim, dim]; of the population, the triangle on and below the diagonal is filled. */
  matrix: Float64Array;
}

export interface CovarianceOptions {
  kernel?: 'ts' | 'simd';
  /** Told how many rows the pass went through. */
  advance?(rows: number): void;
  /** Threads that scan the same rows and add up a share of the sums each: "scan" of cli/worker.ts. They wait for more work afterwards. */
  threads?: readonly WorkerThread[];
}

/** What a thread is asked for. */
export interface ShareAsked {
  share: GramShare;
}

/** Its answer. Shape: as linesOfShare gives them; null when there are no rows */
export interface ShareSummed {
  lines: Float64Array | null;
}

/**
 * The covariance of the dimensions in one pass.
 *
 * Rows are shifted by the mean of the first ones before they are multiplied, which is taken out again exactly. Rows with a value that is
 * not finite are left out. Whatever the number of threads, the result is the same: each sum is that of one thread.
 * Shape: blocks of [rows, dim] → [dim, dim]
 * Cost: one scan, rows · dim² / 2 multiplications, 16 dim² bytes. Values whose squares float32 cannot hold cost a second scan.
 */
export async function covarianceOf(
  scan: () => AsyncIterable<RowBlock>,
  dim: number,
  options: CovarianceOptions = {},
): Promise<Covariance> {
  const { kernel = 'simd', threads = [], advance } = options;
  const others = threads.map((thread, index) => {
    thread.post({ share: { index: index + 1, of: threads.length + 1 } } satisfies ShareAsked);
    return thread.receive() as Promise<ShareSummed>;
  });
  // What ends one is told when its share is waited for.
  for (const other of others) other.catch(() => {});
  const share = { index: 0, of: threads.length + 1 };
  const found = await addUp(scan(), dim, { kernel, share, advance }, async (gram) => {
    for (const [index, other] of others.entries()) {
      const { lines } = await other;
      if (lines !== null) setLines(gram, { index: index + 1, of: share.of }, lines);
    }
    return finish(gram);
  });
  if (kernel === 'ts' || found === undefined || found.isSafe) return resultOf(found, dim);
  return resultOf(await addUp(scan(), dim, { kernel: 'ts' }, finish), dim);
}

/** A share of the sums, for another thread to finish. */
export async function sumShare(
  blocks: AsyncIterable<RowBlock>,
  dim: number,
  kernel: 'ts' | 'simd',
  { share }: ShareAsked,
): Promise<ShareSummed> {
  return { lines: (await addUp(blocks, dim, { kernel, share }, linesOfShare)) ?? null };
}

interface Sums {
  rows: number;
  mean: Float64Array;
  matrix: Float64Array;
  isSafe: boolean;
}

function resultOf(sums: Sums | undefined, dim: number): Covariance {
  if (sums !== undefined) return { rows: sums.rows, mean: sums.mean, matrix: sums.matrix };
  return { rows: 0, mean: new Float64Array(dim).fill(Number.NaN), matrix: new Float64Array(dim * dim) };
}

interface Adding {
  kernel: 'ts' | 'simd';
  share?: GramShare;
  advance?(rows: number): void;
}

/** What `conclude` makes of the sums; undefined when there is no row. */
async function addUp<Result>(
  blocks: AsyncIterable<RowBlock>,
  dim: number,
  { kernel: name, share, advance }: Adding,
  conclude: (gram: GramSums) => Result | Promise<Result>,
): Promise<Result | undefined> {
  const kernel = await loadGramKernel(name, true);
  let gram: GramSums | undefined;
  try {
    for await (const { rows, data } of blocks) {
      gram ??= startAt(data.subarray(0, Math.min(gramRows, rows) * dim), dim, share);
      for (let row = 0; row < rows; row += gramRows) {
        const count = Math.min(gramRows, rows - row);
        kernel.addRows(gram, data.subarray(row * dim, (row + count) * dim), count);
      }
      advance?.(rows);
    }
    return gram === undefined ? undefined : await conclude(gram);
  } finally {
    if (gram !== undefined) releaseGramSums(gram);
  }
}

/** Sums around the mean of some rows, in units of their deviation. */
function startAt(data: Float32Array, dim: number, share?: GramShare): GramSums {
  const sums = new Float64Array(dim);
  let rows = 0;
  for (let start = 0; start < data.length; start += dim) {
    if (!isFiniteRow(data, start, dim)) continue;
    for (let i = 0; i < dim; i++) sums[i] += data[start + i];
    rows++;
  }
  const shift = Float32Array.from(sums, (sum) => (rows > 0 ? sum / rows : 0));
  let square = 0;
  for (let start = 0; start < data.length; start += dim) {
    if (!isFiniteRow(data, start, dim)) continue;
    for (let i = 0; i < dim; i++) square += (data[start + i] - shift[i]) ** 2;
  }
  return claimGramSums(dim, shift, scaleOf(Math.sqrt(square / (rows * dim))), share);
}

function isFiniteRow(data: Float32Array, start: number, dim: number): boolean {
  let rest = 0;
  for (let i = start; i < start + dim; i++) rest += data[i] - data[i];
  return rest === 0;
}

/** The power of two that brings a deviation to about 1; a float32 itself. */
export function scaleOf(deviation: number): number {
  if (!(deviation > 0 && deviation < Number.POSITIVE_INFINITY)) return 1;
  return 2 ** Math.max(-126, Math.min(126, -Math.round(Math.log2(deviation))));
}

/** Undefined when there is no finite row. */
function finish({ dim, width, sums, shift, scale }: GramSums): Sums | undefined {
  const rows = sums[dim * width + dim];
  if (rows === 0) return undefined;
  const means = Float64Array.from({ length: dim }, (_, i) => sums[i * width + dim] / rows);
  const matrix = new Float64Array(dim * dim);
  let trace = 0;
  for (let i = 0; i < dim; i++) {
    trace += sums[i * width + i];
    for (let j = i; j < dim; j++)
      matrix[j * dim + i] = (sums[i * width + j] / rows - means[i] * means[j]) / scale / scale;
  }
  const square = trace / rows / dim;
  return {
    rows,
    mean: means.map((x, i) => shift[i] + x / scale),
    matrix,
    isSafe: square > squareRange[0] && square < squareRange[1],
  };
}
