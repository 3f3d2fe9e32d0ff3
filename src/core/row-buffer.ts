import { claimFloats } from '../kernels/arena.ts';

/** Below this, fresh memory costs less than the arena. */
const bufferedValues = 1 << 16;

/**
 * Memory for rows that are looked up piece after piece: page-aligned, where reads are several times as fast, and touched before.
 *
 * The same memory every time: a piece is gone when the next one is asked for. Small pieces get memory of their own.
 * @param most values of the largest piece
 */
export function rowBuffer(most: number): (values: number) => Float32Array | undefined {
  let buffer: Float32Array | undefined;
  return (values) => {
    if (values < bufferedValues || values > most) return undefined;
    buffer ??= claimFloats(most);
    return buffer.subarray(0, values);
  };
}
