import type { Config, ModelLayout, PositionLayout } from '../types.ts';

/** Where multimodal configs keep the part that reads text. */
const textParts = [
  'text_config',
  'language_config',
  'llm_config',
  'thinker_config',
  'text_model_config',
  'decoder',
  'encoder',
];

/** The width of the table first: ALBERT, ELECTRA and OPT-350m embed narrower than their hidden size. */
const dimKeys = [
  'embedding_size',
  'word_embed_proj_dim',
  'n_embd',
  'hidden_size',
  'd_model',
  'emb_dim',
  'emb_size',
  'n_embed',
  'dim',
  'model_dim',
  'hidden_dim',
];
const vocabKeys = ['vocab_size', 'n_vocab', 'n_words', 'padded_vocab_size'];
const positionKeys = [
  'n_positions',
  'max_position_embeddings',
  'n_ctx',
  'max_seq_len',
  'max_sequence_length',
  'seq_length',
];
const typeKeys = ['type_vocab_size', 'segment_types'];
const paddingKeys = ['pad_token_id', 'padding_idx', 'pad_index'];
const rotaryKeys = [
  'rope_theta',
  'rope_parameters',
  'rope_scaling',
  'rotary_emb_base',
  'rotary_pct',
  'rotary_dim',
  'rotary',
];

function families(names: string): Set<string> {
  return new Set(names.split(' '));
}

/**
 * Families whose config does not say how positions enter.
 * Source: the modeling_*.py of each family in huggingface/transformers 5.23.
 */
const learned = families(
  'gpt2 gpt_neo gpt_bigcode openai-gpt imagegpt bert albert electra mobilebert convbert big_bird megatron-bert rembert ernie tapas ' +
    'layoutlm layoutlmv2 visual_bert squeezebert splinter yoso mra nystromformer fnet canine bert-generation roc_bert lxmert ' +
    'distilbert clip clip_text_model siglip siglip_text_model siglip2 chinese_clip owlvit owlv2 x_clip groupvit align git blip ' +
    'blenderbot blenderbot-small led bigbird_pegasus whisper xlm flaubert prophetnet bark clvp vilt bros',
);
/** Rows 0 and 1 of the position table are not used: BartLearnedPositionalEmbedding, OPTLearnedPositionalEmbedding. */
const learnedFromTwo = families('opt bart mbart plbart mvp biogpt trocr florence2');
/** create_position_ids_from_input_ids: positions begin at padding id + 1. */
const learnedFromPadding = families(
  'roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl camembert xmod longformer mpnet luke mluke lilt markuplm layoutlmv3 ' +
    'ibert data2vec-text altclip bridgetower clap esm',
);
const sinusoidal: Record<string, PositionLayout['form']> = {
  pegasus: 'halves',
  marian: 'halves',
  roformer: 'halves',
  ctrl: 'halves',
  m2m_100: 'tensor2tensor',
  xglm: 'tensor2tensor',
  'nllb-moe': 'tensor2tensor',
  speech_to_text: 'tensor2tensor',
  fsmt: 'tensor2tensor',
  musicgen: 'tensor2tensor',
  'kosmos-2': 'tensor2tensor',
  seamless_m4t: 'tensor2tensor',
  seamless_m4t_v2: 'tensor2tensor',
};
const alibi = families('bloom mpt');
const relative = families(
  't5 mt5 umt5 longt5 switch_transformers udop pop2piano pix2struct xlnet deberta-v2 cpmant transfo-xl',
);
const without = families('mamba mamba2 falcon_mamba rwkv xlstm jamba');

/**
 * What config.json says about the embedding layer, under the many names that families use.
 *
 * Every value is checked; what is missing or no sensible number is null, never a guess.
 * @param config parsed config.json, {} when there is none
 */
export function readLayout(config: Config): ModelLayout {
  const parts = textConfigs(config);
  const architecture = architectureOf(config);
  return {
    architecture,
    dim: firstCount(parts, dimKeys),
    vocab: firstCount(parts, vocabKeys),
    positions: positionsOf(parts, architectureNames(parts)),
    types: firstCount(parts, typeKeys),
    tied: first(parts, ['tie_word_embeddings'], (value) => (typeof value === 'boolean' ? value : null)),
    paddingId: firstCount(parts, paddingKeys),
    scale: scaleOf(parts, architectureNames(parts)),
  };
}

/** The config itself and its parts that read text, outermost first. */
function textConfigs(config: Config): Config[] {
  const found = [config];
  // Two steps down is as deep as any published config goes (thinker_config.text_config).
  for (let depth = 0; depth < 2; depth++) {
    const inner = found[found.length - 1];
    const part = textParts.map((key) => inner[key]).find((value) => isConfig(value));
    if (part === undefined) break;
    found.push(part as Config);
  }
  return found;
}

