import type { PresetConfig } from '../command.ts';

/** Parameters by the part of the model that they belong to. A table that two parts share is counted once, as embedding. */
export interface ParameterGroups {
  embedding: number;
  position: number;
  type: number;
  projection: number;
  attention: number;
  mlp: number;
  norms: number;
  head: number;
  /** Pooler, discriminator, text projection, state space. */
  other: number;
}

/** Names of the groups in the order in which they are shown. */
export const groupNames = [
  'embedding',
  'position',
  'type',
  'projection',
  'attention',
  'mlp',
  'norms',
  'head',
  'other',
] as const satisfies readonly (keyof ParameterGroups)[];

export interface ModelCount {
  groups: ParameterGroups;
  total: number;
  /** Parameters that take part for one token: all but the experts that it is not sent to. */
  active: number;
}

/**
 * Parameters of a whole model, from its configuration.
 *
 * Buffers (rotary frequencies, masks, fixed position tables, a router's balancing bias) are no parameters.
 * Source: the modules that the transformers library builds for Preset.counted; each preset is checked against them.
 */
export function countModel(config: PresetConfig): ModelCount {
  const groups = config.architecture === 'encoder-decoder' ? countEncoderDecoder(config) : countStack(config);
  const total = groupNames.reduce((sum, name) => sum + groups[name], 0);
  const idleExperts = (config.experts ?? 0) - (config.activeExperts ?? 0);
  const idle = expertLayers(config) * idleExperts * expertWeights(config);
  return { groups, total, active: total - idle };
}

/** One stack of layers between a table and a head: decoder-only and encoder-only models, with attention or a state space. */
function countStack(config: PresetConfig): ParameterGroups {
  const { vocab, dim, layers } = config;
  const width = config.embeddingDim ?? dim;
  const norm = normWeights(config);
  const distinct = config.sharedLayers ? 1 : layers;
  const denseLayers = config.experts === undefined ? distinct : (config.denseLayers ?? 0);
  const factorized = width !== dim;
  const stateSpace = config.architecture === 'mamba';
  const normed = distinct * config.layerNorms - (config.firstLayerLacksNorms ?? 0);
  return {
    embedding: vocab * width,
    position: (config.positions ?? 0) * (config.positionDim ?? width) + relativeWeights(config),
    type: (config.types ?? 0) * width,
    projection: factorized
      ? width * dim * (config.projectionBack ? 2 : 1) + (config.projectionBias ? dim : 0)
      : 0,
    attention: stateSpace ? 0 : distinct * attentionWeights(config),
    mlp: stateSpace
      ? 0
      : denseLayers * feedForward(config, config.ffn ?? 0) + expertLayers(config) * routedWeights(config),
    norms:
      norm * (dim * normed + (config.embeddingNorm ? width : 0) + (config.finalNorm ? dim : 0)) +
      (config.relativeRows ? norm * dim : 0) +
      distinct * attentionNorms(config),
    head: headWeights(config),
    other:
      (config.pooler ? dim * dim + dim : 0) +
      (config.discriminator ? dim * dim + dim + dim + 1 : 0) +
      dim * (config.textProjection ?? 0) +
      (stateSpace ? layers * stateSpaceWeights(config) : 0),
  };
}

/** Two stacks that share the token table; each has its own positions; a decoder layer has a second attention and its norm. */
function countEncoderDecoder(config: PresetConfig): ParameterGroups {
  const { vocab, dim, layers } = config;
  const decoderLayers = config.decoderLayers ?? layers;
  const outerNorms = (config.embeddingNorm ? 2 : 0) + (config.finalNorm ? 2 : 0);
  const layerNorms = layers * config.layerNorms + decoderLayers * (config.layerNorms + 1);
  return {
    embedding: vocab * dim,
    position: 2 * ((config.positions ?? 0) * dim + relativeWeights(config)),
    type: 0,
    projection: 0,
    attention: (layers + 2 * decoderLayers) * attentionWeights(config),
    mlp: (layers + decoderLayers) * feedForward(config, config.ffn ?? 0),
    norms: normWeights(config) * dim * (outerNorms + layerNorms),
    head: headWeights(config),
    other: 0,
  };
}

