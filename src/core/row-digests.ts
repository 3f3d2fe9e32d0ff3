import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import { type DigestKernel, digestValues, loadDigestKernel } from '../kernels/digest.ts';
import type { RowBlock } from '../types.ts';

/** Rows that the arena may have no room for: both kernels in turn would give equal rows unequal hashes. */
const widestSimd = 1 << 20;

/** Rows for which there is room before they come: a header may promise more than there are. */
const mostExpected = 1 << 20;

/**
 * A hash and the norm of every row that passes by.
 *
 * Hashes are keyed by random numbers, so that no file can be made whose rows collide.
 * Cost: 16 bytes per row, twice that while they grow.
 */
export class RowDigests {
  readonly dim: number;
  rows = 0;
  #hashes: Float64Array;
  #norms: Float64Array;
  readonly #kernel: DigestKernel;
  readonly #keys: Uint8Array;
  readonly #hashed: Uint8Array;
  readonly #squared: Uint8Array;
  readonly #callRows: number;

  private constructor(kernel: DigestKernel, dim: number, rows: number) {
    this.dim = dim;
    this.#kernel = kernel;
    this.#callRows = Math.max(1, Math.floor(digestValues / dim));
    const length = Math.min(rows, mostExpected);
    this.#hashes = new Float64Array(length);
    this.#norms = new Float64Array(length);
    this.#keys = claimBytes((dim + 8) * 4);
    this.#hashed = claimBytes(this.#callRows * 8);
    this.#squared = claimBytes(this.#callRows * 8);
    const keys = new Uint32Array(this.#keys.buffer, this.#keys.byteOffset, dim + 8);
    for (let i = 0; i < keys.length; i++) keys[i] = Math.random() * 2 ** 32;
  }

  /** @param rows how many rows are expected, where that is known */
  static async by(kernel: 'ts' | 'simd', dim: number, rows = 1024): Promise<RowDigests> {
    return new RowDigests(await loadDigestKernel(dim > widestSimd ? 'ts' : kernel), dim, rows);
  }

  release(): void {
    for (const bytes of [this.#keys, this.#hashed, this.#squared]) releaseBytes(bytes);
  }

  add({ rows, data }: RowBlock): void {
    this.#reserve(this.rows + rows);
    const keys = new Uint32Array(this.#keys.buffer, this.#keys.byteOffset, this.dim + 8);
    const hashes = new Float64Array(this.#hashed.buffer, this.#hashed.byteOffset, this.#callRows);
    const squares = new Float64Array(this.#squared.buffer, this.#squared.byteOffset, this.#callRows);
    for (let row = 0; row < rows; row += this.#callRows) {
      const count = Math.min(this.#callRows, rows - row);
      const part = data.subarray(row * this.dim, (row + count) * this.dim);
      this.#kernel.digestRows(part, count, keys, hashes, squares);
      this.#hashes.set(hashes.subarray(0, count), this.rows);
      for (let i = 0; i < count; i++) this.#norms[this.rows + i] = Math.sqrt(squares[i]);
      this.rows += count;
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.#hashes.length) return;
    const length = Math.max(rows, this.#hashes.length * 2);
    const [hashes, norms] = [new Float64Array(length), new Float64Array(length)];
    hashes.set(this.#hashes);
    norms.set(this.#norms);
    [this.#hashes, this.#norms] = [hashes, norms];
  }

  /** Shape: [rows]; whole numbers of 53 bits. */
  hashes(): Float64Array {
    return this.#hashes.subarray(0, this.rows);
  }

  /** Norms of the rows that have one: those without a NaN or an infinity. A copy. */
  finiteNorms(): Float64Array {
    const norms = this.#norms.slice(0, this.rows);
    let finite = 0;
    for (let row = 0; row < norms.length; row++) {
      norms[finite] = norms[row];
      if (norms[row] < Number.POSITIVE_INFINITY) finite++;
    }
    return norms.subarray(0, finite);
  }
}
