import type { Command, Context, OptionSpec } from '../command.ts';
import { hashRows, hashVocabulary, type RowLock, writeLock } from '../core/row-lock.ts';
import type { Cell, Layer } from '../types.ts';
import { namedOptions } from './named-options.ts';
import { namedRef } from './named-ref.ts';
import { captionOfTable, type OpenTable, rowNames } from './open-table.ts';

/** Which table of a model; verify takes the same. */
export const tableOptions: readonly OptionSpec[] = [
  namedOptions.model,
  namedOptions.tensor,
  {
    long: 'layer',
    type: 'text',
    value: 'role',
    choices: ['input', 'output', 'position', 'type'],
    default: 'input',
    description: 'which table',
  },
  namedOptions.tokenizer,
];

export const command: Command = {
  name: 'lock',
  summary: 'a small file that tells later which rows have changed',
  usage: '[ref]',
  description:
    'Prints 8 bytes for every row of a table, in base64: the beginning of the SHA-256 of its values as float32, bit for bit. The same\n' +
    'values in another file format or in a wider dtype have the same hashes; 0 and -0 do not. With them go tensor, shape, dtype and a\n' +
    'hash of the vocabulary. emb verify holds a model against it, and needs no other file: emb lock REF > emb.lock',
  options: tableOptions,
  groups: [],
  formats: ['text'],
  examples: [
    { line: 'emb lock model-folder', says: 'the lock of the input embedding, on stdout' },
    { line: 'emb lock model.safetensors --layer position', says: 'the lock of another table' },
  ],
  async run(context) {
    const opened = await openNamedTable(context, namedRef(context, { command: 'lock' }));
    const lock = await lockOf(context, opened);
    async function* blocks() {
      for (const line of writeLock(lock)) yield { cells: [[line] as Cell[]], sequence: 0, ends: false };
    }
    return {
      columns: [{ key: 'line', kind: 'text' }],
      plainKey: 'line',
      blocks: blocks(),
      caption: [captionOfTable(opened, undefined)],
      layout: 'rows',
    };
  },
};

/** The table of a model that is named as an argument. */
export async function openNamedTable(context: Context, ref: string): Promise<OpenTable> {
  const { options } = context;
  const model = await context.open(ref);
  const table = await model.table(options.layer as Layer | undefined, options.tensor as string | undefined);
  if (table.rounds) context.note(`${table.dtype} values are no float32: each is rounded once`);
  return { model, table };
}

/** The lock of a table as it is now. Cost: one scan. */
export async function lockOf(context: Context, opened: OpenTable): Promise<RowLock> {
  const { table } = opened;
  const tokenizer = await rowNames(context, opened);
  const progress = context.progress(table.rows, 'rows');
  async function* watched() {
    for await (const block of table.scan()) {
      yield block;
      progress.advance(block.rows);
    }
  }
  const hashes = await hashRows(watched(), table.rows, table.dim).finally(() => progress.done());
  return {
    tensor: table.tensorName,
    layer: (context.options.layer as string | undefined) ?? 'input',
    rows: table.rows,
    dim: table.dim,
    dtype: table.dtype,
    vocabulary: tokenizer === undefined ? null : hashVocabulary(tokenizer),
    hashes,
  };
}
