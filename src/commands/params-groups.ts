import { groupNames, type ParameterGroups } from '../core/architecture-count.ts';
import type { Layer, TensorInfo } from '../types.ts';

type Group = keyof ParameterGroups;

/** A count for each group. */
export function mapGroups(value: (group: Group) => bigint): Record<Group, bigint> {
  return Object.fromEntries(groupNames.map((group) => [group, value(group)])) as Record<Group, bigint>;
}

const groupOfLayer: Record<Layer, Group> = {
  input: 'embedding',
  output: 'head',
  position: 'position',
  type: 'type',
};

/** Last parts of a name that are no module. */
const leaves = new Set(['weight', 'bias', 'weight_scale', 'gamma', 'beta', 'scale', 'kernel']);

/** Modules that are a group wherever they stand in the name; the first group that has one wins. */
const modules: readonly (readonly [Group, ReadonlySet<string>])[] = [
  ['type', setOf('token_type_embeddings token_type_embedding token_types segment_embeddings')],
  [
    'position',
    setOf(
      'wpe position_embeddings position_embedding embed_positions positions_embed position_embd pos_embed ' +
        'relative_attention_bias rel_embeddings',
    ),
  ],
  ['projection', setOf('embedding_hidden_mapping_in embeddings_project project_in project_out')],
  [
    'head',
    setOf(
      'lm_head embed_out cls predictions generator_predictions generator_lm_head vocab_projector vocab_transform qa_outputs ' +
        'classifier score',
    ),
  ],
  ['other', setOf('pooler text_projection mixer ssm discriminator_predictions')],
  [
    'mlp',
    setOf(
      'mlp ffn ff block_sparse_moe DenseReluDense feed_forward intermediate experts shared_expert fc1 fc2 lin1 lin2 ffn_output',
    ),
  ],
];

/** Modules that hold a table of tokens and nothing else. */
const tables = setOf(
  'wte word_embeddings embed_tokens embed_in tokens_embed token_embedding embedding embeddings shared tok_embeddings token_embd',
);

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.split(' '));
}

/**
 * Which part of the model a tensor belongs to, by the role that it plays, else by the modules in its name.
 *
 * Source: the parameter names of the models that transformers builds (fixtures/presets/names.json).
 */
export function groupOfTensor(name: string, layer: Layer | undefined): Group {
  if (layer !== undefined) return groupOfLayer[layer];
  const parts = name.split('.');
  const last = parts.length - (leaves.has(parts[parts.length - 1]!) ? 2 : 1);
  const module = parts[Math.max(0, last)]!;
  // A norm inside an attention is a norm; ln_1, ln_f and lnorm are as well.
  if (/norm|^ln(_|\d|$)/i.test(module)) return 'norms';
  for (const [group, names] of modules) {
    if (parts.some((part) => names.has(part))) return group;
  }
  if (parts.some((part) => /att(n|ention)/i.test(part))) return 'attention';
  if (parts.some((part) => part.startsWith('ffn_'))) return 'mlp';
  // BERT: encoder.layer.0.output.dense leads out of the feed-forward part; Llama's and GGUF's output.weight is the head.
  if (parts.includes('output')) return parts[0] === 'output' ? 'head' : 'mlp';
  return tables.has(module) ? 'embedding' : 'other';
}

const bufferNames = setOf(
  'position_ids token_type_ids inv_freq masked_bias num_batches_tracked causal_mask freqs_cis cos_cached sin_cached ' +
    'final_logits_bias e_score_correction_bias',
);

/** True for what a model stores beside its parameters: masks, rotary frequencies, ids, balancing biases. */
export function isBuffer(tensor: Pick<TensorInfo, 'name' | 'shape'>): boolean {
  const parts = tensor.name.split('.');
  const last = parts[parts.length - 1]!;
  if (bufferNames.has(last)) return true;
  // GPT-2, GPT-NeoX and GPT-J once stored the causal mask as the bias of the attention: [1, 1, positions, positions].
  const { shape } = tensor;
  return last === 'bias' && shape.length === 4 && shape[0] === 1 && shape[1] === 1 && shape[2] === shape[3];
}
