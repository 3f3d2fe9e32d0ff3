import type { NdArray } from 'ndarray';
import type { ModelLayout } from './layout.ts';

export type { ModelLayout, PositionLayout } from './layout.ts';

/** ndarray over one contiguous row-major Float32Array; rank 2 or 3 ([batch, seq, dim]). Hot loops take .data. */
export type Matrix = NdArray<Float32Array>;

/** Bytes of a file, a URL or a buffer. read gives exactly [start, end) or throws EmbError "corrupt" / "missing". */
export interface ByteSource {
  /** As the user would name it, for errors. */
  readonly name: string;
  readonly byteLength: number;
  /** Reads into `into` (at least end - start bytes long) when given; the result is a view of exactly end - start bytes. */
  read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Reads many ranges into one memory, coalescing neighbors. spans: start, end and the range's place in `into`, for each. */
  readMany(spans: Float64Array, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** `blockBytes` bytes hold `blockWeights` weights; F32 is a block of one in four bytes. */
export interface DType {
  readonly name: string;
  readonly blockWeights: number;
  readonly blockBytes: number;
  /** True when some values are no float32 and are rounded once (F64, I32, I64, U32, U64). */
  readonly rounds?: boolean;
  /** Decodes src.length / blockBytes blocks. src need not be aligned. */
  decode(src: Uint8Array, out: Float32Array): void;
}

/** shape: outermost first in every format. offset: absolute bytes in source. strides: in weights, only when not row-major. */
export interface TensorInfo {
  name: string;
  shape: number[];
  dtype: string;
  offset: number;
  byteLength: number;
  source: ByteSource;
  strides?: number[];
  /** Weights are stored most significant byte first. */
  bigEndian?: boolean;
  /** Rows that are no fixed blocks at an offset (text, gz, subwords, mapped rows) bring their own reader. */
  reader?: () => RowReader;
}

/** The rows of a 2-D tensor as float32. */
export interface RowReader {
  readonly rows: number;
  readonly dim: number;
  /** Some values are no float32 and are rounded once. */
  readonly rounds: boolean;
  /** True for an id that gather takes though it is not below rows: a word out of vocabulary, put together from its parts. */
  composes?(id: number): boolean;
  /** Writes the row of ids[i] to out[i * dim ...]. Every id is below rows or composes. */
  gather(ids: Uint32Array, out: Float32Array): Promise<void>;
  /** All rows in order, in blocks of bounded size that reuse one buffer. */
  scan(): AsyncIterable<RowBlock>;
}

/** An array in a file's metadata, decoded when it is asked for. */
export interface MetadataArray {
  /** As the format names it: string, int32, array ... */
  readonly elementType: string;
  readonly length: number;
  /** The first `most` elements; all of them when absent. */
  values(most?: number): Promise<unknown[]>;
}

/** What a file says of itself. Values are scalars, strings, plain JSON, or a MetadataArray. */
export interface Metadata extends Iterable<[string, unknown]> {
  readonly size: number;
  get(key: string): unknown;
}

/** Words of a file of word vectors, by row. */
export interface WordList {
  readonly size: number;
  /** UTF-8 as a rule, but old files have other bytes. */
  bytesOf(id: number): Uint8Array;
  /** The first row of these bytes. */
  idOf(word: Uint8Array): number | undefined;
  /** An id beyond the rows for a word out of vocabulary, whose row the table's reader composes (fastText). */
  compose?(word: Uint8Array): number | undefined;
}

/** The vocabulary that a tensor file carries; tokenizers/ makes a Tokenizer of it. */
export type FileVocabulary =
  | { kind: 'words'; open(): Promise<WordList> }
  /** tokenizer.ggml.* keys. */
  | { kind: 'gguf'; metadata: Metadata };

/** Which tensor plays a role, where the file itself tells (an ONNX graph, a fastText model). */
export interface FileRole {
  layer: Layer;
  tensor: string;
  reason: string;
}

/** A tensor container whose header is read and whose weights are not. */
export interface TensorFile {
  /** safetensors, npy, ... */
  readonly format: string;
  readonly name: string;
  readonly tensors: TensorInfo[];
  /** File-level metadata: safetensors `__metadata__`, GGUF key values. */
  readonly metadata: Metadata;
  readonly roles?: readonly FileRole[];
  readonly vocabulary?: FileVocabulary;
  /** What the file says in the words of a config.json (GGUF: vocab_size, hidden_size, model_type ...). */
  readonly config?: Config;
  /** What was odd but readable, one line each. */
  readonly notes?: readonly string[];
  close(): Promise<void>;
}

/** Where files lie beside each other: a folder, a snapshot in a cache, a repository on a hub. */
export interface Files {
  /** As the user would name it, for errors. */
  readonly name: string;
  /** Names of the files, with / between folders, sorted. */
  list(): Promise<readonly string[]>;
  /** undefined when there is no such file. @throws EmbError "corrupt" for a name that leads outside */
  open(name: string): Promise<ByteSource | undefined>;
}

/** Some rows of a table, in a buffer that the next block reuses. */
export interface RowBlock {
  /** Index of the first row. */
  start: number;
  rows: number;
  /** rows * dim values, row-major. */
  data: Float32Array;
}

/** What part of the model a table plays. */
export type Layer = 'input' | 'output' | 'position' | 'type';

export interface EmbeddingTable {
  /** Tensor name in the file; `weight` for the scratch layer. */
  readonly tensorName: string;
  readonly dtype: string;
  readonly rows: number;
  readonly dim: number;
  /** Bytes as stored; for the scratch layer rows * dim * 4. */
  readonly byteLength: number;
  /** "random init, seed 0, untrained" for a scratch table, otherwise undefined. */
  readonly label?: string;
  /** True when decoding rounds (F64, I32, I64). */
  readonly rounds: boolean;
  /** @throws EmbError "range" for an id >= rows, naming the id and the row count. Shape: ids [n] → [n, dim], in `into` when given and large enough. */
  gather(ids: Uint32Array, into?: Float32Array): Promise<Matrix>;
  /** All rows in order, in blocks of bounded size that reuse one buffer. */
  scan(): AsyncIterable<RowBlock>;
}

/** start, end: UTF-16 offsets into the text; equal for tokens the template added. bytes: what the token stands for. */
export interface Token {
  id: number;
  /** The piece as the vocabulary writes it. */
  text: string;
  bytes: Uint8Array;
  start: number;
  end: number;
  special: boolean;
}

/** Where ids go without an object per token. push grows ids as needed; starts and ends are kept only when present. */
export interface IdSink {
  ids: Uint32Array;
  length: number;
}

export interface EncodeOptions {
  /** Apply the post-processor's template ([CLS] ... [SEP], <s>); default true. */
  template?: boolean;
  /** Parse special tokens that are spelled in the text. Default: true for a tokenizer.json, false for built-in encodings. */
  allowSpecial?: boolean;
}

/** The hot path makes no objects: ids in typed arrays; Tokens are built for display. */
export interface Tokenizer {
  /** tiktoken, bpe, wordpiece, ... */
  readonly kind: string;
  /** gpt2, cl100k_base, or the file it came from. */
  readonly name: string;
  /** Highest id + 1. */
  readonly vocabSize: number;
  encodeIds(text: string, into: IdSink, options?: EncodeOptions): void;
  encode(text: string, options?: EncodeOptions): Token[];
  /** Ids to bytes; special tokens as their text. @throws EmbError "range" for an unknown id. */
  decodeBytes(ids: ArrayLike<number>): Uint8Array;
  /** The piece as the vocabulary writes it; undefined for an id without entry. */
  tokenOf(id: number): string | undefined;
  /** What the token stands for, as bytes. */
  bytesOf(id: number): Uint8Array | undefined;
  /** An exact vocabulary piece ('Ġworld', '[CLS]'), else the token of exactly these UTF-8 bytes (' world'). */
  idOf(token: string): number | undefined;
  isSpecial(id: number): boolean;
  /** Names close to one that is missing, nearest first, for "did you mean". */
  suggest(token: string, count: number): string[];
}

/** config.json as it was written; {} when there is none. Read through model/layouts, never trusted. */
export type Config = Readonly<Record<string, unknown>>;

export interface Model {
  /** As captions show it: the REF, or "scratch". */
  readonly name: string;
  readonly format: string;
  readonly config: Config;
  /** Absent for the scratch layer. */
  readonly layout?: ModelLayout;
  readonly metadata: Map<string, unknown>;
  /** Files the model was opened from, as paths. */
  readonly files: string[];
  tensors(): TensorInfo[];
  /** Finds the tensor of a role, or the named one. @throws EmbError "missing" listing candidates. */
  table(layer?: Layer, tensorName?: string): Promise<EmbeddingTable>;
  /** A 1-D tensor (a bias) whole; undefined when there is none of this name. Absent for the scratch layer. */
  vector?(name: string): Promise<Float32Array | undefined>;
  /** Which tensor plays which role and why; roles that no tensor plays are absent. */
  roles(): { layer: Layer; tensor: string; reason: string }[];
  /** Whether input and output embedding are one table, by their bytes where the file has both; null: no output embedding. Cost: may read both. */
  tied?(): Promise<{ tied: boolean; reason: string } | null>;
  /** @throws EmbError "missing" when the model brings none. */
  tokenizer(): Promise<Tokenizer>;
  hasTokenizer(): boolean;
  close(): Promise<void>;
}

/** A value in a report. Uint8Array is shown as hex; null is unknown; a SubTable is a table inside a cell. */
export type Cell = string | number | bigint | boolean | null | Uint8Array | number[] | SubTable;

export interface SubTable {
  columns: Column[];
  rows: Cell[][];
}

/**
 * kind decides how renderers show a cell:
 * text: untrusted or free text, escaped · name: the same, cut in its middle where room is short · shape: number[], 2 x 3 ·
 * token: bytes of a token (Uint8Array) or a string, shown with ␣ and <0xE4> ·
 * bytes: hex · id / count: integers (count gets thousands separators in tables) · number: 4 significant decimals in tables ·
 * float32: a number that is one, printed shortest as such ·
 * size: a byte count (binary units in tables) · share: 0..1, per cent in tables · bar: a number drawn as a bar in tables · flag: boolean · table: SubTable
 */
export type ColumnKind =
  | 'text'
  | 'name'
  | 'shape'
  | 'token'
  | 'bytes'
  | 'id'
  | 'count'
  | 'number'
  | 'float32'
  | 'size'
  | 'share'
  | 'bar'
  | 'flag'
  | 'table';

export interface Column {
  /** Stable key in JSON and CSV. */
  key: string;
  /** Heading in tables; the key when absent. */
  title?: string;
  kind: ColumnKind;
  /** Which outputs show it; default 'all'. */
  where?: 'all' | 'machine' | 'table';
}

/** Some rows of cells and, beside them, their matrix. */
export interface Block {
  cells: Cell[][];
  /** Shape: [cells.length, dim]; valid until the next block is asked for. */
  matrix?: Matrix;
  /** Number of the text (sequence) that these rows belong to, from 0. */
  sequence: number;
  /** True on the last block of a sequence. */
  ends: boolean;
  /** With --pad: how many of this sequence's rows are real; the rest is zeros. */
  realRows?: number;
}

/** Numbers stay numbers until a renderer prints them. */
export interface Report {
  columns: Column[];
  blocks: AsyncIterable<Block>;
  /** What was read: model, tensor, dtype, shape, tokenizer. On stdout for table and heatmap, on stderr otherwise. */
  caption?: string[];
  /** rows: a stream of rows. records: few wide records, which tables show side by side, fields down. */
  layout: 'rows' | 'records';
  /** json prints one object instead of an array. */
  single?: boolean;
  /** Key of the table column that csv, tsv and jsonl print instead of the record. */
  rowsKey?: string;
  /** Present when blocks carry matrices. */
  vectors?: {
    dim: number;
    /** npy [batch, seq, dim] and torch one [batch, seq, dim]: --pad, or --ids sequences of one length. */
    padded: boolean;
    /** torch prints grad_fn=<NAME>; only for a plain lookup. */
    gradFn?: string;
    /** dtype that torch and numpy print: float32 unless --dtype says otherwise. */
    dtype: 'float32' | 'float16' | 'bfloat16' | 'float64';
    /** [rows, dim], or [batch, seq, dim] when padded, if it is known before the first block: npy then needs no temporary file. */
    shape?: readonly number[];
  };
  /** Key of the column that -f text prints, one line a row. */
  plainKey?: string;
  /** What exit code 3 stands for. */
  status?: 'found';
}

/** Where renderers write. Strings are UTF-8. */
export interface Sink {
  write(chunk: string | Uint8Array): void;
  /** Gives what is buffered to the reader. Awaited by renderers between blocks so that signals and timers can run. */
  flush(): Promise<void>;
  /** A place for bytes whose length must be known before the first of them is written. */
  spool(): Spool;
}

/** Bytes set aside on disk: memory does not grow with them. */
export interface Spool {
  write(chunk: Uint8Array): void;
  readonly byteLength: number;
  /** Writes everything to `into` and discards the spool. */
  drain(into: Sink): Promise<void>;
  discard(): void;
}

export interface RenderOptions {
  /** Significant decimals in tables; undefined means 4. torch and numpy: their own precision, default 4 and 8. */
  precision?: number;
  /** Elide nothing. */
  full: boolean;
  /** True when a terminal shows the output: nothing raw may reach it. */
  terminal?: boolean;
  /** Columns of the terminal, 80 when there is none. */
  width: number;
  /** 0 none, 1 sixteen colors, 2 256 colors, 3 true color. */
  color: 0 | 1 | 2 | 3;
  /** heatmap: how many dimensions to show. */
  shownColumns?: number;
  /** heatmap: low and high end of the scale; default symmetric around 0. */
  range?: [number, number];
  /** Terminal background, for heatmap contrast; unknown is undefined. */
  note(message: string): void;
  /** Registers what to do when the writer of our input pauses: emit rows that were held back. */
  onPause(emit: () => void): void;
}

/** One output format: one file in src/render, one line in its index. */
export interface Renderer {
  name: string;
  /** File endings that choose it, without dot. */
  endings: string[];
  binary: boolean;
  /** Needs matrices: refused for reports without vectors. */
  needsVectors: boolean;
  /** The caption goes to stdout inside the output; otherwise cli sends it to stderr. */
  captioned: boolean;
  render(report: Report, sink: Sink, options: RenderOptions): Promise<void>;
}
