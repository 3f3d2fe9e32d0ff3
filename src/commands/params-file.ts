import type { Context } from '../command.ts';
import { groupNames } from '../core/architecture-count.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import { formatCount } from '../text/numbers.ts';
import type { Config, Layer, Model, ModelLayout, TensorInfo } from '../types.ts';
import { groupOfTensor, isBuffer, mapGroups } from './params-groups.ts';
import type { ModelRecord } from './params-model.ts';

/** What a tensor's place says: two tensors of one range are one. */
function rangeOf(tensor: TensorInfo): string {
  return `${tensor.offset}+${tensor.byteLength} ${tensor.source.name}`;
}

function valuesOf(tensor: TensorInfo): bigint {
  return tensor.shape.reduce((product, size) => product * BigInt(size), 1n);
}

/** The tensors that play the roles which count. */
type Roles = Partial<Record<Layer, TensorInfo>>;

/**
 * What the header of a model's file says of its parameters.
 *
 * Tensors that share their bytes are counted once, a tied head as embedding; buffers are told apart. No weights are read.
 * @throws EmbError "missing" with the names of presets near to a REF that does not exist
 */
export async function fileRecord(context: Context, ref: string): Promise<ModelRecord> {
  const model = await openOrSuggest(context, ref);
  const { tensors, format, files } = await model.contents();
  if (tensors.length === 0) {
    throw new EmbError(
      'missing',
      `${ref}: has no tensors`,
      'give a model folder, a file with weights or a preset',
    );
  }
  const roles = await findRoles(context, model, tensors);
  const { input } = roles;
  const tied = isTied(model.config, await model.layout(), roles);
  const counted = countTensors(tensors, roles, tied === true);
  noteOddities(context, ref, tensors, roles, tied);
  const lookups = [input, roles.position, roles.type].filter((tensor) => tensor !== undefined);
  const about = `${format}, ${formatCount(tensors.length)} ${tensors.length === 1 ? 'tensor' : 'tensors'}`;
  return {
    name: ref,
    title: null,
    format,
    source: files.join(', '),
    counted: null,
    vocab: input?.shape[0] ?? null,
    dim: input?.shape[1] ?? null,
    layers: layersOf(model),
    ...counted,
    total: groupNames.reduce((sum, group) => sum + counted.groups[group], 0n),
    active: null,
    bytes: tensors.reduce((sum, tensor) => sum + BigInt(tensor.byteLength), 0n),
    tied,
    lookup: input ? lookups.reduce((sum, tensor) => sum + BigInt(tensor.shape[1] ?? 0), 0n) : null,
    caption: `${ref}: ${about}${input ? `, embedding "${input.name}"` : ''}; what is stored twice is counted once`,
  };
}

async function openOrSuggest(context: Context, ref: string): Promise<Model> {
  try {
    return await context.open(ref);
  } catch (error) {
    if (!(error instanceof EmbError) || error.code !== 'missing') throw error;
    const encoding = await context.encodingOf(ref);
    if (encoding !== undefined) {
      throw new EmbError(
        'missing',
        `${ref}: its sizes are not published, only its tokenizer is known (${encoding})`,
        `emb tokenize -m ${ref}; --vocab V --dim D counts a layer of any size`,
      );
    }
    const names = (await context.presets()).flatMap((preset) => [preset.name, ...preset.aliases]);
    const near = didYouMean(nearestNames(ref, names));
    if (near === undefined) throw error;
    const message = error.message.replace(/no such file or folder$/, 'no such file, folder or preset');
    throw new EmbError('missing', message, `${near} (emb params --list shows the presets)`);
  }
}

/** Roles that cannot be told apart are said, and their tensors counted by their names. */
async function findRoles(context: Context, model: Model, tensors: readonly TensorInfo[]): Promise<Roles> {
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const roles: Roles = {};
  try {
    for (const { layer, tensor } of await model.roles()) roles[layer] ??= named.get(tensor);
  } catch (error) {
    if (!(error instanceof EmbError) || error.code !== 'missing') throw error;
    context.note(error.message);
  }
  return roles;
}

