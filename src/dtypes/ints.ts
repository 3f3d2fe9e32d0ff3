import { EmbError } from '../errors.ts';
import type { DType } from '../types.ts';
import { aligned } from './unaligned.ts';

/** An array type that views little endian integers. */
interface IntArray {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayLike<number>;
  readonly BYTES_PER_ELEMENT: number;
}

/** Block: one integer of 1, 2 or 4 bytes, little endian; what is no float32 is rounded once, ties to even. */
function integer(name: string, View: IntArray): DType {
  const width = View.BYTES_PER_ELEMENT;
  return {
    name,
    blockWeights: 1,
    blockBytes: width,
    // float32 holds every integer up to 2^24.
    rounds: width === 4,
    decode(src, out) {
      const bytes = aligned(src, width);
      const count = src.length / width;
      const values = new View(bytes.buffer, bytes.byteOffset, count);
      for (let at = 0; at < count; at++) out[at] = values[at];
    },
  };
}

export const i8 = integer('I8', Int8Array);
export const u8 = integer('U8', Uint8Array);
export const i16 = integer('I16', Int16Array);
export const u16 = integer('U16', Uint16Array);
export const i32 = integer('I32', Int32Array);
export const u32 = integer('U32', Uint32Array);
export const i64 = wide('I64', Int32Array, -0x200000);
export const u64 = wide('U64', Uint32Array, 0);

/**
 * Block: one integer of 8 bytes, little endian: low word, high word. Rounded once to float32, ties to even.
 *
 * Beyond 2^53 a double would round first and float32 again. So the 11 low bits, all far below float32's last bit, are
 * first folded into one sticky bit ("round to odd"), which makes the double exact and the one rounding right.
 */
function wide(name: string, High: IntArray, least: number): DType {
  return {
    name,
    blockWeights: 1,
    blockBytes: 8,
    rounds: true,
    decode(src, out) {
      const bytes = aligned(src, 4);
      const count = src.length / 8;
      const lows = new Uint32Array(bytes.buffer, bytes.byteOffset, 2 * count);
      const highs = new High(bytes.buffer, bytes.byteOffset, 2 * count);
      for (let at = 0; at < count; at++) {
        const high = highs[2 * at + 1];
        let low = lows[2 * at];
        if (high >= 0x200000 || high < least) {
          const sticky = (low & 0x7ff) === 0 ? 0 : 0x800;
          low = ((low & ~0x7ff) | sticky) >>> 0;
        }
        out[at] = high * 4294967296 + low;
      }
    },
  };
}

/** Block: one byte, 0 or 1. */
export const bool: DType = {
  name: 'BOOL',
  blockWeights: 1,
  blockBytes: 1,
  decode(src, out) {
    for (let at = 0; at < src.length; at++) {
      if (src[at] > 1) throw new EmbError('corrupt', `"BOOL" value is ${src[at]}, expected 0 or 1`);
      out[at] = src[at];
    }
  },
};
