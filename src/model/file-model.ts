import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Config, EmbeddingTable, Layer, Model, ModelLayout, TensorInfo, Tokenizer } from '../types.ts';
import type { EmbeddingName } from './embedding-names.ts';
import { noTokenizer, openTokenizerAt, shortList } from './folder.ts';
import { readLayout } from './layouts.ts';
import { candidatesFor } from './roles.ts';
import { isTied, tableOf } from './table.ts';
import type { TensorSet } from './tensors.ts';

/** What a FileModel is made of. */
export interface ModelParts {
  name: string;
  /** Where config and tokenizer lie. */
  folder: string;
  config: Config;
  tokenizerPath: string | undefined;
  /** The tokenizer lies beside a lone file and may belong to something else. */
  borrowed?: boolean;
  /** --tensor */
  tensor: string | undefined;
  note: (message: string) => void;
  /** Opens the weights, once. */
  open: () => TensorSet;
  /** Weights that are open already: close() is theirs even when nothing was asked of them. */
  opened?: TensorSet;
}

interface Role {
  layer: Layer;
  tensor: string;
  reason: string;
}

/** A file with more tensors is a model whose table has a name. */
const fewTensors = 64;

const layers: readonly Layer[] = ['input', 'output', 'position', 'type'];

/** A model in files: a folder, an index with its shards, a lone file. */
export class FileModel implements Model {
  readonly name: string;
  readonly config: Config;
  readonly #parts: ModelParts;
  #set: TensorSet | undefined;
  #layout: ModelLayout | undefined;
  #tokenizer: Promise<Tokenizer> | undefined;
  #inputRows: number | undefined;

  constructor(parts: ModelParts) {
    this.name = parts.name;
    this.config = parts.config;
    this.#parts = parts;
    this.#set = parts.opened;
  }

  get format(): string {
    return this.#tensors.format;
  }

  get metadata(): Map<string, unknown> {
    return this.#tensors.metadata();
  }

  get files(): string[] {
    const { tokenizerPath } = this.#parts;
    return [...this.#tensors.files, ...(tokenizerPath === undefined ? [] : [tokenizerPath])];
  }

  /** The config's layout; where it says nothing of positions, a position table does. */
  get layout(): ModelLayout {
    this.#layout ??= this.#readLayout();
    return this.#layout;
  }

  get #tensors(): TensorSet {
    this.#set ??= this.#parts.open();
    return this.#set;
  }

  tensors(): TensorInfo[] {
    return this.#tensors.all();
  }

