/**
 * Architectures whose files have no output embedding because they predict no tokens: nothing is tied to the input there.
 *
 * Source: MODEL_TENSORS in gguf-py/gguf/constants.py of ggml-org/llama.cpp (gguf 0.19): those with TOKEN_EMBD and
 * without OUTPUT, but for gemma, gemma2, command-r, cohere2, openelm, bitnet and lfm2moe, whose head is the input table.
 */
const headless = new Set(
  'bert modern-bert nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert t5encoder gemma-embedding llama-embed clip wavtokenizer-dec'.split(
    ' ',
  ),
);

/** True where files of an architecture bring no head and tie none. */
export function isHeadless(architecture: string): boolean {
  return headless.has(architecture);
}

/** Which tensor plays which role, in every architecture. Source: TENSOR_NAMES in gguf-py/gguf/constants.py. */
export const roleTensors = {
  input: { tensor: 'token_embd.weight', reason: 'TOKEN_EMBD of every GGUF architecture' },
  output: { tensor: 'output.weight', reason: 'OUTPUT of every GGUF architecture' },
  position: { tensor: 'position_embd.weight', reason: 'POS_EMBD of every GGUF architecture' },
  type: { tensor: 'token_types.weight', reason: 'TOKEN_TYPES of every GGUF architecture' },
} as const;

/** Keys of an architecture, `ARCHITECTURE.` before them, and what config.json calls them. */
export const architectureKeys: readonly (readonly [key: string, config: string])[] = [
  ['vocab_size', 'vocab_size'],
  ['embedding_length', 'hidden_size'],
  ['context_length', 'max_position_embeddings'],
  ['block_count', 'num_hidden_layers'],
  ['feed_forward_length', 'intermediate_size'],
  ['attention.head_count', 'num_attention_heads'],
  ['attention.head_count_kv', 'num_key_value_heads'],
  ['rope.freq_base', 'rope_theta'],
  ['rope.dimension_count', 'rotary_dim'],
  ['embedding_scale', 'embedding_multiplier'],
];

/** Keys of the vocabulary, and what config.json calls them. */
export const vocabularyKeys: readonly (readonly [key: string, config: string])[] = [
  ['tokenizer.ggml.token_type_count', 'type_vocab_size'],
  ['tokenizer.ggml.bos_token_id', 'bos_token_id'],
  ['tokenizer.ggml.eos_token_id', 'eos_token_id'],
  ['tokenizer.ggml.padding_token_id', 'pad_token_id'],
];
