import { arenaOffset, claimBytes, claimDoubles, claimFloats, releaseBytes } from './arena.ts';
import { kernelLoader } from './arena-kernel.ts';

/** Rows that one call of a kernel takes at most: their panels stay in the second cache, and float32 sums stay exact enough. */
export const gramRows = 256;

/** Columns of a panel: a share has the lines of whole panels. */
const panelColumns = 8;

/** A part of the sums: the lines of every `of`-th panel of eight columns, from `index` on. Shares of one matrix take about as long. */
export interface GramShare {
  index: number;
  of: number;
}

/** What the kernels add to, in the arena when it has room. */
export interface GramSums {
  readonly dim: number;
  /** dim and a column of ones, rounded up to a multiple of 8. */
  readonly width: number;
  /**
   * Shape: [width, width]. Products of columns, on and above the diagonal; column `dim` holds the sums of the columns and, last, the
   * number of rows.
   */
  readonly sums: Float64Array;
  /** Shape: [width], zeros behind dim. Subtracted from every row, so that sums of squares are small. */
  readonly shift: Float32Array;
  /** Shape: [width / 8, gramRows, 8]: the rows of one call, as the SIMD kernel wants them. */
  readonly panels: Float32Array;
  /** Multiplied with every shifted value: a power of two that keeps float32 squares in range. */
  readonly scale: number;
  /** The lines that are added to. */
  readonly share: GramShare;
}

/** One way to add up products of columns. */
export interface GramKernel {
  readonly name: 'ts' | 'simd';
  /**
   * Adds the products of the share's columns with all later ones, over the finite rows. Each sum has the same bits in any share.
   *
   * Shape: data [rows, dim], rows <= gramRows → added to sums [width, width]
   * Units: float64 throughout (ts); float32 over the rows of one call, float64 over calls (simd): they agree within 1e-5 of the
   * product of two columns' lengths.
   */
  addRows(sums: GramSums, data: Float32Array, rows: number): void;
}

/**
 * Empty sums.
 *
 * Shape: shift [dim]
 * Cost: 8 (dim + 8)² bytes.
 */
export function claimGramSums(
  dim: number,
  shift: Float32Array,
  scale: number,
  share: GramShare = { index: 0, of: 1 },
): GramSums {
  const width = (dim + 8) & ~7;
  const gram = {
    dim,
    width,
    sums: claimDoubles(width * width),
    shift: claimFloats(width).fill(0),
    panels: claimFloats(width * gramRows),
    scale,
    share,
  };
  gram.shift.set(shift);
  // Memory that nobody touches costs nothing.
  for (const line of panelLines(gram, share)) line.fill(0);
  return gram;
}

/** Gives the memory of sums back to the arena. */
export function releaseGramSums({ sums, shift, panels }: GramSums): void {
  for (const part of [sums, shift, panels]) releaseBytes(part);
}

/** The lines of each panel of a share. Shape: of [8 * width] each */
function panelLines(
  { sums, width }: Pick<GramSums, 'sums' | 'width'>,
  { index, of }: GramShare,
): Float64Array[] {
  const length = panelColumns * width;
  const lines: Float64Array[] = [];
  for (let at = index * length; at < sums.length; at += of * length)
    lines.push(sums.subarray(at, at + length));
  return lines;
}

/** The lines of the share, one after the other. Shape: [lines, width] */
export function linesOfShare(gram: GramSums): Float64Array {
  const lines = panelLines(gram, gram.share);
  const length = panelColumns * gram.width;
  const all = new Float64Array(lines.length * length);
  for (const [index, line] of lines.entries()) all.set(line, index * length);
  return all;
}

/** Takes over the lines that linesOfShare gave of another share. */
export function setLines(gram: GramSums, share: GramShare, lines: Float64Array): void {
  const length = panelColumns * gram.width;
  for (const [index, line] of panelLines(gram, share).entries())
    line.set(lines.subarray(index * length, (index + 1) * length));
}

/** The reference: plain TypeScript over typed arrays. */
export const plainGram: GramKernel = {
  name: 'ts',
  addRows({ dim, width, sums, shift, scale, share }, data, rows) {
    const line = new Float64Array(dim + 1);
    for (let row = 0; row < rows; row++) {
      let rest = 0;
      for (let i = 0; i < dim; i++) {
        const x = data[row * dim + i];
        rest += x - x;
        line[i] = (x - shift[i]) * scale;
      }
      if (rest !== 0) continue;
      line[dim] = 1;
      for (let i = 0; i <= dim; i++) {
        if (Math.floor(i / panelColumns) % share.of !== share.index) continue;
        const x = line[i];
        const start = i * width;
        for (let j = i; j <= dim; j++) sums[start + j] += x * line[j];
      }
    }
  },
};

/** Exports of assembly/gram.ts. */
interface GramExports {
  packRows: (
    ...[data, rows, dim, shift, scale, width, panels]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => number;
  addProducts: (
    ...[panels, rows, width, sums, first, step]: [number, number, number, number, number, number]
  ) => void;
}

/** The kernel by name. Cost: about 1 ms for the first `simd`. */
export const loadGramKernel = kernelLoader(
  plainGram,
  async () => (await import('../generated/gram.ts')).gramBase64,
  simdGram,
  async () => (await import('../generated/gram-fused.ts')).gramFusedBase64,
);

/** Sums that found no room in the arena go to the plain kernel; rows that lie elsewhere are copied in. */
function simdGram(wasm: GramExports): GramKernel {
  return {
    name: 'simd',
    addRows(gram, data, rows) {
      const { dim, width, scale, share } = gram;
      const staging = arenaOffset(data) === undefined ? claimBytes(rows * dim * 4) : undefined;
      const address = arenaOffset(staging ?? data);
      const sums = arenaOffset(gram.sums);
      const shift = arenaOffset(gram.shift);
      const panels = arenaOffset(gram.panels);
      if (address === undefined || sums === undefined || shift === undefined || panels === undefined)
        plainGram.addRows(gram, data, rows);
      else {
        staging?.set(new Uint8Array(data.buffer, data.byteOffset, rows * dim * 4));
        const packed = wasm.packRows(address, rows, dim, shift, scale, width, panels);
        wasm.addProducts(panels, packed, width, sums, share.index, share.of);
      }
      if (staging !== undefined) releaseBytes(staging);
    },
  };
}
