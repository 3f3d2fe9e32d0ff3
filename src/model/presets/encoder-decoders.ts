import { type Family, family } from './preset.ts';

/** RMS norms, no biases, 32 relative position buckets in each stack. */
const t5Form: Omit<Family, 'paper' | 'counted' | 'head'> = {
  architecture: 'encoder-decoder',
  relativeBuckets: 32,
  headDim: 64,
  norm: 'rms',
  layerNorms: 2,
  finalNorm: true,
};

const t5 = family(
  {
    ...t5Form,
    head: 'tied',
    counted: 'T5ForConditionalGeneration',
    paper: 'Raffel et al. 2020 (arXiv:1910.10683), section 3.7',
  },
  [
    {
      name: 't5-small',
      title: 'T5 small',
      hub: 'google-t5/t5-small',
      vocab: 32128,
      dim: 512,
      layers: 6,
      heads: 8,
      ffn: 2048,
    },
    {
      name: 't5-base',
      title: 'T5 base',
      hub: 'google-t5/t5-base',
      aliases: ['t5'],
      vocab: 32128,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 3072,
    },
    {
      name: 't5-large',
      title: 'T5 large',
      hub: 'google-t5/t5-large',
      vocab: 32128,
      dim: 1024,
      layers: 24,
      heads: 16,
      ffn: 4096,
    },
    {
      name: 't5-3b',
      title: 'T5 3B',
      hub: 'google-t5/t5-3b',
      vocab: 32128,
      dim: 1024,
      layers: 24,
      heads: 32,
      headDim: 128,
      ffn: 16384,
    },
    {
      name: 't5-11b',
      title: 'T5 11B',
      hub: 'google-t5/t5-11b',
      vocab: 32128,
      dim: 1024,
      layers: 24,
      heads: 128,
      headDim: 128,
      ffn: 65536,
    },
  ],
);

/** The 1.1 form: a gated feed-forward part and a head of its own. */
const t5v11 = { ...t5Form, gated: true, head: 'untied' } as const;

const flanT5 = family(
  { ...t5v11, counted: 'T5ForConditionalGeneration', paper: 'Chung et al. 2022 (arXiv:2210.11416)' },
  [
    {
      name: 'flan-t5-small',
      title: 'Flan-T5 and T5 1.1 small',
      hub: 'google/flan-t5-small',
      aliases: ['t5-v1.1-small', 'google/t5-v1_1-small'],
      vocab: 32128,
      dim: 512,
      layers: 8,
      heads: 6,
      ffn: 1024,
    },
    {
      name: 'flan-t5-base',
      title: 'Flan-T5 and T5 1.1 base',
      hub: 'google/flan-t5-base',
      aliases: ['t5-v1.1-base', 'google/t5-v1_1-base'],
      vocab: 32128,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 2048,
    },
    {
      name: 'flan-t5-large',
      title: 'Flan-T5 and T5 1.1 large',
      hub: 'google/flan-t5-large',
      aliases: ['t5-v1.1-large', 'google/t5-v1_1-large'],
      vocab: 32128,
      dim: 1024,
      layers: 24,
      heads: 16,
      ffn: 2816,
    },
    {
      name: 'flan-t5-xl',
      title: 'Flan-T5 and T5 1.1 XL',
      hub: 'google/flan-t5-xl',
      aliases: ['t5-v1.1-xl', 'google/t5-v1_1-xl'],
      vocab: 32128,
      dim: 2048,
      layers: 24,
      heads: 32,
      ffn: 5120,
    },
    {
      name: 'flan-t5-xxl',
      title: 'Flan-T5 and T5 1.1 XXL',
      hub: 'google/flan-t5-xxl',
      aliases: ['t5-v1.1-xxl', 'google/t5-v1_1-xxl'],
      vocab: 32128,
      dim: 4096,
      layers: 24,
      heads: 64,
      ffn: 10240,
    },
  ],
);

const mt5 = family(
  { ...t5v11, counted: 'MT5ForConditionalGeneration', paper: 'Xue et al. 2021 (arXiv:2010.11934)' },
  [
    {
      name: 'mt5-small',
      title: 'mT5 small',
      hub: 'google/mt5-small',
      vocab: 250112,
      dim: 512,
      layers: 8,
      heads: 6,
      ffn: 1024,
    },
    {
      name: 'mt5-base',
      title: 'mT5 base',
      hub: 'google/mt5-base',
      vocab: 250112,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 2048,
    },
    {
      name: 'mt5-large',
      title: 'mT5 large',
      hub: 'google/mt5-large',
      vocab: 250112,
      dim: 1024,
      layers: 24,
      heads: 16,
      ffn: 2816,
    },
    {
      name: 'mt5-xl',
      title: 'mT5 XL',
      hub: 'google/mt5-xl',
      vocab: 250112,
      dim: 2048,
      layers: 24,
      heads: 32,
      ffn: 5120,
    },
    {
      name: 'mt5-xxl',
      title: 'mT5 XXL',
      hub: 'google/mt5-xxl',
      vocab: 250112,
      dim: 4096,
      layers: 24,
      heads: 64,
      ffn: 10240,
    },
  ],
);

const byt5 = family(
  { ...t5v11, counted: 'T5ForConditionalGeneration', paper: 'Xue et al. 2022 (arXiv:2105.13626), table 1' },
  [
    {
      name: 'byt5-small',
      title: 'ByT5 small',
      hub: 'google/byt5-small',
      vocab: 384,
      dim: 1472,
      layers: 12,
      decoderLayers: 4,
      heads: 6,
      ffn: 3584,
    },
    {
      name: 'byt5-base',
      title: 'ByT5 base',
      hub: 'google/byt5-base',
      vocab: 384,
      dim: 1536,
      layers: 18,
      decoderLayers: 6,
      heads: 12,
      ffn: 3968,
    },
  ],
);

/** Position rows: 1024 and the two that BART's offset leaves unused. */
const bartForm: Omit<Family, 'paper' | 'counted'> = {
  architecture: 'encoder-decoder',
  positions: 1026,
  norm: 'layer',
  layerNorms: 2,
  embeddingNorm: true,
  qkvBias: true,
  outBias: true,
  mlpBias: true,
  head: 'tied',
};

const bart = family(
  { ...bartForm, counted: 'BartForConditionalGeneration', paper: 'Lewis et al. 2020 (arXiv:1910.13461)' },
  [
    {
      name: 'bart-base',
      title: 'BART base',
      hub: 'facebook/bart-base',
      vocab: 50265,
      dim: 768,
      layers: 6,
      heads: 12,
      ffn: 3072,
    },
    {
      name: 'bart-large',
      title: 'BART large',
      hub: 'facebook/bart-large',
      vocab: 50265,
      dim: 1024,
      layers: 12,
      heads: 16,
      ffn: 4096,
    },
  ],
);

const mbart = family(
  {
    ...bartForm,
    finalNorm: true,
    counted: 'MBartForConditionalGeneration',
    paper: 'Tang et al. 2020 (arXiv:2008.00401)',
  },
  [
    {
      name: 'mbart-large-50',
      title: 'mBART-50 large',
      hub: 'facebook/mbart-large-50',
      vocab: 250054,
      dim: 1024,
      layers: 12,
      heads: 16,
      ffn: 4096,
    },
  ],
);

export const encoderDecoderPresets = [...t5, ...flanT5, ...mt5, ...byt5, ...bart, ...mbart];
