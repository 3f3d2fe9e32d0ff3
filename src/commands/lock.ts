import type { Command, Context, OptionSpec } from '../command.ts';
import { hashRows, hashVocabulary, type RowLock, rowHashBytes, writeLock } from '../core/row-lock.ts';
import { layers } from '../layout.ts';
import type { Block, Cell, Layer, Report } from '../types.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import { namedOptions } from './named-options.ts';
import { namedRef } from './named-ref.ts';
import { captionOfTable, type OpenTable, rowNames } from './open-table.ts';

/** Rows of one block of the list. */
const blockRows = 1000;

/** Which table of a model; verify takes the same. */
export const tableOptions: readonly OptionSpec[] = [
  namedOptions.model,
  namedOptions.tensor,
  {
    long: 'layer',
    type: 'text',
    value: 'role',
    choices: layers,
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
    'hash of the vocabulary. emb verify holds a model against it, and needs no other file: emb lock REF > emb.lock. Other formats than\n' +
    'text list the rows with their tokens and hashes, in hexadecimal; verify does not read them.',
  options: tableOptions,
  groups: [],
  formats: ['text', 'table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb lock model-folder', says: 'the lock of the input embedding, on stdout' },
    { line: 'emb lock model.safetensors --layer position', says: 'the lock of another table' },
    { line: 'emb lock model-folder -f jsonl', says: 'the hash of every row, for a program' },
  ],
  async run(context) {
    const opened = await openNamedTable(context, namedRef(context, { command: 'lock' }));
    const lock = await lockOf(context, opened);
    const report = context.format === 'text' ? lockFile(lock) : await hashList(context, opened, lock);
    return { ...report, caption: [captionOfTable(opened, undefined)], layout: 'rows' };
  },
};

type Rows = Pick<Report, 'columns' | 'plainKey' | 'blocks'>;

/** The file that verify reads. */
function lockFile(lock: RowLock): Rows {
  async function* blocks(): AsyncGenerator<Block> {
    for (const line of writeLock(lock)) yield { cells: [[line]], sequence: 0, ends: false };
  }
  return { columns: [{ key: 'line', kind: 'text' }], plainKey: 'line', blocks: blocks() };
}

/** A row of the table in each row. */
async function hashList(context: Context, opened: OpenTable, { rows, hashes }: RowLock): Promise<Rows> {
  const names = await rowNames(context, opened);
  async function* blocks(): AsyncGenerator<Block> {
    for (let start = 0; start < rows; start += blockRows) {
      const end = Math.min(start + blockRows, rows);
      const cells: Cell[][] = [];
      for (let row = start; row < end; row++) {
        const hash = hashes.subarray(row * rowHashBytes, (row + 1) * rowHashBytes);
        cells.push([...tokenCells(row, names), Buffer.from(hash).toString('hex')]);
      }
      yield { cells, sequence: 0, ends: end === rows };
    }
  }
  return { columns: [...tokenColumns(names), { key: 'hash', kind: 'text' }], blocks: blocks() };
}

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
    layer:
      context.options.tensor === undefined ? ((context.options.layer as Layer | undefined) ?? 'input') : null,
    rows: table.rows,
    dim: table.dim,
    dtype: table.dtype,
    vocabulary: tokenizer === undefined ? null : hashVocabulary(tokenizer),
    hashes,
  };
}
