import { family } from './preset.ts';

/** Its layer norms have neither scale nor shift. */
const olmo1 = family(
  {
    norm: 'none',
    layerNorms: 2,
    finalNorm: true,
    gated: true,
    head: 'untied',
    counted: 'OlmoForCausalLM',
    paper: 'Groeneveld et al. 2024 (arXiv:2402.00838), table 1',
  },
  [
    {
      name: 'olmo-1b',
      title: 'OLMo 1B',
      hub: 'allenai/OLMo-1B-hf',
      vocab: 50304,
      dim: 2048,
      layers: 16,
      heads: 16,
      ffn: 8192,
      head: 'tied',
    },
    {
      name: 'olmo-7b',
      title: 'OLMo 7B',
      hub: 'allenai/OLMo-7B-hf',
      vocab: 50304,
      dim: 4096,
      layers: 32,
      heads: 32,
      ffn: 11008,
    },
  ],
);

const olmo2 = family(
  {
    norm: 'rms',
    layerNorms: 2,
    finalNorm: true,
    gated: true,
    qkNorm: 'all',
    head: 'untied',
    counted: 'Olmo2ForCausalLM',
    paper: 'OLMo Team 2025 (arXiv:2501.00656)',
  },
  [
    {
      name: 'olmo-2-1b',
      title: 'OLMo 2 1B',
      hub: 'allenai/OLMo-2-0425-1B',
      vocab: 100352,
      dim: 2048,
      layers: 16,
      heads: 16,
      ffn: 8192,
    },
    {
      name: 'olmo-2-7b',
      title: 'OLMo 2 7B',
      hub: 'allenai/OLMo-2-1124-7B',
      vocab: 100352,
      dim: 4096,
      layers: 32,
      heads: 32,
      ffn: 11008,
    },
    {
      name: 'olmo-2-13b',
      title: 'OLMo 2 13B',
      hub: 'allenai/OLMo-2-1124-13B',
      vocab: 100352,
      dim: 5120,
      layers: 40,
      heads: 40,
      ffn: 13824,
    },
    {
      name: 'olmo-2-32b',
      title: 'OLMo 2 32B',
      hub: 'allenai/OLMo-2-0325-32B',
      vocab: 100352,
      dim: 5120,
      layers: 64,
      heads: 40,
      kvHeads: 8,
      ffn: 27648,
    },
  ],
);

const olmoe = family(
  {
    norm: 'rms',
    layerNorms: 2,
    finalNorm: true,
    gated: true,
    qkNorm: 'all',
    head: 'untied',
    counted: 'OlmoeForCausalLM',
    paper: 'Muennighoff et al. 2024 (arXiv:2409.02060)',
  },
  [
    {
      name: 'olmoe-1b-7b',
      title: 'OLMoE 1B-7B',
      hub: 'allenai/OLMoE-1B-7B-0924',
      vocab: 50304,
      dim: 2048,
      layers: 16,
      heads: 16,
      experts: 64,
      activeExperts: 8,
      ffn: 1024,
    },
  ],
);

export const olmoPresets = [...olmo1, ...olmo2, ...olmoe];