function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function architectureOf(config: Config): string | null {
  const { model_type: type, architectures } = config;
  if (typeof type === 'string' && type !== '') return type;
  const named = Array.isArray(architectures) ? architectures[0] : undefined;
  return typeof named === 'string' ? named : null;
}

/** The model types of all parts. */
function architectureNames(parts: readonly Config[]): string[] {
  return parts.map(architectureOf).filter((name) => name !== null);
}

function first<T>(
  parts: readonly Config[],
  keys: readonly string[],
  read: (value: unknown) => T | null,
): T | null {
  for (const part of parts) {
    for (const key of keys) {
      const value = Object.hasOwn(part, key) ? read(part[key]) : null;
      if (value !== null) return value;
    }
  }
  return null;
}

function firstCount(parts: readonly Config[], keys: readonly string[]): number | null {
  return first(parts, keys, (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null,
  );
}

function firstNumber(parts: readonly Config[], keys: readonly string[]): number | null {
  return first(parts, keys, (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null));
}

function isSet(parts: readonly Config[], key: string): boolean {
  return first(parts, [key], (value) => (value === true ? true : null)) === true;
}

function positionsOf(parts: readonly Config[], names: readonly string[]): PositionLayout {
  const max = firstCount(parts, positionKeys);
  const padding = firstCount(parts, paddingKeys);
  const isOneOf = (set: Set<string>) => names.some((name) => set.has(name));
  const type = first(parts, ['position_embedding_type'], (value) =>
    typeof value === 'string' ? value : null,
  );
  if (type !== null && /^rotary|^rope/.test(type)) return { kind: 'rotary', offset: 0, max };
  if (type === 'alibi' || isOneOf(alibi) || isSet(parts, 'alibi')) return { kind: 'alibi', offset: 0, max };
  if (type !== null && /^relative/.test(type)) return { kind: 'relative', offset: 0, max };
  if (isOneOf(learnedFromPadding)) return { kind: 'learned', offset: (padding ?? 1) + 1, max };
  if (isOneOf(learnedFromTwo)) return { kind: 'learned', offset: 2, max };
  const formed = names.find((name) => Object.hasOwn(sinusoidal, name));
  if (formed !== undefined) return sinusoidalPositions(sinusoidal[formed], max);
  if (isOneOf(learned)) return { kind: 'learned', offset: 0, max };
  if (isSet(parts, 'position_biased_input')) return { kind: 'learned', offset: 0, max };
  if (isOneOf(relative)) return { kind: 'relative', offset: 0, max };
  if (isOneOf(without)) return { kind: 'none', offset: 0, max };
  const turns = first(parts, rotaryKeys, (value) => (value === null || value === false ? null : true));
  if (turns !== null) return { kind: 'rotary', offset: 0, max };
  if (type === 'absolute') return { kind: 'learned', offset: 0, max };
  return { kind: 'unknown', offset: 0, max };
}

/** Fairseq's tables (tensor2tensor form) begin after padding id 1. */
function sinusoidalPositions(form: PositionLayout['form'], max: number | null): PositionLayout {
  return { kind: 'sinusoidal', offset: form === 'tensor2tensor' ? 2 : 0, max, form };
}

/**
 * What the model multiplies its input embeddings by.
 * Source: GemmaTextScaledWordEmbedding (gemma/modeling_gemma.py), BartScaledWordEmbedding (bart/modeling_bart.py),
 * embedding_multiplier (granite/modeling_granite.py, falcon_h1), scale_emb (minicpm3), embedding_multiplier_scale (grok-1).
 */
function scaleOf(parts: readonly Config[], names: readonly string[]): ModelLayout['scale'] {
  const hidden = firstCount(parts, ['hidden_size', 'd_model', 'n_embd']);
  const gemma = names.find((name) => /gemma/i.test(name));
  if (gemma !== undefined && hidden !== null) {
    return { factor: Math.sqrt(hidden), rounded: true, reason: `${gemma}: sqrt of hidden size ${hidden}` };
  }
  if (isSet(parts, 'scale_embedding') && hidden !== null) {
    return {
      factor: Math.sqrt(hidden),
      rounded: false,
      reason: `scale_embedding: sqrt of d_model ${hidden}`,
    };
  }
  for (const key of ['embedding_multiplier', 'scale_emb', 'embedding_multiplier_scale', 'embedding_scale']) {
    const factor = firstNumber(parts, [key]);
    if (factor !== null && factor !== 1) return { factor, rounded: false, reason: `${key} ${factor}` };
  }
  return null;
}
