/**
 * Types of weights by their number in a file.
 *
 * Source: enum ggml_type in ggml/include/ggml.h of ggml-org/llama.cpp; blocks are those of the dtypes of these names.
 */
const names: Record<number, string> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
  41: 'Q1_0',
  42: 'Q2_0',
};

/** Numbers whose type ggml has removed: repacked forms that were never meant for files, and early experiments. */
const removed: Record<number, string> = {
  4: 'Q4_2',
  5: 'Q4_3',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  36: 'IQ4_NL_4_4',
  37: 'IQ4_NL_4_8',
  38: 'IQ4_NL_8_8',
};

/** Weights and bytes of a block. */
export interface Block {
  blockWeights: number;
  blockBytes: number;
}

/** Blocks of the types that no other format has. Source: ggml/src/ggml-common.h, block_q4_0 and the others. */
export const blocks: Record<string, Block> = {
  Q4_0: { blockWeights: 32, blockBytes: 18 },
  Q4_1: { blockWeights: 32, blockBytes: 20 },
  Q5_0: { blockWeights: 32, blockBytes: 22 },
  Q5_1: { blockWeights: 32, blockBytes: 24 },
  Q8_0: { blockWeights: 32, blockBytes: 34 },
  Q8_1: { blockWeights: 32, blockBytes: 36 },
  Q2_K: { blockWeights: 256, blockBytes: 84 },
  Q3_K: { blockWeights: 256, blockBytes: 110 },
  Q4_K: { blockWeights: 256, blockBytes: 144 },
  Q5_K: { blockWeights: 256, blockBytes: 176 },
  Q6_K: { blockWeights: 256, blockBytes: 210 },
  Q8_K: { blockWeights: 256, blockBytes: 292 },
  IQ2_XXS: { blockWeights: 256, blockBytes: 66 },
  IQ2_XS: { blockWeights: 256, blockBytes: 74 },
  IQ3_XXS: { blockWeights: 256, blockBytes: 98 },
  IQ1_S: { blockWeights: 256, blockBytes: 50 },
  IQ4_NL: { blockWeights: 32, blockBytes: 18 },
  IQ3_S: { blockWeights: 256, blockBytes: 110 },
  IQ2_S: { blockWeights: 256, blockBytes: 82 },
  IQ4_XS: { blockWeights: 256, blockBytes: 136 },
  IQ1_M: { blockWeights: 256, blockBytes: 56 },
  TQ1_0: { blockWeights: 256, blockBytes: 54 },
  TQ2_0: { blockWeights: 256, blockBytes: 66 },
  MXFP4: { blockWeights: 32, blockBytes: 17 },
  NVFP4: { blockWeights: 64, blockBytes: 36 },
  Q1_0: { blockWeights: 128, blockBytes: 18 },
  Q2_0: { blockWeights: 64, blockBytes: 18 },
};

/** The name of a type's number; undefined for a number that ggml does not have. */
export function typeNamed(id: number): string | undefined {
  return names[id];
}

/** The name of a type that ggml once had. */
export function removedType(id: number): string | undefined {
  return removed[id];
}
