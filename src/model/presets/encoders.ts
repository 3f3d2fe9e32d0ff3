import { type Family, family } from './preset.ts';

/** Learned positions, a norm on the embedding and behind each part, biases everywhere, no head. */
const bertForm: Omit<Family, 'paper' | 'counted'> = {
  positions: 512,
  norm: 'layer',
  layerNorms: 2,
  embeddingNorm: true,
  qkvBias: true,
  outBias: true,
  mlpBias: true,
  head: 'none',
};

const base = { dim: 768, layers: 12, heads: 12, ffn: 3072 } as const;
const large = { dim: 1024, layers: 24, heads: 16, ffn: 4096 } as const;

const bert = family(
  {
    ...bertForm,
    types: 2,
    pooler: true,
    counted: 'BertModel',
    paper: 'Devlin et al. 2019 (arXiv:1810.04805), section 3',
  },
  [
    {
      name: 'bert-base-uncased',
      title: 'BERT base uncased',
      hub: 'google-bert/bert-base-uncased',
      aliases: ['bert-base', 'bert'],
      vocab: 30522,
      ...base,
    },
    {
      name: 'bert-base-cased',
      title: 'BERT base cased',
      hub: 'google-bert/bert-base-cased',
      vocab: 28996,
      ...base,
    },
    {
      name: 'bert-large-uncased',
      title: 'BERT large uncased',
      hub: 'google-bert/bert-large-uncased',
      aliases: ['bert-large'],
      vocab: 30522,
      ...large,
    },
    {
      name: 'bert-large-cased',
      title: 'BERT large cased',
      hub: 'google-bert/bert-large-cased',
      vocab: 28996,
      ...large,
    },
    {
      name: 'bert-base-multilingual-cased',
      title: 'BERT base multilingual cased',
      hub: 'google-bert/bert-base-multilingual-cased',
      aliases: ['mbert'],
      vocab: 119547,
      ...base,
    },
    {
      name: 'bert-base-multilingual-uncased',
      title: 'BERT base multilingual uncased',
      hub: 'google-bert/bert-base-multilingual-uncased',
      vocab: 105879,
      ...base,
    },
    {
      name: 'bert-base-chinese',
      title: 'BERT base Chinese',
      hub: 'google-bert/bert-base-chinese',
      vocab: 21128,
      ...base,
    },
  ],
);

const smallBert = family(
  { ...bertForm, types: 2, pooler: true, counted: 'BertModel', paper: 'Turc et al. 2019 (arXiv:1908.08962)' },
  [
    {
      name: 'bert-tiny',
      title: 'BERT tiny',
      hub: 'google/bert_uncased_L-2_H-128_A-2',
      vocab: 30522,
      dim: 128,
      layers: 2,
      heads: 2,
      ffn: 512,
    },
    {
      name: 'bert-mini',
      title: 'BERT mini',
      hub: 'google/bert_uncased_L-4_H-256_A-4',
      vocab: 30522,
      dim: 256,
      layers: 4,
      heads: 4,
      ffn: 1024,
    },
    {
      name: 'bert-small',
      title: 'BERT small',
      hub: 'google/bert_uncased_L-4_H-512_A-8',
      vocab: 30522,
      dim: 512,
      layers: 4,
      heads: 8,
      ffn: 2048,
    },
    {
      name: 'bert-medium',
      title: 'BERT medium',
      hub: 'google/bert_uncased_L-8_H-512_A-8',
      vocab: 30522,
      dim: 512,
      layers: 8,
      heads: 8,
      ffn: 2048,
    },
  ],
);

const sentenceBert = [
  ...family(
    {
      ...bertForm,
      types: 2,
      pooler: true,
      counted: 'BertModel',
      paper: 'Wang et al. 2020 (arXiv:2002.10957)',
    },
    [
      {
        name: 'all-minilm-l6-v2',
        title: 'all-MiniLM-L6-v2',
        hub: 'sentence-transformers/all-MiniLM-L6-v2',
        aliases: ['minilm'],
        vocab: 30522,
        dim: 384,
        layers: 6,
        heads: 12,
        ffn: 1536,
      },
    ],
  ),
  ...family(
    {
      ...bertForm,
      types: 2,
      pooler: true,
      counted: 'BertModel',
      paper: 'Xiao et al. 2023 (arXiv:2309.07597)',
    },
    [
      {
        name: 'bge-small-en-v1.5',
        title: 'BGE small English v1.5',
        hub: 'BAAI/bge-small-en-v1.5',
        vocab: 30522,
        dim: 384,
        layers: 12,
        heads: 12,
        ffn: 1536,
      },
    ],
  ),
  ...family(
    {
      ...bertForm,
      positions: 514,
      relativeBuckets: 32,
      pooler: true,
      counted: 'MPNetModel',
      paper: 'Song et al. 2020 (arXiv:2004.09297)',
    },
    [
      {
        name: 'all-mpnet-base-v2',
        title: 'all-mpnet-base-v2',
        hub: 'sentence-transformers/all-mpnet-base-v2',
        aliases: ['mpnet-base', 'microsoft/mpnet-base'],
        vocab: 30527,
        ...base,
      },
    ],
  ),
];

