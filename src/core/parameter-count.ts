/** What a layer that is counted by hand is made of. Counts are whole numbers, at least 0. */
export interface LayerSizes {
  vocab: number;
  dim: number;
  /** Width of the token table when it is factorized: V x E + E x D instead of V x D. */
  factorized?: number;
  /** Rows of the learned position table. */
  positions?: number;
  /** Rows of the token type table. */
  types?: number;
  /** True: the output head has a table of its own. */
  untied?: boolean;
}

/** Parameters of an embedding layer, part by part; exact, whatever the sizes. */
export interface LayerCount {
  embedding: bigint;
  position: bigint;
  type: bigint;
  projection: bigint;
  head: bigint;
  total: bigint;
}

/**
 * Parameters of an embedding layer and what surrounds it.
 *
 * Factorized, positions and types are as wide as the token table (E), and an untied head has factors of its own (D x E and E x V).
 * No biases are counted.
 * Source: Lan et al. 2020, "ALBERT", section 3.1 (V x E + E x H).
 */
export function countLayer(sizes: LayerSizes): LayerCount {
  const vocab = BigInt(sizes.vocab);
  const dim = BigInt(sizes.dim);
  const width = sizes.factorized === undefined ? dim : BigInt(sizes.factorized);
  const embedding = vocab * width;
  const position = BigInt(sizes.positions ?? 0) * width;
  const type = BigInt(sizes.types ?? 0) * width;
  const projection = sizes.factorized === undefined ? 0n : width * dim;
  const head = sizes.untied ? embedding + projection : 0n;
  return {
    embedding,
    position,
    type,
    projection,
    head,
    total: embedding + position + type + projection + head,
  };
}

/**
 * The largest dim whose layer has at most `budget` parameters; 0 when not even one column fits.
 *
 * The count grows by the same number with every column, so that one division finds it. sizes.dim is not read.
 */
export function fitDim(budget: number, sizes: Omit<LayerSizes, 'dim'>): bigint {
  const fixed = sizes.factorized === undefined ? 0n : countLayer({ ...sizes, dim: 0 }).total;
  const perColumn = countLayer({ ...sizes, dim: 1 }).total - fixed;
  const left = BigInt(budget) - fixed;
  return left < 0n ? 0n : left / perColumn;
}

/** What parameters weigh, stored and trained. Units: bytes. */
export interface ParameterBytes {
  f32: bigint;
  /** Also bf16. */
  f16: bigint;
  /** Also f8; without scales. */
  int8: bigint;
  /** Blocks of 32 weights in 18 bytes: 4.5 bits each. */
  q4: bigint;
  /** float32 gradients. */
  gradients: bigint;
  /** Adam's two moments in float32. */
  adam: bigint;
  /** float32 weights, gradients and both moments. */
  training: bigint;
}

/**
 * Bytes of that many parameters in each dtype, and what training adds.
 *
 * Source: ggml's block_q4_0 (a float16 scale and 32 x 4 bits); Kingma & Ba 2015, algorithm 1 (first and second moment per parameter).
 */
export function weighParameters(count: bigint): ParameterBytes {
  return {
    f32: count * 4n,
    f16: count * 2n,
    int8: count,
    q4: ((count + 31n) / 32n) * 18n,
    gradients: count * 4n,
    adam: count * 8n,
    training: count * 16n,
  };
}