  async table(layer: Layer = 'input', tensorName?: string): Promise<EmbeddingTable> {
    const chosen = tensorName ?? (layer === 'input' ? this.#parts.tensor : undefined);
    if (chosen !== undefined) return tableOf(this.#named(chosen));
    const role = this.#role(layer);
    if (role === undefined) throw this.#noTable(layer);
    const tensor = this.#named(role.tensor);
    this.#refusePacked(tensor);
    const table = tableOf(tensor);
    if (layer === 'input') await this.#compareRows(table.rows);
    return table;
  }

  async vector(name: string): Promise<Float32Array | undefined> {
    const tensor = this.#tensors.find(name);
    if (tensor?.shape.length !== 1) return undefined;
    const row = await tableOf({ ...tensor, shape: [1, tensor.shape[0]] }).gather(Uint32Array.of(0));
    return row.data;
  }

  roles(): Role[] {
    return layers.flatMap((layer) => {
      const found = this.#candidates(layer);
      const reason = `one of ${found.length} that may be it: choose by --tensor`;
      if (found.length > 1) return found.map(({ name }) => ({ layer, tensor: name, reason }));
      return this.#role(layer) ?? [];
    });
  }

  async tied(): Promise<{ tied: boolean; reason: string } | null> {
    const input = this.#role('input');
    const output = this.#role('output');
    if (input === undefined || output === undefined) return null;
    if (input.tensor === output.tensor) return { tied: true, reason: output.reason };
    const same = await isTied(this.#named(input.tensor), this.#named(output.tensor));
    const reason = `${output.tensor} ${same ? 'holds the bytes of' : 'differs from'} ${input.tensor}`;
    return { tied: same, reason };
  }

  hasTokenizer(): boolean {
    return this.#parts.tokenizerPath !== undefined;
  }

  tokenizer(): Promise<Tokenizer> {
    this.#tokenizer ??= this.#openTokenizer();
    return this.#tokenizer;
  }

  async close(): Promise<void> {
    await this.#set?.close();
  }

  async #openTokenizer(): Promise<Tokenizer> {
    const { tokenizerPath, folder, borrowed, note } = this.#parts;
    if (tokenizerPath === undefined) throw noTokenizer(folder, this.name);
    const tokenizer = await openTokenizerAt(tokenizerPath, folder);
    if (borrowed === true) {
      const rows = this.#largestTable();
      if (tokenizer.vocabSize > rows) {
        throw new EmbError(
          'missing',
          `${this.name}: brings no tokenizer, and ${tokenizerPath} has ${tokenizer.vocabSize} ids, expected at most ${rows}`,
          'name a tokenizer with --tokenizer, or give ids with --ids',
        );
      }
      note(`tokenizer: ${tokenizerPath}, which lies beside the file`);
    }
    if (this.#inputRows !== undefined) this.#noteRows(this.#inputRows, tokenizer.vocabSize);
    return tokenizer;
  }

  /** Rows and ids are held against each other as soon as both are known. */
  async #compareRows(rows: number): Promise<void> {
    const isNew = this.#inputRows === undefined;
    this.#inputRows = rows;
    if (isNew && this.#tokenizer !== undefined) this.#noteRows(rows, (await this.#tokenizer).vocabSize);
  }

  #noteRows(rows: number, ids: number): void {
    if (ids > rows) {
      this.#parts.note(`tokenizer has ${ids} ids, the table ${rows} rows: ids from ${rows} on have no row`);
    } else if (ids < rows) {
      this.#parts.note(
        `table has ${rows} rows, the tokenizer ${ids} ids: ${rows - ids} padding row${rows - ids === 1 ? '' : 's'}`,
      );
    }
  }

  #largestTable(): number {
    const { tensor } = this.#parts;
    const tables = tensor === undefined ? this.tensors() : [this.#named(tensor)];
    return tables.reduce((most, { shape }) => (shape.length === 2 ? Math.max(most, shape[0]) : most), 0);
  }

  #named(name: string): TensorInfo {
    const tensor = this.#tensors.find(name);
    if (tensor !== undefined) return tensor;
    const near = didYouMean(nearestNames(name, this.#tensors.names()));
    throw new EmbError(
      'missing',
      `${this.name}: has no tensor ${JSON.stringify(name)}`,
      near ?? `emb info ${this.name} lists the tensors`,
    );
  }

  #role(layer: Layer): Role | undefined {
    const found = this.#candidates(layer);
    if (found.length > 1) throw this.#ambiguous(layer, found);
    if (found.length === 1) return { layer, tensor: found[0].name, reason: found[0].reason };
    const { tied } = readLayout(this.config);
    const inputs = layer === 'output' && tied !== false ? this.#candidates('input') : [];
    if (inputs.length !== 1 || !inputs[0].mayTie) return undefined;
    const [input] = inputs;
    const says = tied === true ? 'the config says tied' : 'no tensor of an output embedding';
    return { layer, tensor: input.name, reason: `${says}: the input table is used` };
  }

  /** What may play a role, by name; for the input also what --tensor names, or the only 2-D tensor. */
  #candidates(layer: Layer): { name: string; reason: string; mayTie: boolean }[] {
    const { tensor } = this.#parts;
    if (layer === 'input' && tensor !== undefined)
      return [{ name: this.#named(tensor).name, reason: 'named by --tensor', mayTie: false }];
    const inputs = layer === 'input' ? [] : this.#candidates('input');
    const input = inputs.length === 1 ? inputs[0].name : undefined;
    const names = this.#tensors.names();
    const found = candidatesFor(layer, names, (name) => this.#tensors.find(name)?.shape, input);
    if (found.length > 0 || layer !== 'input') {
      return found.map(({ name, entry }) => ({
        name,
        reason: reasonOf(entry),
        mayTie: entry.headless !== true,
      }));
    }
    const tables = names.length > fewTensors ? [] : this.tensors().filter(({ shape }) => shape.length === 2);
    return tables.length === 1
      ? [{ name: tables[0].name, reason: 'the only two-dimensional tensor', mayTie: false }]
      : [];
  }

  #ambiguous(layer: Layer, found: readonly { name: string }[]): EmbError {
    const list = shortList(found.map(({ name }) => name));
    return new EmbError(
      'missing',
      `${this.name}: ${found.length} tensors may be the ${layer} embedding`,
      `choose by --tensor: ${list}`,
    );
  }

  #noTable(layer: Layer): EmbError {
    const tensors = this.tensors();
    const tables = tensors.filter(({ shape }) => shape.length === 2);
    if (layer === 'output' && readLayout(this.config).tied === false) {
      return new EmbError(
        'missing',
        `${this.name}: has no output embedding, and the config says that it is not tied to the input`,
        'the file may hold the model without its head',
      );
    }
    if (layer === 'input' && tensors.length === 1) {
      const [{ name, shape }] = tensors;
      return new EmbError(
        'unsupported',
        `${this.name}: tensor ${JSON.stringify(name)} has the shape [${shape.join(', ')}], expected two dimensions: rows and columns`,
      );
    }
    const list = shortList(tables.map(({ name, shape }) => `${name} [${shape.join(', ')}]`));
    return new EmbError(
      'missing',
      `${this.name}: no tensor has a known name of the ${layer} embedding`,
      tables.length === 0 ? 'it has no two-dimensional tensor' : `choose by --tensor: ${list}`,
    );
  }

  /** MLX keeps several weights in one integer, with scales beside them: rows of those integers are no embeddings. */
  #refusePacked(tensor: TensorInfo): void {
    const scales = tensor.name.replace(/weight$/, 'scales');
    if (!/^[IU]/.test(tensor.dtype) || scales === tensor.name || !this.#tensors.names().includes(scales))
      return;
    throw new EmbError(
      'unsupported',
      `${this.name}: tensor ${JSON.stringify(tensor.name)} is quantized (${tensor.dtype} with ${scales}), expected plain weights`,
      `its packed integers: --tensor ${tensor.name}`,
    );
  }

  #readLayout(): ModelLayout {
    const layout = readLayout(this.config);
    if (layout.positions.kind !== 'unknown') return layout;
    const tables = this.#candidates('position');
    if (tables.length !== 1) return layout;
    // OPT and RoBERTa leave two rows free: 2,050 and 514 rows for 2,048 and 512 positions.
    const rows = this.#named(tables[0].name).shape[0];
    const offset = rows > 4 && Number.isInteger(Math.log2(rows - 2)) ? 2 : 0;
    return { ...layout, positions: { kind: 'learned', offset, max: layout.positions.max ?? rows - offset } };
  }
}

function reasonOf(entry: EmbeddingName): string {
  return `named as in ${entry.families.split(' ').slice(0, 4).join(', ')}`;
}