/** Values group by group. The input table comes first: a tensor of the same bytes is not counted again. */
function countTensors(
  tensors: readonly TensorInfo[],
  roles: Roles,
  tied: boolean,
): Pick<ModelRecord, 'groups' | 'stored' | 'buffers'> {
  const layers = new Map<TensorInfo, Layer>();
  for (const layer of ['output', 'type', 'position', 'input'] as const) {
    const tensor = roles[layer];
    if (tensor) layers.set(tensor, layer);
  }
  const groups = mapGroups(() => 0n);
  const seen = new Set<string>();
  if (tied && roles.output && roles.output !== roles.input) seen.add(rangeOf(roles.output));
  if (roles.input) seen.delete(rangeOf(roles.input));
  let stored = 0n;
  let buffers = 0n;
  const others = tensors.filter((tensor) => tensor !== roles.input);
  for (const tensor of roles.input ? [roles.input, ...others] : others) {
    const size = valuesOf(tensor);
    stored += size;
    const repeated = seen.has(rangeOf(tensor));
    if (isBuffer(tensor)) buffers += size;
    else if (!repeated) groups[groupOfTensor(tensor.name, layers.get(tensor))] += size;
    if (tensor.byteLength > 0) seen.add(rangeOf(tensor));
  }
  return { groups, stored, buffers };
}

/** Classes of the transformers library that end in an output head over the vocabulary, by the ends of their names. */
const headed = /(LMHeadModel|ForCausalLM|ForConditionalGeneration|ForMaskedLM)$/;

/** Told by the place in the file and by the config, since no weights are read; null where there is no head to speak of. */
function isTied(config: Config, layout: ModelLayout | undefined, { input, output }: Roles): boolean | null {
  const said = layout?.tied ?? config.tie_word_embeddings;
  if (input && output && input !== output) return said === true || rangeOf(input) === rangeOf(output);
  // No head is stored: either the model has none, or it is the input table.
  const { architectures } = config;
  if (said === false) return null;
  if (!Array.isArray(architectures)) return said === true ? true : null;
  return architectures.some((name) => typeof name === 'string' && headed.test(name)) ? true : null;
}

/** Keys of the layer count; in an encoder-decoder of the encoder's, and of the decoder's where it has its own. */
const layerKeys = ['num_hidden_layers', 'n_layer', 'num_layers', 'n_layers', 'encoder_layers'];
const decoderLayerKeys = ['num_decoder_layers', 'decoder_layers'];

/** Layers of all stacks; null when the config does not say. */
function layersOf({ config }: Model): number | null {
  const first = (keys: readonly string[]): number | undefined =>
    keys
      .map((key) => config[key])
      .find((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) as
      | number
      | undefined;
  const two = config.is_encoder_decoder === true;
  const encoder = first(two ? ['encoder_layers', 'num_layers', ...layerKeys] : layerKeys);
  if (encoder === undefined) return null;
  return two ? encoder + (first(decoderLayerKeys) ?? encoder) : encoder;
}

function noteOddities(
  context: Context,
  ref: string,
  tensors: readonly TensorInfo[],
  { input, output }: Roles,
  tied: boolean | null,
): void {
  if (tied && input && output && rangeOf(input) !== rangeOf(output)) {
    context.note(
      `config.json of ${ref} says that the head is tied: "${output.name}" is stored, and not counted again`,
    );
  }
  // Several weights packed in one whole number cannot be told from the header.
  const packed = tensors.filter(
    (tensor) => tensor.shape.length > 1 && /^[IU](8|16|32|64)$/.test(tensor.dtype) && !isBuffer(tensor),
  );
  if (packed.length === 0) return;
  const dtypes = [...new Set(packed.map((tensor) => tensor.dtype))].join(', ');
  context.note(
    `${ref} holds whole numbers (${dtypes}) in ${formatCount(packed.length)} of its tensors: ` +
      'where those pack several weights, there are more parameters than are counted',
  );
}
