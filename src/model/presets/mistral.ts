import { type Family, family } from './preset.ts';

const mistralForm: Omit<Family, 'paper' | 'counted'> = {
  norm: 'rms',
  layerNorms: 2,
  finalNorm: true,
  gated: true,
  head: 'untied',
};

const mistral = family(
  { ...mistralForm, counted: 'MistralForCausalLM', paper: 'Jiang et al. 2023 (arXiv:2310.06825), table 1' },
  [
    {
      name: 'mistral-7b',
      title: 'Mistral 7B v0.1',
      hub: 'mistralai/Mistral-7B-v0.1',
      aliases: ['mistral-7b-v0.1', 'mistralai/Mistral-7B-Instruct-v0.2'],
      vocab: 32000,
      dim: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      ffn: 14336,
    },
    {
      name: 'mistral-7b-v0.3',
      title: 'Mistral 7B v0.3',
      hub: 'mistralai/Mistral-7B-v0.3',
      vocab: 32768,
      dim: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      ffn: 14336,
    },
  ],
);

const laterMistral = family(
  { ...mistralForm, counted: 'MistralForCausalLM', paper: 'Mistral AI 2024 - 2025' },
  [
    {
      name: 'mistral-nemo',
      title: 'Mistral NeMo 12B',
      hub: 'mistralai/Mistral-Nemo-Base-2407',
      aliases: ['mistral-nemo-12b'],
      vocab: 131072,
      dim: 5120,
      layers: 40,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      ffn: 14336,
    },
    {
      name: 'mistral-small-22b',
      title: 'Mistral Small 22B (2409)',
      hub: 'mistralai/Mistral-Small-Instruct-2409',
      vocab: 32768,
      dim: 6144,
      layers: 56,
      heads: 48,
      kvHeads: 8,
      ffn: 16384,
    },
    {
      name: 'mistral-small-24b',
      title: 'Mistral Small 24B (2501)',
      hub: 'mistralai/Mistral-Small-24B-Base-2501',
      vocab: 131072,
      dim: 5120,
      layers: 40,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      ffn: 32768,
    },
    {
      name: 'mistral-large',
      title: 'Mistral Large 123B (2407)',
      hub: 'mistralai/Mistral-Large-Instruct-2407',
      aliases: ['mistral-large-2407'],
      vocab: 32768,
      dim: 12288,
      layers: 88,
      heads: 96,
      kvHeads: 8,
      ffn: 28672,
    },
  ],
);

const mixtral = family(
  {
    ...mistralForm,
    counted: 'MixtralForCausalLM',
    experts: 8,
    activeExperts: 2,
    paper: 'Jiang et al. 2024 (arXiv:2401.04088), table 1',
  },
  [
    {
      name: 'mixtral-8x7b',
      title: 'Mixtral 8x7B',
      hub: 'mistralai/Mixtral-8x7B-v0.1',
      vocab: 32000,
      dim: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      ffn: 14336,
    },
    {
      name: 'mixtral-8x22b',
      title: 'Mixtral 8x22B v0.3',
      hub: 'mistralai/Mixtral-8x22B-Instruct-v0.1',
      vocab: 32768,
      dim: 6144,
      layers: 56,
      heads: 48,
      kvHeads: 8,
      ffn: 16384,
    },
  ],
);

export const mistralPresets = [...mistral, ...laterMistral, ...mixtral];
