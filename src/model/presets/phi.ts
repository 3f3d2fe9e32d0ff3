import { family } from './preset.ts';

/** One layer norm per layer, biases everywhere, on the head too. */
const phi = family(
  {
    norm: 'layer',
    layerNorms: 1,
    finalNorm: true,
    qkvBias: true,
    outBias: true,
    mlpBias: true,
    head: 'untied',
    headBias: true,
    counted: 'PhiForCausalLM',
    paper: 'Li et al. 2023 (arXiv:2309.05463)',
  },
  [
    {
      name: 'phi-1.5',
      title: 'Phi-1.5 1.4B',
      hub: 'microsoft/phi-1_5',
      aliases: ['phi-1', 'microsoft/phi-1'],
      vocab: 51200,
      dim: 2048,
      layers: 24,
      heads: 32,
      ffn: 8192,
    },
    {
      name: 'phi-2',
      title: 'Phi-2 2.8B',
      hub: 'microsoft/phi-2',
      vocab: 51200,
      dim: 2560,
      layers: 32,
      heads: 32,
      ffn: 10240,
    },
  ],
);

const phi3Form = {
  norm: 'rms',
  layerNorms: 2,
  finalNorm: true,
  gated: true,
  head: 'untied',
  counted: 'Phi3ForCausalLM',
} as const;

const phi3 = family({ ...phi3Form, paper: 'Abdin et al. 2024 (arXiv:2404.14219), section 2' }, [
  {
    name: 'phi-3-mini',
    title: 'Phi-3 mini 3.8B',
    hub: 'microsoft/Phi-3-mini-4k-instruct',
    aliases: ['phi-3.5-mini', 'microsoft/Phi-3.5-mini-instruct', 'microsoft/Phi-3-mini-128k-instruct'],
    vocab: 32064,
    dim: 3072,
    layers: 32,
    heads: 32,
    ffn: 8192,
  },
  {
    name: 'phi-3-medium',
    title: 'Phi-3 medium 14B',
    hub: 'microsoft/Phi-3-medium-4k-instruct',
    vocab: 32064,
    dim: 5120,
    layers: 40,
    heads: 40,
    kvHeads: 10,
    ffn: 17920,
  },
]);

const phi4 = family({ ...phi3Form, paper: 'Abdin et al. 2024 (arXiv:2412.08905)' }, [
  {
    name: 'phi-4',
    title: 'Phi-4 14.7B',
    hub: 'microsoft/phi-4',
    vocab: 100352,
    dim: 5120,
    layers: 40,
    heads: 40,
    kvHeads: 10,
    ffn: 17920,
  },
]);

const phi4Mini = family({ ...phi3Form, paper: 'Abouelenin et al. 2025 (arXiv:2503.01743)' }, [
  {
    name: 'phi-4-mini',
    title: 'Phi-4 mini 3.8B',
    hub: 'microsoft/Phi-4-mini-instruct',
    vocab: 200064,
    dim: 3072,
    layers: 32,
    heads: 24,
    kvHeads: 8,
    ffn: 8192,
    head: 'tied',
  },
]);

const phiMoe = family(
  {
    norm: 'layer',
    layerNorms: 2,
    finalNorm: true,
    qkvBias: true,
    outBias: true,
    gated: true,
    head: 'untied',
    headBias: true,
    counted: 'PhimoeForCausalLM',
    paper: 'Abdin et al. 2024 (arXiv:2404.14219), section 2',
  },
  [
    {
      name: 'phi-3.5-moe',
      title: 'Phi-3.5 MoE 42B',
      hub: 'microsoft/Phi-3.5-MoE-instruct',
      vocab: 32064,
      dim: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      experts: 16,
      activeExperts: 2,
      ffn: 6400,
    },
  ],
);

export const phiPresets = [...phi, ...phi3, ...phi4, ...phi4Mini, ...phiMoe];
