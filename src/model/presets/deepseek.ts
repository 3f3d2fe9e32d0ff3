import { type Family, family } from './preset.ts';

/** Latent attention, a mixture of experts behind the first layers. The layer that predicts a second token is not counted. */
const latentForm: Omit<Family, 'paper' | 'counted'> = {
  norm: 'rms',
  layerNorms: 2,
  finalNorm: true,
  gated: true,
  kvRank: 512,
  nopeDim: 128,
  ropeDim: 64,
  valueDim: 128,
  head: 'untied',
};

const deepseek2 = family(
  {
    ...latentForm,
    counted: 'DeepseekV2ForCausalLM',
    activeExperts: 6,
    denseLayers: 1,
    paper: 'DeepSeek-AI 2024 (arXiv:2405.04434), section 3.1.2 and appendix B',
  },
  [
    {
      name: 'deepseek-v2-lite',
      title: 'DeepSeek-V2-Lite 16B',
      hub: 'deepseek-ai/DeepSeek-V2-Lite',
      vocab: 102400,
      dim: 2048,
      layers: 27,
      heads: 16,
      ffn: 10944,
      experts: 64,
      expertFfn: 1408,
      sharedFfn: 2816,
    },
    {
      name: 'deepseek-v2',
      title: 'DeepSeek-V2 236B',
      hub: 'deepseek-ai/DeepSeek-V2',
      vocab: 102400,
      dim: 5120,
      layers: 60,
      heads: 128,
      queryRank: 1536,
      ffn: 12288,
      experts: 160,
      expertFfn: 1536,
      sharedFfn: 3072,
    },
  ],
);

const deepseek3 = family(
  {
    ...latentForm,
    counted: 'DeepseekV3ForCausalLM',
    queryRank: 1536,
    activeExperts: 8,
    paper: 'DeepSeek-AI 2024 (arXiv:2412.19437), section 4.2',
  },
  [
    {
      name: 'deepseek-v3',
      title: 'DeepSeek-V3 671B',
      hub: 'deepseek-ai/DeepSeek-V3',
      aliases: ['deepseek-r1', 'deepseek-ai/DeepSeek-R1', 'deepseek-v3.1', 'deepseek-ai/DeepSeek-V3.1'],
      vocab: 129280,
      dim: 7168,
      layers: 61,
      heads: 128,
      denseLayers: 3,
      ffn: 18432,
      experts: 256,
      expertFfn: 2048,
      sharedFfn: 2048,
    },
  ],
);

const kimi = family(
  {
    ...latentForm,
    counted: 'DeepseekV3ForCausalLM',
    queryRank: 1536,
    activeExperts: 8,
    paper: 'Kimi Team 2025 (arXiv:2507.20534), table 2',
  },
  [
    {
      name: 'kimi-k2',
      title: 'Kimi K2 1T',
      hub: 'moonshotai/Kimi-K2-Instruct',
      vocab: 163840,
      dim: 7168,
      layers: 61,
      heads: 64,
      denseLayers: 1,
      ffn: 18432,
      experts: 384,
      expertFfn: 2048,
      sharedFfn: 2048,
    },
  ],
);

export const deepseekPresets = [...deepseek2, ...deepseek3, ...kimi];
