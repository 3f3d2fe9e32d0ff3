import { type Family, family } from './preset.ts';

/** Learned positions, layer norms, biases everywhere, a tied head. */
const gpt2Form: Omit<Family, 'paper' | 'counted'> = {
  norm: 'layer',
  layerNorms: 2,
  finalNorm: true,
  qkvBias: true,
  outBias: true,
  mlpBias: true,
  head: 'tied',
};

const gpt1 = family(
  {
    ...gpt2Form,
    finalNorm: false,
    counted: 'OpenAIGPTLMHeadModel',
    paper: 'Radford et al. 2018, section 4.1',
  },
  [
    {
      name: 'gpt1',
      title: 'GPT-1, 117M',
      hub: 'openai-community/openai-gpt',
      aliases: ['gpt-1', 'openai-gpt', 'gpt'],
      vocab: 40478,
      positions: 512,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 3072,
    },
  ],
);

const gpt2 = family(
  {
    ...gpt2Form,
    positions: 1024,
    encoding: 'gpt2',
    counted: 'GPT2LMHeadModel',
    paper: 'Radford et al. 2019, table 2',
  },
  [
    {
      name: 'gpt2',
      title: 'GPT-2 small, 124M',
      hub: 'openai-community/gpt2',
      aliases: ['gpt2-small', 'gpt-2'],
      vocab: 50257,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 3072,
    },
    {
      name: 'gpt2-medium',
      title: 'GPT-2 medium, 355M',
      hub: 'openai-community/gpt2-medium',
      vocab: 50257,
      dim: 1024,
      layers: 24,
      heads: 16,
      ffn: 4096,
    },
    {
      name: 'gpt2-large',
      title: 'GPT-2 large, 774M',
      hub: 'openai-community/gpt2-large',
      vocab: 50257,
      dim: 1280,
      layers: 36,
      heads: 20,
      ffn: 5120,
    },
    {
      name: 'gpt2-xl',
      title: 'GPT-2 XL, 1.5B',
      hub: 'openai-community/gpt2-xl',
      vocab: 50257,
      dim: 1600,
      layers: 48,
      heads: 25,
      ffn: 6400,
    },
    {
      name: 'distilgpt2',
      title: 'DistilGPT2, 82M',
      hub: 'distilbert/distilgpt2',
      vocab: 50257,
      dim: 768,
      layers: 6,
      heads: 12,
      ffn: 3072,
    },
  ],
);

/**
 * Counted as GPT-2 with 2048 positions, which gives the totals that table D.1 prints (125, 356, 760, 1,320, 2,650, 6,660, 12,850 and
 * 174,600 million). Table 2.1 rounds them, and prints a dim of 5140 for 13B where 40 heads of 128 are 5120, as table D.1's total wants.
 */
const gpt3 = family(
  {
    ...gpt2Form,
    positions: 2048,
    encoding: 'r50k_base',
    counted: 'GPT2LMHeadModel',
    paper: 'Brown et al. 2020 (arXiv:2005.14165), tables 2.1 and D.1',
  },
  [
    {
      name: 'gpt3-small',
      title: 'GPT-3 Small, 125M',
      aliases: ['gpt3-125m'],
      vocab: 50257,
      dim: 768,
      layers: 12,
      heads: 12,
      ffn: 3072,
    },
    {
      name: 'gpt3-medium',
      title: 'GPT-3 Medium, 350M',
      aliases: ['gpt3-350m'],
      vocab: 50257,
      dim: 1024,
      layers: 24,
      heads: 16,
      ffn: 4096,
    },
    {
      name: 'gpt3-large',
      title: 'GPT-3 Large, 760M',
      aliases: ['gpt3-760m'],
      vocab: 50257,
      dim: 1536,
      layers: 24,
      heads: 16,
      ffn: 6144,
    },
    {
      name: 'gpt3-xl',
      title: 'GPT-3 XL, 1.3B',
      aliases: ['gpt3-1.3b'],
      vocab: 50257,
      dim: 2048,
      layers: 24,
      heads: 16,
      ffn: 8192,
    },
    { name: 'gpt3-2.7b', title: 'GPT-3 2.7B', vocab: 50257, dim: 2560, layers: 32, heads: 32, ffn: 10240 },
    { name: 'gpt3-6.7b', title: 'GPT-3 6.7B', vocab: 50257, dim: 4096, layers: 32, heads: 32, ffn: 16384 },
    { name: 'gpt3-13b', title: 'GPT-3 13B', vocab: 50257, dim: 5120, layers: 40, heads: 40, ffn: 20480 },
    {
      name: 'gpt3',
      title: 'GPT-3 175B',
      aliases: ['gpt-3', 'gpt3-175b'],
      vocab: 50257,
      dim: 12288,
      layers: 96,
      heads: 96,
      ffn: 49152,
    },
  ],
);

const gptOss = family(
  {
    norm: 'rms',
    layerNorms: 2,
    finalNorm: true,
    qkvBias: true,
    outBias: true,
    gated: true,
    mlpBias: true,
    routerBias: true,
    sinks: true,
    head: 'untied',
    encoding: 'o200k_harmony',
    counted: 'GptOssForCausalLM',
    paper: 'OpenAI 2025 (arXiv:2508.10925), table 1',
  },
  [
    {
      name: 'gpt-oss-20b',
      title: 'gpt-oss-20b',
      hub: 'openai/gpt-oss-20b',
      vocab: 201088,
      dim: 2880,
      layers: 24,
      heads: 64,
      kvHeads: 8,
      headDim: 64,
      experts: 32,
      activeExperts: 4,
      ffn: 2880,
    },
    {
      name: 'gpt-oss-120b',
      title: 'gpt-oss-120b',
      hub: 'openai/gpt-oss-120b',
      vocab: 201088,
      dim: 2880,
      layers: 36,
      heads: 64,
      kvHeads: 8,
      headDim: 64,
      experts: 128,
      activeExperts: 4,
      ffn: 2880,
    },
  ],
);

export const gptPresets = [...gpt1, ...gpt2, ...gpt3, ...gptOss];