/** Position rows: 512 and the two below the padding id that are never read. */
const robertaForm = { ...bertForm, positions: 514, types: 1, pooler: true } as const;

const roberta = family(
  { ...robertaForm, counted: 'RobertaModel', paper: 'Liu et al. 2019 (arXiv:1907.11692), table 9' },
  [
    {
      name: 'roberta-base',
      title: 'RoBERTa base',
      hub: 'FacebookAI/roberta-base',
      aliases: ['roberta'],
      vocab: 50265,
      ...base,
    },
    {
      name: 'roberta-large',
      title: 'RoBERTa large',
      hub: 'FacebookAI/roberta-large',
      vocab: 50265,
      ...large,
    },
    {
      name: 'distilroberta-base',
      title: 'DistilRoBERTa base',
      hub: 'distilbert/distilroberta-base',
      aliases: ['distilroberta'],
      vocab: 50265,
      ...base,
      layers: 6,
    },
  ],
);

const xlmRoberta = family(
  { ...robertaForm, counted: 'XLMRobertaModel', paper: 'Conneau et al. 2020 (arXiv:1911.02116)' },
  [
    {
      name: 'xlm-roberta-base',
      title: 'XLM-R base',
      hub: 'FacebookAI/xlm-roberta-base',
      aliases: ['xlm-r-base'],
      vocab: 250002,
      ...base,
    },
    {
      name: 'xlm-roberta-large',
      title: 'XLM-R large',
      hub: 'FacebookAI/xlm-roberta-large',
      aliases: ['xlm-r-large'],
      vocab: 250002,
      ...large,
    },
  ],
);

const distilbert = family(
  { ...bertForm, counted: 'DistilBertModel', paper: 'Sanh et al. 2019 (arXiv:1910.01108)' },
  [
    {
      name: 'distilbert-base-uncased',
      title: 'DistilBERT base uncased',
      hub: 'distilbert/distilbert-base-uncased',
      aliases: ['distilbert', 'distilbert-base'],
      vocab: 30522,
      ...base,
      layers: 6,
    },
    {
      name: 'distilbert-base-cased',
      title: 'DistilBERT base cased',
      hub: 'distilbert/distilbert-base-cased',
      vocab: 28996,
      ...base,
      layers: 6,
    },
    {
      name: 'distilbert-base-multilingual-cased',
      title: 'DistilBERT base multilingual cased',
      hub: 'distilbert/distilbert-base-multilingual-cased',
      vocab: 119547,
      ...base,
      layers: 6,
    },
  ],
);

/** A table of 128 columns, projected to dim, and one layer that is run many times. */
const albert = family(
  {
    ...bertForm,
    types: 2,
    pooler: true,
    embeddingDim: 128,
    projectionBias: true,
    sharedLayers: true,
    counted: 'AlbertModel',
    paper: 'Lan et al. 2020 (arXiv:1909.11942), table 1',
  },
  [
    {
      name: 'albert-base-v2',
      title: 'ALBERT base v2',
      hub: 'albert/albert-base-v2',
      aliases: ['albert', 'albert-base'],
      vocab: 30000,
      ...base,
    },
    {
      name: 'albert-large-v2',
      title: 'ALBERT large v2',
      hub: 'albert/albert-large-v2',
      aliases: ['albert-large'],
      vocab: 30000,
      ...large,
    },
    {
      name: 'albert-xlarge-v2',
      title: 'ALBERT xlarge v2',
      hub: 'albert/albert-xlarge-v2',
      aliases: ['albert-xlarge'],
      vocab: 30000,
      dim: 2048,
      layers: 24,
      heads: 16,
      ffn: 8192,
    },
    {
      name: 'albert-xxlarge-v2',
      title: 'ALBERT xxlarge v2',
      hub: 'albert/albert-xxlarge-v2',
      aliases: ['albert-xxlarge'],
      vocab: 30000,
      dim: 4096,
      layers: 12,
      heads: 64,
      ffn: 16384,
    },
  ],
);

