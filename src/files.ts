import type { Config, Layer } from './types.ts';

/** Bytes of a file, a URL or a buffer. read gives exactly [start, end) or throws EmbError "corrupt" / "missing". */
export interface ByteSource {
  /** As the user would name it, for errors. */
  readonly name: string;
  readonly byteLength: number;
  /** Reads into `into` (at least end - start bytes long) when given; the result is a view of exactly end - start bytes. */
  read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array>;
  /** read by another thread, so that the caller can work meanwhile; only where reading is copying, as from a local file. */
  readBeside?(start: number, end: number, into: Uint8Array): Promise<Uint8Array>;
  /** Reads many ranges into one memory, coalescing neighbors. spans: start, end and the range's place in `into`, for each. */
  readMany(spans: Float64Array, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Where another thread can open the same bytes; only for a local file. */
  readonly path?: string;
  /** What changes whenever the bytes do; only of a local file that is still where it was. */
  stamp?(): FileStamp | undefined;
}

/** What the operating system says of a file. Nobody writes to a file without changing it, within what its clock can tell apart. */
export interface FileStamp {
  /** The same for no two files of this machine: device and number, in letters and digits. */
  readonly file: string;
  /** Path without links, size, and both times to the nanosecond. */
  readonly state: string;
  /** When it changed last, in milliseconds since 1970. */
  readonly changed: number;
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
  /** Where present it is awaited before the first decode: brings the decoder, and its SIMD twin when so many weights are worth it. */
  load?(weights: number): Promise<void>;
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
  /** The words of its rows, where one file holds several tables, each with its own. */
  vocabulary?: FileVocabulary;
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
  /** Only where rows are fixed blocks one after the other: the blocks of scan that `parts` asks for. */
  scanParts?(parts: ScanParts): AsyncIterable<RowBlock | HalfRows>;
}

/** Strings as they lie in a file, one after the other: string i is bytes[starts[i], ends[i]). */
export interface PackedStrings {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** An array in a file's metadata, decoded when it is asked for. */
export interface MetadataArray {
  /** As the format names it: string, int32, array ... */
  readonly elementType: string;
  readonly length: number;
  /** The first `most` elements; all of them when absent. */
  values(most?: number): Promise<unknown[]>;
  /** All strings without decoding one. Only where the elements are strings. */
  strings?(): Promise<PackedStrings>;
  /** All numbers; those of 64 bits are rounded. Only where the elements are numbers or booleans. */
  numbers?(): Promise<ArrayLike<number>>;
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

/** Rows of 16-bit floats as they are stored, little endian, in a buffer that the next block reuses. */
export interface HalfRows {
  start: number;
  rows: number;
  /** rows * dim values, row-major. */
  halves: Uint16Array;
  type: 'BF16' | 'F16';
}

/** Which blocks a scan takes, and how it gives them. */
export interface ScanParts {
  /** The next block's number, from 0; a scan ends at one that is not there. Threads that share a counter share the blocks. */
  next(): number;
  /** 16-bit floats come as they are stored. */
  halves: boolean;
}

/** Where another thread finds the rows of a table. All of it can be sent to one. */
export interface TableOrigin {
  path: string;
  /** Length of the file when it was opened. */
  fileBytes: number;
  tensor: Omit<TensorInfo, 'source' | 'reader' | 'vocabulary'>;
}

/** Variables that a run was started with, as process.env has them. Read in cli/ only and passed on. */
export type Environment = Readonly<Record<string, string | undefined>>;
