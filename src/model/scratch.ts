import ndarray from 'ndarray';
import { Breath } from '../bytes/breath.ts';
import type { NormalStream } from '../core/random/normal-stream.ts';
import { openNumpyNormals } from '../core/random/numpy-normal.ts';
import { checkSeed, parseSeed, type RandomFamily } from '../core/random/seed.ts';
import { openTorchNormals } from '../core/random/torch-normal.ts';
import { EmbError } from '../errors.ts';
import type { EmbeddingTable, Layer, Matrix, Model, ModelContents, RowBlock, Tokenizer } from '../types.ts';

export interface ScratchOptions {
  /** Rows; default: defaultVocab, else what the tokenizer has. */
  vocab?: number;
  /** Columns; default 768. */
  dim?: number;
  /** Text is read by parseSeed; default 0. */
  seed?: bigint | string;
  /** Standard deviation; default 1. */
  std?: number;
  /** A row of zeros; negative counts from the end. */
  paddingIdx?: number;
  /** Whose random numbers; default torch. */
  init?: RandomFamily;
  /** Rows of the tokenizer where that is known without loading it. */
  defaultVocab?: number;
  tokenizer?: () => Promise<Tokenizer>;
}

const defaultDim = 768;
/** Ids are 32 bits wide and -1 is nobody's id. */
const rowLimit = 2 ** 32 - 1;
/** Beyond this, places in the table are no exact numbers. */
const valueLimit = 2 ** 53;
/** 4 GiB: what one answer may hold, and below every engine's limit on an array. */
const gatherLimit = 2 ** 30;
/** Values of a scanned block, unless a row is longer: 1 MiB. */
const blockValues = 2 ** 18;
/** Rows drawn before are kept while they fit: text repeats its tokens. */
const keptValues = 2 ** 22;

interface Layout {
  rows: number;
  dim: number;
  seed: bigint;
  std: number;
  init: RandomFamily;
  /** undefined: none. */
  paddingRow: number | undefined;
}

/**
 * A model without a file: a table drawn as torch.nn.Embedding (or NumPy) draws it after seeding, row by row when asked for.
 *
 * Units: std 1 unless given, rounded to float32 for 16 values and more.
 * Cost: nothing is drawn yet; the tokenizer is loaded only when neither vocab nor defaultVocab is given.
 * @throws EmbError "usage" for a vocab, dim, std, padding index or seed outside its range
 */
export async function openScratch(options: ScratchOptions): Promise<Model> {
  const { tokenizer } = options;
  const init = options.init ?? 'torch';
  const seed = options.seed ?? 0n;
  const rows = options.vocab ?? options.defaultVocab ?? (await tokenizer?.())?.vocabSize;
  if (rows === undefined)
    throw new EmbError('usage', '"vocab" is missing, expected a number of rows', 'add --vocab N');
  const dim = options.dim ?? defaultDim;
  const std = options.std ?? 1;
  checkSize(rows, dim);
  if (!(std >= 0 && std < Number.POSITIVE_INFINITY)) {
    throw new EmbError('usage', `"std" is ${std}, expected a finite number of at least 0`);
  }
  const layout: Layout = {
    rows,
    dim,
    seed: typeof seed === 'string' ? parseSeed(seed, init) : checkSeed(seed, init),
    std,
    init,
    paddingRow: paddingRowOf(options.paddingIdx, rows),
  };
  return new ScratchModel(layout, tokenizer);
}

function checkSize(rows: number, dim: number): void {
  checkCount('vocab', rows, rowLimit);
  checkCount('dim', dim, valueLimit);
  if (rows * dim > valueLimit) {
    throw new EmbError(
      'usage',
      `"vocab x dim" is ${rows} x ${dim} = ${rows * dim} values, expected at most ${valueLimit}`,
    );
  }
}

function checkCount(name: string, count: number, limit: number): void {
  if (!(Number.isInteger(count) && count >= 1 && count <= limit)) {
    throw new EmbError('usage', `"${name}" is ${count}, expected an integer from 1 to ${limit}`);
  }
}

function paddingRowOf(index: number | undefined, rows: number): number | undefined {
  if (index === undefined) return undefined;
  if (!(Number.isInteger(index) && index >= -rows && index < rows)) {
    throw new EmbError('usage', `--padding-idx is ${index}, expected ${-rows} to ${rows - 1}`);
  }
  return index < 0 ? rows + index : index;
}

class ScratchModel implements Model {
  readonly name = 'scratch';
  readonly config = {};
  readonly #layout: Layout;
  readonly #tokenizer: (() => Promise<Tokenizer>) | undefined;
  #table: ScratchTable | undefined;

  constructor(layout: Layout, tokenizer: (() => Promise<Tokenizer>) | undefined) {
    this.#layout = layout;
    this.#tokenizer = tokenizer;
  }

  async layout(): Promise<undefined> {}

  async contents(): Promise<ModelContents> {
    return { format: 'scratch', files: [], tensors: [], metadata: new Map() };
  }

