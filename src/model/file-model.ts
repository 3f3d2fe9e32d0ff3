import { EmbError } from '../errors.ts';
import type {
  Config,
  EmbeddingTable,
  Files,
  Layer,
  Model,
  ModelContents,
  ModelLayout,
  TensorInfo,
  Tokenizer,
} from '../types.ts';
import { readLayout } from './layouts.ts';
import { type Role, RoleFinder } from './role-finder.ts';
import { isTied, tableOf } from './table.ts';
import type { TensorSet } from './tensors.ts';
import { noTokenizer, type TokenizerPlace, vocabularyPlace } from './tokenizer-place.ts';

/** What a FileModel is made of. */
export interface ModelParts {
  name: string;
  config: Config;
  /** What lies beside the weights, where something does. */
  files: Files | undefined;
  /** Looks for the tokenizer, when somebody asks for it. */
  tokenizer: () => Promise<TokenizerPlace | undefined>;
  /** The tokenizer lies beside a lone file and may belong to something else. */
  borrowed?: boolean;
  /** --tensor */
  tensor: string | undefined;
  note: (message: string) => void;
  /** Opens the weights, once. */
  open: () => Promise<TensorSet>;
  /** Tables bring words of their own: which ones depends on the table that is chosen. */
  wordsByTable?: boolean;
  /** Weights that are open already: close() is theirs even when nothing was asked of them. */
  opened?: TensorSet;
}

/** Tables of models that are a table and nothing else. */
const staticNames = ['embeddings', 'embedding.weight'];

/** Dtypes that several weights may be packed in, or that have scales beside them. */
const packable = /^([IU]\d|F8|F4)/;

/** A model in files: a folder, an index with its shards, a lone file. */
export class FileModel implements Model {
  readonly name: string;
  config: Config;
  readonly #parts: ModelParts;
  #opening: Promise<{ set: TensorSet; roles: RoleFinder }> | undefined;
  #layout: Promise<ModelLayout> | undefined;
  #tokenizer: Promise<Tokenizer> | undefined;
  #place: Promise<TokenizerPlace | undefined> | undefined;
  #inputRows: number | undefined;

  constructor(parts: ModelParts) {
    this.name = parts.name;
    this.config = parts.config;
    this.#parts = parts;
  }

  /** The config's layout; where it says nothing of positions, a position table does. */
  layout(): Promise<ModelLayout> {
    this.#layout ??= this.#readLayout();
    return this.#layout;
  }

