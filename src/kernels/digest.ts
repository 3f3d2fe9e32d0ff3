import { arenaOffset } from './arena.ts';
import { inArena, kernelLoader } from './arena-kernel.ts';

/** Values that one call takes at most, unless a row has more. */
export const digestValues = 1 << 16;

/** Buckets of values, by sign, exponent and 7 bits of mantissa; and values of a bucket, by the other 16 bits. */
export const halfRange = 1 << 16;

/** What single rows and values are told apart by, without keeping them. */
export interface DigestKernel {
  readonly name: 'ts' | 'simd';
  /**
   * A hash of every row, in which 0 and -0 are one, and the sum of its squares.
   *
   * Shape: data [rows, dim], keys [dim + 8] → hashes [rows]: 53 bits as a whole number; squares [rows]
   * Equal rows have equal hashes within one kernel; the kernels have hashes of their own.
   */
  digestRows(
    data: Float32Array,
    rows: number,
    keys: Uint32Array,
    hashes: Float64Array,
    squares: Float64Array,
  ): void;
  /** Counts values by their upper 16 bits. Shape: buckets [65536], added to */
  countUpper(data: Float32Array, buckets: Uint32Array): void;
  /** Counts values of the buckets whose slot is not 0 by their lower 16 bits. Shape: slots [65536], counters [most slot, 65536], added to */
  countLower(data: Float32Array, slots: Uint8Array, counters: Uint32Array): void;
  /**
   * countUpper, and values whose flag is 4, not 0, are kept from kept[used] on.
   *
   * Shape: flags [65536], kept has room for data.length values more
   * Returns how many are kept then.
   */
  countAndKeep(
    data: Float32Array,
    buckets: Uint32Array,
    flags: Uint8Array,
    kept: Float32Array,
    used: number,
  ): number;
}

/** The reference: plain TypeScript over typed arrays. */
export const plainDigest: DigestKernel = {
  name: 'ts',
  digestRows(data, rows, keys, hashes, squares) {
    const dim = data.length / rows;
    const bits = bitsOf(data);
    for (let row = 0; row < rows; row++) {
      let [low, high, square] = [keys[0] | 0, keys[1] | 0, 0];
      for (let i = row * dim; i < (row + 1) * dim; i++) {
        const x = data[i];
        const word = (x === 0 ? 0 : bits[i]) + keys[i - row * dim];
        low = Math.imul(low ^ word, 0x9e3779b1);
        low ^= low >>> 15;
        high = Math.imul(high + word, 0x85ebca77);
        high ^= high >>> 13;
        square += x * x;
      }
      hashes[row] = (high >>> 0) * 2 ** 21 + (low >>> 11);
      squares[row] = square;
    }
  },
  countUpper(data, buckets) {
    const bits = bitsOf(data);
    for (let i = 0; i < bits.length; i++) buckets[bits[i] >>> 16]++;
  },
  countLower(data, slots, counters) {
    const bits = bitsOf(data);
    for (let i = 0; i < bits.length; i++) {
      const slot = slots[bits[i] >>> 16];
      if (slot !== 0) counters[((slot - 1) << 16) | (bits[i] & 0xffff)]++;
    }
  },
  countAndKeep(data, buckets, flags, kept, used) {
    const bits = bitsOf(data);
    const list = bitsOf(kept);
    let next = used;
    for (let i = 0; i < bits.length; i++) {
      const upper = bits[i] >>> 16;
      buckets[upper]++;
      if (flags[upper] !== 0) list[next++] = bits[i];
    }
    return next;
  },
};

function bitsOf(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** Exports of assembly/digest.ts. */
interface DigestExports {
  digestRows: (
    ...[data, rows, dim, keys, hashes, squares]: [number, number, number, number, number, number]
  ) => void;
  countUpper(data: number, count: number, buckets: number): void;
  countLower(data: number, count: number, slots: number, counters: number): void;
  countAndKeep(data: number, count: number, buckets: number, flags: number, kept: number): number;
}

/** The kernel by name. Cost: about 1 ms for the first `simd`. */
export const loadDigestKernel = kernelLoader(
  plainDigest,
  async () => (await import('../generated/digest.ts')).digestBase64,
  simdDigest,
);

/** Counters and results lie in the arena or the plain kernel takes over for good; rows that lie elsewhere are copied in. */
function simdDigest(wasm: DigestExports): DigestKernel {
  return {
    name: 'simd',
    digestRows(data, rows, keys, hashes, squares) {
      const [k, h, s] = [arenaOffset(keys), arenaOffset(hashes), arenaOffset(squares)];
      const done =
        k !== undefined &&
        h !== undefined &&
        s !== undefined &&
        inArena(data, (at) => wasm.digestRows(at, rows, data.length / rows, k, h, s));
      if (!done) {
        plainDigest.digestRows(data, rows, keys, hashes, squares);
        return;
      }
      // 64 bits become the upper 53: the lowest of a sum of products tell least.
      const words = new Uint32Array(hashes.buffer, hashes.byteOffset, rows * 2);
      for (let row = 0; row < rows; row++)
        hashes[row] = words[2 * row + 1] * 2 ** 21 + (words[2 * row] >>> 11);
    },
    countUpper(data, buckets) {
      const at = arenaOffset(buckets);
      if (at === undefined || !inArena(data, (from) => wasm.countUpper(from, data.length, at)))
        plainDigest.countUpper(data, buckets);
    },
    countLower(data, slots, counters) {
      const [s, c] = [arenaOffset(slots), arenaOffset(counters)];
      const done =
        s !== undefined &&
        c !== undefined &&
        inArena(data, (from) => wasm.countLower(from, data.length, s, c));
      if (!done) plainDigest.countLower(data, slots, counters);
    },
    countAndKeep(data, buckets, flags, kept, used) {
      const [b, f, k] = [arenaOffset(buckets), arenaOffset(flags), arenaOffset(kept)];
      let end = used;
      const done =
        b !== undefined &&
        f !== undefined &&
        k !== undefined &&
        inArena(data, (from) => {
          end = (wasm.countAndKeep(from, data.length, b, f, k + used * 4) - k) / 4;
        });
      return done ? end : plainDigest.countAndKeep(data, buckets, flags, kept, used);
    },
  };
}