const electra = family(
  {
    ...bertForm,
    types: 2,
    discriminator: true,
    counted: 'ElectraForPreTraining',
    paper: 'Clark et al. 2020 (arXiv:2003.10555), table 6',
  },
  [
    {
      name: 'electra-small',
      title: 'ELECTRA small discriminator',
      hub: 'google/electra-small-discriminator',
      vocab: 30522,
      embeddingDim: 128,
      projectionBias: true,
      dim: 256,
      layers: 12,
      heads: 4,
      ffn: 1024,
    },
    {
      name: 'electra-base',
      title: 'ELECTRA base discriminator',
      hub: 'google/electra-base-discriminator',
      vocab: 30522,
      ...base,
    },
    {
      name: 'electra-large',
      title: 'ELECTRA large discriminator',
      hub: 'google/electra-large-discriminator',
      vocab: 30522,
      ...large,
    },
  ],
);

/** Positions are relative: 2 x 256 vectors that keys and queries share their matrices with. */
const deberta = family(
  {
    ...bertForm,
    positions: 0,
    relativeRows: 512,
    counted: 'DebertaV2Model',
    paper: 'He et al. 2021 (arXiv:2111.09543)',
  },
  [
    {
      name: 'deberta-v3-xsmall',
      title: 'DeBERTa v3 xsmall',
      hub: 'microsoft/deberta-v3-xsmall',
      vocab: 128100,
      dim: 384,
      layers: 12,
      heads: 6,
      ffn: 1536,
    },
    {
      name: 'deberta-v3-small',
      title: 'DeBERTa v3 small',
      hub: 'microsoft/deberta-v3-small',
      vocab: 128100,
      ...base,
      layers: 6,
    },
    {
      name: 'deberta-v3-base',
      title: 'DeBERTa v3 base',
      hub: 'microsoft/deberta-v3-base',
      vocab: 128100,
      ...base,
    },
    {
      name: 'deberta-v3-large',
      title: 'DeBERTa v3 large',
      hub: 'microsoft/deberta-v3-large',
      vocab: 128100,
      ...large,
    },
    {
      name: 'mdeberta-v3-base',
      title: 'mDeBERTa v3 base',
      hub: 'microsoft/mdeberta-v3-base',
      vocab: 251000,
      ...base,
    },
  ],
);

/** No biases, no shift in the norms, and no norm before the first attention, where the embedding's stands. */
const modernBert = family(
  {
    norm: 'rms',
    layerNorms: 2,
    firstLayerLacksNorms: 1,
    embeddingNorm: true,
    finalNorm: true,
    gated: true,
    head: 'none',
    counted: 'ModernBertModel',
    paper: 'Warner et al. 2024 (arXiv:2412.13663), table 3',
  },
  [
    {
      name: 'modernbert-base',
      title: 'ModernBERT base',
      hub: 'answerdotai/ModernBERT-base',
      vocab: 50368,
      dim: 768,
      layers: 22,
      heads: 12,
      ffn: 1152,
    },
    {
      name: 'modernbert-large',
      title: 'ModernBERT large',
      hub: 'answerdotai/ModernBERT-large',
      vocab: 50368,
      dim: 1024,
      layers: 28,
      heads: 16,
      ffn: 2624,
    },
  ],
);

const clipText = family(
  {
    positions: 77,
    norm: 'layer',
    layerNorms: 2,
    finalNorm: true,
    qkvBias: true,
    outBias: true,
    mlpBias: true,
    head: 'none',
    counted: 'CLIPTextModelWithProjection',
    paper: 'Radford et al. 2021 (arXiv:2103.00020), table 20',
  },
  [
    {
      name: 'clip-vit-base-patch32-text',
      title: 'CLIP ViT-B/32, text part',
      hub: 'openai/clip-vit-base-patch32',
      aliases: ['clip-vit-b-32-text', 'openai/clip-vit-base-patch16'],
      vocab: 49408,
      dim: 512,
      layers: 12,
      heads: 8,
      ffn: 2048,
      textProjection: 512,
    },
    {
      name: 'clip-vit-large-patch14-text',
      title: 'CLIP ViT-L/14, text part',
      hub: 'openai/clip-vit-large-patch14',
      aliases: ['clip-vit-l-14-text'],
      vocab: 49408,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 3072,
      textProjection: 768,
    },
  ],
);

export const encoderPresets = [
  ...bert,
  ...smallBert,
  ...sentenceBert,
  ...roberta,
  ...xlmRoberta,
  ...distilbert,
  ...albert,
  ...electra,
  ...deberta,
  ...modernBert,
  ...clipText,
];
