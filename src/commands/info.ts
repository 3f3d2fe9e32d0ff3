import type { Command, Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type {
  Cell,
  Column,
  Layer,
  Metadata,
  MetadataArray,
  Model,
  Report,
  SubTable,
  TensorInfo,
  Tokenizer,
} from '../types.ts';
import { namedRef } from './named-ref.ts';

/** Elements of a metadata array that are printed. */
const shownElements = 6;

interface Role {
  layer: Layer;
  tensor: string;
  reason: string;
}

export const command: Command = {
  name: 'info',
  summary: 'tensors, shapes, dtypes, metadata, roles',
  usage: '[ref]',
  description:
    'What is in a model: its tensors with shape, dtype and bytes, the metadata of the file, its tokenizer, and which tensor plays which role\n' +
    '(input, output, position, type) and why. Reads headers only. csv, tsv and jsonl print the tensors, one per line.',
  options: [
    {
      long: 'model',
      short: 'm',
      type: 'text',
      value: 'ref',
      description: 'the model, where it is no argument (default: EMB_MODEL)',
    },
    {
      long: 'tokenizer',
      type: 'text',
      value: 'ref',
      description: "a tokenizer to tell of instead of the model's own",
    },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb info model-folder', says: 'everything a model folder says about itself' },
    { line: 'emb info model.safetensors -f csv', says: 'one line per tensor' },
  ],
  async run(context) {
    const model = await context.open(namedRef(context, { command: 'info' }));
    const { format, files, tensors: listed, metadata } = await model.contents();
    const roles = await model.roles();
    const tensors = tensorTable(listed, roles);
    const fields: { column: Column; cell: Cell }[] = [
      { column: { key: 'model', kind: 'text' }, cell: model.name },
      { column: { key: 'format', kind: 'text' }, cell: format },
      { column: { key: 'files', kind: 'count' }, cell: files.length },
      { column: { key: 'tensor_count', title: 'tensors', kind: 'count' }, cell: tensors.rows.length },
      ...totals(listed),
      ...configFields(model),
      ...(await tokenizerFields(model, context)),
      { column: { key: 'roles', kind: 'table' }, cell: roleTable(roles) },
      { column: { key: 'metadata', kind: 'table' }, cell: await metadataTable(metadata) },
      { column: { key: 'tensors', kind: 'table' }, cell: tensors },
    ];
    async function* blocks() {
      yield { cells: [fields.map((field) => field.cell)], sequence: 0, ends: true };
    }
    return {
      columns: fields.map((field) => field.column),
      blocks: blocks(),
      layout: 'records',
      single: true,
      rowsKey: 'tensors',
    } satisfies Report;
  },
};

function totals(tensors: readonly TensorInfo[]): { column: Column; cell: Cell }[] {
  const parameters = tensors.reduce(
    (sum, tensor) => sum + BigInt(tensor.shape.reduce((product, size) => product * size, 1)),
    0n,
  );
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  return [
    { column: { key: 'parameters', kind: 'count' }, cell: Number(parameters) },
    { column: { key: 'bytes', kind: 'size' }, cell: bytes },
  ];
}

/** What config.json says, where it says it: scalars only, as they stand. */
function configFields(model: Model): { column: Column; cell: Cell }[] {
  const keys = ['model_type', 'architectures', 'vocab_size', 'tie_word_embeddings', 'torch_dtype', 'dtype'];
  const fields: { column: Column; cell: Cell }[] = [];
  for (const key of keys) {
    const value = model.config[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      fields.push({ column: { key: `config_${key}`, title: `config ${key}`, kind: 'text' }, cell: value });
    } else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      fields.push({
        column: { key: `config_${key}`, title: `config ${key}`, kind: 'text' },
        cell: value.join(', '),
      });
    }
  }
  return fields;
}

async function tokenizerFields(model: Model, context: Context): Promise<{ column: Column; cell: Cell }[]> {
  const named = context.options.tokenizer !== undefined;
  if (!named && !(await model.hasTokenizer()))
    return [{ column: { key: 'tokenizer', kind: 'text' }, cell: null }];
  let tokenizer: Tokenizer;
  try {
    tokenizer = await context.tokenizer(model);
  } catch (error) {
    // What else is in the file is asked for too.
    if (named || !(error instanceof EmbError)) throw error;
    context.note(`the tokenizer does not open: ${error.message}`);
    return [{ column: { key: 'tokenizer', kind: 'text' }, cell: null }];
  }
  return [
    { column: { key: 'tokenizer', kind: 'text' }, cell: `${tokenizer.name} (${tokenizer.kind})` },
    { column: { key: 'vocabulary', kind: 'count' }, cell: tokenizer.vocabSize },
  ];
}

function roleTable(found: readonly Role[]): SubTable {
  return {
    columns: [
      { key: 'layer', kind: 'text' },
      { key: 'tensor', kind: 'name' },
      { key: 'reason', kind: 'text' },
    ],
    rows: found.map(({ layer, tensor, reason }) => [layer, tensor, reason]),
  };
}

/** A long array tells what it is and how it begins. */
async function metadataText(value: unknown): Promise<string> {
  if (typeof value === 'string') return value;
  if (!isMetadataArray(value)) {
    return (
      JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? Number(item) : item)) ?? String(value)
    );
  }
  const first = await value.values(shownElements);
  const texts = await Promise.all(first.map(metadataText));
  const rest = value.length > first.length ? ', ...' : '';
  return `${value.elementType}[${value.length}]: ${texts.join(', ')}${rest}`;
}

function isMetadataArray(value: unknown): value is MetadataArray {
  return typeof value === 'object' && value !== null && 'elementType' in value && 'values' in value;
}

async function metadataTable(metadata: Metadata): Promise<SubTable> {
  const rows: Cell[][] = [];
  for (const [key, value] of metadata) rows.push([key, await metadataText(value)]);
  return {
    columns: [
      { key: 'key', kind: 'text' },
      { key: 'value', kind: 'text' },
    ],
    rows,
  };
}

function tensorTable(tensors: readonly TensorInfo[], found: readonly Role[]): SubTable {
  const roles = new Map<string, string>();
  for (const { tensor, layer } of found) {
    const before = roles.get(tensor);
    roles.set(tensor, before === undefined ? layer : `${before}, ${layer}`);
  }
  return {
    columns: [
      { key: 'name', kind: 'name' },
      { key: 'dtype', kind: 'text' },
      { key: 'shape', kind: 'shape' },
      { key: 'parameters', kind: 'count', where: 'machine' },
      { key: 'bytes', kind: 'size' },
      { key: 'layer', kind: 'text', where: 'machine' },
      { key: 'file', kind: 'text', where: 'machine' },
      { key: 'offset', kind: 'count', where: 'machine' },
    ],
    rows: tensors.map((tensor) => [
      tensor.name,
      tensor.dtype,
      tensor.shape,
      tensor.shape.reduce((product, size) => product * size, 1),
      tensor.byteLength,
      roles.get(tensor.name) ?? null,
      tensor.source.name,
      tensor.offset,
    ]),
  };
}