/** Weights of one norm per dimension: scale and shift, scale, or none. */
function normWeights(config: PresetConfig): number {
  return { layer: 2, rms: 1, none: 0 }[config.norm];
}

function relativeWeights(config: PresetConfig): number {
  return (config.relativeBuckets ?? 0) * (config.heads ?? 0) + (config.relativeRows ?? 0) * config.dim;
}

function headWeights(config: PresetConfig): number {
  const bias = config.headBias ? config.vocab : 0;
  return (config.head === 'untied' ? config.vocab * config.dim : 0) + bias;
}

/** One attention: queries, keys, values and the way back. Source: Vaswani et al. 2017; Ainslie et al. 2023 for fewer key heads. */
function attentionWeights(config: PresetConfig): number {
  if (config.kvRank !== undefined) return latentAttentionWeights(config, config.kvRank);
  const { dim } = config;
  const heads = config.heads ?? 1;
  const headDim = config.headDim ?? dim / heads;
  const queries = heads * headDim;
  const keys = (config.kvHeads ?? heads) * headDim;
  return (
    dim * (queries + 2 * keys) +
    (config.qkvBias ? queries + 2 * keys : 0) +
    queries * dim +
    (config.outBias ? dim : 0) +
    (config.sinks ? heads : 0)
  );
}

/** Multi-head latent attention. Source: DeepSeek-V2 (arXiv:2405.04434), section 2.1 and appendix C. */
function latentAttentionWeights(config: PresetConfig, kvRank: number): number {
  const { dim, heads = 1, queryRank, nopeDim = 0, ropeDim = 0, valueDim = 0 } = config;
  const queries = heads * (nopeDim + ropeDim);
  const toQueries = queryRank === undefined ? dim * queries : dim * queryRank + queryRank * queries;
  const toKeys = dim * (kvRank + ropeDim) + kvRank * heads * (nopeDim + valueDim);
  return toQueries + toKeys + heads * valueDim * dim;
}

/** Norms inside one attention: of queries and keys, or of the compressed ones. */
function attentionNorms(config: PresetConfig): number {
  if (config.kvRank !== undefined) return (config.queryRank ?? 0) + config.kvRank;
  const heads = config.heads ?? 1;
  const headDim = config.headDim ?? config.dim / heads;
  if (config.qkNorm === 'head') return 2 * headDim;
  if (config.qkNorm === 'all') return (heads + (config.kvHeads ?? heads)) * headDim;
  return 0;
}

/** Matrices in and out (and the gate's) of a feed-forward part of that inner width. */
function feedForward(config: PresetConfig, inner: number): number {
  const into = config.gated ? 2 : 1;
  return (into + 1) * config.dim * inner + (config.mlpBias ? into * inner + config.dim : 0);
}

function expertLayers(config: PresetConfig): number {
  return config.experts === undefined ? 0 : config.layers - (config.denseLayers ?? 0);
}

function expertWeights(config: PresetConfig): number {
  return feedForward(config, config.expertFfn ?? config.ffn ?? 0);
}

/** The feed-forward part of one layer of experts: router, experts, what every token passes, and its gate. */
function routedWeights(config: PresetConfig): number {
  const { dim, experts = 0 } = config;
  const router = dim * experts + (config.routerBias ? experts : 0);
  const shared = config.sharedFfn ? feedForward(config, config.sharedFfn) : 0;
  return router + experts * expertWeights(config) + shared + (config.sharedGate ? dim : 0);
}

/** One Mamba block. Source: Gu & Dao 2023 (arXiv:2312.00752), section 3.4; the step's rank is dim / 16, rounded up. */
function stateSpaceWeights(config: PresetConfig): number {
  const { dim, stateSize = 0, convolution = 0, expansion = 1 } = config;
  const inner = dim * expansion;
  const rank = Math.ceil(dim / 16);
  const intoAndOut = dim * 2 * inner + inner * dim;
  const convolved = inner * convolution + inner;
  const selection = inner * (rank + 2 * stateSize) + rank * inner + inner;
  return intoAndOut + convolved + selection + inner * stateSize + inner;
}