  async contents(): Promise<ModelContents> {
    const { set } = await this.#weights();
    const tokenizer = (await this.#findPlace())?.name;
    const files = tokenizer === undefined || set.files.includes(tokenizer) ? [] : [tokenizer];
    return {
      format: set.format,
      files: [...set.files, ...files],
      tensors: await set.all(),
      metadata: await set.metadata(),
    };
  }

  async table(layer: Layer = 'input', tensorName?: string): Promise<EmbeddingTable> {
    const { roles } = await this.#weights();
    const chosen = tensorName ?? (layer === 'input' ? this.#parts.tensor : undefined);
    if (chosen !== undefined) return tableOf(await roles.named(chosen));
    const role = await roles.role(layer);
    if (role === undefined) throw await roles.noTable(layer);
    const table = tableOf(await this.#tableOfRole(role));
    if (layer === 'input') await this.#compareRows(table.rows);
    return table;
  }

  async vector(name: string): Promise<Float32Array | undefined> {
    const tensor = await (await this.#weights()).set.find(name);
    if (tensor?.shape.length !== 1) return undefined;
    const strides = tensor.strides && [0, tensor.strides[0]];
    const row = await tableOf({ ...tensor, shape: [1, tensor.shape[0]], strides }).gather(Uint32Array.of(0));
    return row.data;
  }

  async roles(): Promise<Role[]> {
    return (await this.#weights()).roles.all();
  }

  async tied(): Promise<{ tied: boolean; reason: string } | null> {
    const { roles } = await this.#weights();
    const input = await roles.role('input');
    const output = await roles.role('output');
    if (input === undefined || output === undefined) return null;
    if (input.tensor === output.tensor) return { tied: true, reason: output.reason };
    const same = await isTied(await roles.named(input.tensor), await roles.named(output.tensor));
    const reason = `${output.tensor} ${same ? 'holds the bytes of' : 'differs from'} ${input.tensor}`;
    return { tied: same, reason };
  }

  async hasTokenizer(): Promise<boolean> {
    return this.#parts.wordsByTable === true || (await this.#findPlace()) !== undefined;
  }

  #findPlace(): Promise<TokenizerPlace | undefined> {
    this.#place ??= this.#parts.tokenizer();
    return this.#place;
  }

  tokenizer(): Promise<Tokenizer> {
    this.#tokenizer ??= this.#openTokenizer();
    return this.#tokenizer;
  }

  async close(): Promise<void> {
    // What did not open has nothing to close; who asked for it was told.
    const opened = await this.#opening?.catch(() => undefined);
    await (opened?.set ?? this.#parts.opened)?.close();
  }

  #weights(): Promise<{ set: TensorSet; roles: RoleFinder }> {
    this.#opening ??= this.#openWeights();
    return this.#opening;
  }

  async #openWeights(): Promise<{ set: TensorSet; roles: RoleFinder }> {
    const set = this.#parts.opened ?? (await this.#parts.open());
    if (Object.keys(this.config).length === 0) this.config = set.config ?? {};
    for (const line of set.notes) this.#parts.note(line);
    return { set, roles: new RoleFinder(this.name, this.config, this.#parts.tensor, set) };
  }

  async #openTokenizer(): Promise<Tokenizer> {
    const { files, borrowed, note } = this.#parts;
    const place = (await this.#findPlace()) ?? (await this.#wordsOfTable());
    if (place === undefined && this.#parts.wordsByTable === true) {
      throw new EmbError('missing', `${this.name}: which words depends on the table`, 'choose by --tensor');
    }
    if (place === undefined) throw await noTokenizer(files, this.name);
    const tokenizer = await place.open();
    if (borrowed === true) {
      const rows = await this.#largestTable();
      if (tokenizer.vocabSize > rows) {
        throw new EmbError(
          'missing',
          `${this.name}: brings no tokenizer, and ${place.name} has ${tokenizer.vocabSize} ids, expected at most ${rows}`,
          'name a tokenizer with --tokenizer, or give ids with --ids',
        );
      }
      note(`tokenizer: ${place.name}, which lies beside the file`);
    }
    if (this.#inputRows !== undefined) this.#noteRows(this.#inputRows, tokenizer.vocabSize);
    return tokenizer;
  }

  async #wordsOfTable(): Promise<TokenizerPlace | undefined> {
    if (this.#parts.wordsByTable !== true) return undefined;
    const { roles } = await this.#weights();
    const role = await roles.role('input');
    const own = role === undefined ? undefined : (await roles.named(role.tensor)).vocabulary;
    return own === undefined ? undefined : vocabularyPlace(own, this.name);
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

  async #largestTable(): Promise<number> {
    const { tensor } = this.#parts;
    const { set, roles } = await this.#weights();
    const tables = tensor === undefined ? await set.all() : [await roles.named(tensor)];
    return tables.reduce((most, { shape }) => (shape.length === 2 ? Math.max(most, shape[0]) : most), 0);
  }

  /** The table as it is looked up: mapped, weighted or unpacked where the model keeps it so. */
  async #tableOfRole({ layer, tensor: name }: Role): Promise<TensorInfo> {
    const { set, roles } = await this.#weights();
    const tensor = await roles.named(name);
    if (layer === 'input' && staticNames.includes(name)) {
      const { staticInput } = await import('./model2vec.ts');
      const found = staticInput({ name: this.name, tensors: await set.all() }, this.config);
      for (const line of found?.notes ?? []) this.#parts.note(line);
      if (found !== undefined) return found.tensor;
    }
    if (!packable.test(tensor.dtype) || tensor.reader !== undefined) return tensor;
    const { unpackedTable } = await import('./packed.ts');
    return unpackedTable(tensor, (other) => set.find(other), this.config);
  }

  async #readLayout(): Promise<ModelLayout> {
    const layout = readLayout(this.config);
    if (layout.positions.kind !== 'unknown') return layout;
    const { roles } = await this.#weights();
    const tables = await roles.candidates('position');
    if (tables.length !== 1) return layout;
    // OPT and RoBERTa leave two rows free: 2,050 and 514 rows for 2,048 and 512 positions.
    const rows = (await roles.named(tables[0].name)).shape[0];
    const offset = rows > 4 && Number.isInteger(Math.log2(rows - 2)) ? 2 : 0;
    return { ...layout, positions: { kind: 'learned', offset, max: layout.positions.max ?? rows - offset } };
  }
}