  async table(layer: Layer = 'input', tensorName?: string): Promise<EmbeddingTable> {
    const missing = tensorName !== undefined ? `tensor ${tensorName}` : `${layer} table`;
    if (layer !== 'input' || (tensorName !== undefined && tensorName !== 'weight')) {
      throw new EmbError(
        'missing',
        `scratch: "${missing}" is missing, expected the input table "weight"`,
        'the scratch layer has one table; open a trained model with -m REF',
      );
    }
    this.#table ??= new ScratchTable(this.#layout);
    return this.#table;
  }

  async roles(): Promise<{ layer: Layer; tensor: string; reason: string }[]> {
    return [{ layer: 'input', tensor: 'weight', reason: 'the scratch layer is one table' }];
  }

  async tokenizer(): Promise<Tokenizer> {
    if (this.#tokenizer === undefined) {
      throw new EmbError(
        'missing',
        'scratch: "tokenizer" is missing, expected one',
        'name one with --tokenizer REF',
      );
    }
    return this.#tokenizer();
  }

  async hasTokenizer(): Promise<boolean> {
    return this.#tokenizer !== undefined;
  }

  async close(): Promise<void> {}
}

class ScratchTable implements EmbeddingTable {
  readonly tensorName = 'weight';
  readonly dtype = 'F32';
  readonly rounds = false;
  readonly rows: number;
  readonly dim: number;
  readonly byteLength: number;
  readonly label: string;
  readonly #layout: Layout;
  readonly #breath = new Breath();
  readonly #kept = new Map<number, Float32Array>();
  #stream: NormalStream | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.rows = layout.rows;
    this.dim = layout.dim;
    this.byteLength = layout.rows * layout.dim * 4;
    this.label = `random init, seed ${layout.seed}, untrained`;
  }

  async gather(ids: Uint32Array): Promise<Matrix> {
    const { rows, dim } = this;
    for (const id of ids) {
      if (id >= rows)
        throw new EmbError('range', `"id" is ${id}, expected less than the table's ${rows} rows`);
    }
    checkGather(ids.length, dim);
    const data = new Float32Array(ids.length * dim);
    this.#stream ??= openNormals(this.#layout);
    // In the order of the table, because the generator runs forward.
    let last = -1;
    let lastRow = data;
    for (const place of ascendingPlaces(ids)) {
      const id = ids[place];
      const row = data.subarray(place * dim, (place + 1) * dim);
      const known = id === last ? lastRow : this.#kept.get(id);
      if (known !== undefined) {
        row.set(known);
      } else if (id !== this.#layout.paddingRow) {
        await this.#draw(this.#stream, id * dim, row);
        this.#keep(id, row);
      }
      last = id;
      lastRow = row;
    }
    return ndarray(data, [ids.length, dim]);
  }

  async *scan(): AsyncGenerator<RowBlock> {
    const { rows, dim } = this;
    checkGather(1, dim);
    const blockRows = Math.min(rows, Math.max(1, Math.floor(blockValues / dim)));
    const data = new Float32Array(blockRows * dim);
    // A stream of its own: the forward run is not disturbed by rows gathered meanwhile.
    const stream = openNormals(this.#layout);
    for (let start = 0; start < rows; start += blockRows) {
      const count = Math.min(blockRows, rows - start);
      const block = data.subarray(0, count * dim);
      await this.#draw(stream, start * dim, block);
      const padding = (this.#layout.paddingRow ?? -1) - start;
      if (padding >= 0 && padding < count) block.fill(0, padding * dim, (padding + 1) * dim);
      yield { start, rows: count, data: block };
    }
  }

  /** Draws in bounded pieces and lets the event loop breathe between them. */
  async #draw(stream: NormalStream, start: number, into: Float32Array): Promise<void> {
    while (!stream.approach(start)) if (this.#breath.due) await this.#breath.take();
    for (let at = 0; at < into.length; at += blockValues) {
      stream.draw(start + at, into.subarray(at, at + blockValues));
      if (this.#breath.due) await this.#breath.take();
    }
  }

  #keep(id: number, row: Float32Array): void {
    if (this.dim > keptValues / 16) return;
    if ((this.#kept.size + 1) * this.dim > keptValues) this.#kept.clear();
    this.#kept.set(id, row.slice());
  }
}

function openNormals({ rows, dim, seed, std, init }: Layout): NormalStream {
  return init === 'numpy' ? openNumpyNormals(seed, std) : openTorchNormals(seed, rows * dim, std, init);
}

function checkGather(count: number, dim: number): void {
  if (count * dim > gatherLimit) {
    throw new EmbError(
      'range',
      `"rows x dim" is ${count} x ${dim} = ${count * dim} values in memory, expected at most ${gatherLimit}`,
      'ask for fewer rows at a time, or a smaller --dim',
    );
  }
}

/** Places of ids, lowest id first. */
function ascendingPlaces(ids: Uint32Array): Uint32Array {
  const places = Uint32Array.from(ids, (_, place) => place);
  return ids.every((id, place) => place === 0 || ids[place - 1] <= id)
    ? places
    : places.sort((a, b) => ids[a] - ids[b]);
}
