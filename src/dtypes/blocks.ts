/** Which module decodes a dtype of blocks. */
export type Family = 'legacy' | 'k' | 'i' | 'ternary' | 'microscaling' | 'floats8';

/** What is known of a dtype before its decoder is loaded. */
export interface BlockLayout {
  family: Family;
  blockWeights: number;
  blockBytes: number;
  /**
   * Fields of more than one byte that a big endian file has reversed: first byte, width, count, for each. Null where ggml itself
   * reads such a field both as a number and byte by byte, so that no order is right.
   */
  fields: readonly (readonly [at: number, width: 2 | 4, count: number])[] | null;
}

function layout(
  family: Family,
  blockWeights: number,
  blockBytes: number,
  fields: BlockLayout['fields'] = [],
): BlockLayout {
  return { family, blockWeights, blockBytes, fields };
}

const half = (at: number) => [at, 2, 1] as const;

/**
 * Every dtype whose decoder is loaded on demand.
 *
 * Source: blocks in ggml/src/ggml-common.h, where gguf-py's GGML_QUANT_SIZES agrees but for Q8_1 (it has 40 bytes, of a time when
 * both scales were float32); fields reversed as gguf_convert_endian.py does for the types it knows, and for the others those that
 * the structs declare, or the reference code reads, as one number.
 */
export const blockLayouts: Readonly<Record<string, BlockLayout>> = {
  Q4_0: layout('legacy', 32, 18, [half(0)]),
  Q4_1: layout('legacy', 32, 20, [half(0), half(2)]),
  Q5_0: layout('legacy', 32, 22, [half(0), [2, 4, 1]]),
  Q5_1: layout('legacy', 32, 24, [half(0), half(2), [4, 4, 1]]),
  Q8_0: layout('legacy', 32, 34, [half(0)]),
  Q8_1: layout('legacy', 32, 36, [half(0), half(2)]),
  Q2_K: layout('k', 256, 84, [half(80), half(82)]),
  Q3_K: layout('k', 256, 110, [half(108)]),
  Q4_K: layout('k', 256, 144, [half(0), half(2)]),
  Q5_K: layout('k', 256, 176, [half(0), half(2)]),
  Q6_K: layout('k', 256, 210, [half(208)]),
  Q8_K: layout('k', 256, 292, [
    [0, 4, 1],
    [260, 2, 16],
  ]),
  IQ1_S: layout('i', 256, 50, [half(0), [34, 2, 8]]),
  IQ1_M: layout('i', 256, 56, [[48, 2, 4]]),
  IQ2_XXS: layout('i', 256, 66, null),
  IQ2_XS: layout('i', 256, 74, [half(0), [2, 2, 32]]),
  IQ2_S: layout('i', 256, 82, [half(0)]),
  IQ3_XXS: layout('i', 256, 98, [half(0), [66, 4, 8]]),
  IQ3_S: layout('i', 256, 110, [half(0)]),
  IQ4_NL: layout('i', 32, 18, [half(0)]),
  IQ4_XS: layout('i', 256, 136, [half(0), half(2)]),
  TQ1_0: layout('ternary', 256, 54, [half(52)]),
  TQ2_0: layout('ternary', 256, 66, [half(64)]),
  Q1_0: layout('ternary', 128, 18, [half(0)]),
  Q2_0: layout('ternary', 64, 18, [half(0)]),
  MXFP4: layout('microscaling', 32, 17),
  NVFP4: layout('microscaling', 64, 36),
  F4: layout('microscaling', 2, 1),
  F8_E4M3: layout('floats8', 1, 1),
  F8_E5M2: layout('floats8', 1, 1),
  F8_E8M0: layout('floats8', 1, 1),
  F8_E4M3FNUZ: layout('floats8', 1, 1),
  F8_E5M2FNUZ: layout('floats8', 1, 1),
};

/** Reverses the bytes of every field of every block, in place. */
export function swapFields(src: Uint8Array, { blockBytes, fields }: BlockLayout): void {
  for (const [first, width, count] of fields ?? []) {
    for (let at = first; at < src.length; at += blockBytes) {
      const end = at + width * count;
      for (let field = at; field < end; field += width) {
        for (let i = 0; i < width >> 1; i++) {
          const byte = src[field + i];
          src[field + i] = src[field + width - 1 - i];
          src[field + width - 1 - i] = byte;
        }
      }
    }
  }
}
