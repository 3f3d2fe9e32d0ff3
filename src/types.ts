import type { NdArray } from 'ndarray';
import type { HalfRows, Metadata, RowBlock, ScanParts, TableOrigin, TensorInfo } from './files.ts';
import type { Layer, ModelLayout } from './layout.ts';

export type {
  ByteSource,
  DType,
  Environment,
  FileRole,
  FileStamp,
  Files,
  FileVocabulary,
  HalfRows,
  Metadata,
  MetadataArray,
  PackedStrings,
  RowBlock,
  RowReader,
  ScanParts,
  TableOrigin,
  TensorFile,
  TensorInfo,
  WordList,
} from './files.ts';
export type { Layer, ModelLayout, PositionLayout } from './layout.ts';
export type {
  Block,
  Cell,
  Column,
  ColumnKind,
  Renderer,
  RenderOptions,
  Report,
  Sink,
  Spool,
  SubTable,
} from './report.ts';

/** ndarray over one contiguous row-major Float32Array; rank 2 or 3 ([batch, seq, dim]). Hot loops take .data. */
export type Matrix = NdArray<Float32Array>;

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
  /** As RowReader has it. */
  scanParts?(parts: ScanParts): AsyncIterable<RowBlock | HalfRows>;
  /** Where another thread finds the same rows: only for fixed blocks in a local file. */
  readonly origin?: TableOrigin;
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
  /** What made it; absent where the tokenizer does not say. */
  stage?: TokenStage;
}

/** added token: found in the text before the model saw it · byte fallback: the model's name of a byte · padding, template: no part of the text. */
export type TokenStage = 'added token' | 'model' | 'byte fallback' | 'unknown' | 'template' | 'padding';

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
  /** Truncate and pad as the tokenizer's file says; default false. */
  fit?: boolean;
}

/** A part of a word while it merges: the id of a token, or the text of what is no token. */
export type MergeSymbol = number | string;

/**
 * One merge of byte pair encoding: the pair, its rank (or the score of what it becomes, where pieces merge by their scores), what it
 * becomes and the word afterwards. All but ids is null before the first merge, and in a last step that no merge made: bytes or the unknown
 * token take the place of what is no token.
 */
export interface MergeStep {
  rank: number | null;
  score: number | null;
  left: MergeSymbol | null;
  right: MergeSymbol | null;
  merged: MergeSymbol | null;
  ids: MergeSymbol[];
}

/** The merges that made a word's tokens. */
export interface MergedWord {
  steps: MergeStep[];
}

/** A piece of the vocabulary that stands somewhere in a word. Places count bytes of the word's UTF-8. */
export interface WeighedPiece {
  start: number;
  end: number;
  id: number;
  /** Of the piece, and the best sum of scores up to its end by way of it (PLaMo 2: from its start to the end of the text); null where nothing is added up. */
  score: number | null;
  total: number | null;
  /** It is one of the word's tokens. */
  chosen: boolean;
}

/** The pieces that a word might consist of. */
export interface WeighedWord {
  /** As the normalizer leaves it. */
  word: string;
  pieces: WeighedPiece[];
}

/** How a word of a text, as the pre-tokenizer cut it, became its tokens. Where nothing cuts words, a word is what merges on its own, or the text. */
export type ExplainedWord = MergedWord | WeighedWord;

/**
 * merges: by their ranks · scored merges: the neighbors whose joined piece has the highest score first · pieces: weighed (Unigram), or
 * looked for, the longest first (WordPiece, RWKV) · words, characters: looked up as they are.
 */
export type Explanation = 'merges' | 'scored merges' | 'pieces' | 'words' | 'characters';

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
  /** What explain gives. */
  readonly explains: Explanation;
  /** The words of a text and how they became tokens, without added tokens and the template. @throws EmbError "range" for words too long to print, and what encode throws */
  explain(text: string, options?: EncodeOptions): Iterable<ExplainedWord>;
  /** Ids to bytes; special tokens as their text. @throws EmbError "range" for an unknown id. */
  decodeBytes(ids: ArrayLike<number>): Uint8Array;
  /** The piece as the vocabulary writes it; undefined for an id without entry. */
  tokenOf(id: number): string | undefined;
  /** What the token stands for, as bytes. */
  bytesOf(id: number): Uint8Array | undefined;
  /** An exact vocabulary piece ('Ġworld', '[CLS]'), else the token of exactly these UTF-8 bytes (' world'). */
  idOf(token: string): number | undefined;
  isSpecial(id: number): boolean;
  /** How many tokens the template puts before a text and after it; absent where it puts none, or some within. */
  readonly template?: { before: number; after: number } | undefined;
  /** What stands for text that the vocabulary has no tokens for; absent where the model has no such token. */
  readonly unknownId?: number;
  /** Names close to one that is missing, nearest first, for "did you mean". */
  suggest(token: string, count: number): string[];
}

/** config.json as it was written; {} when there is none. Read through model/layouts, never trusted. */
export type Config = Readonly<Record<string, unknown>>;

/** What is in a model's files. */
export interface ModelContents {
  /** safetensors, gguf, ...; scratch */
  format: string;
  /** Files the model was opened from, as paths. */
  files: string[];
  tensors: TensorInfo[];
  metadata: Metadata;
}

export interface Model {
  /** As captions show it: the REF, or "scratch". */
  readonly name: string;
  readonly config: Config;
  /** undefined for the scratch layer. */
  layout(): Promise<ModelLayout | undefined>;
  /** Cost: the headers of all weight files. */
  contents(): Promise<ModelContents>;
  /** Finds the tensor of a role, or the named one. @throws EmbError "missing" listing candidates. */
  table(layer?: Layer, tensorName?: string): Promise<EmbeddingTable>;
  /** A 1-D tensor (a bias) whole; undefined when there is none of this name. Absent for the scratch layer. */
  vector?(name: string): Promise<Float32Array | undefined>;
  /** Which tensor plays which role and why; roles that no tensor plays are absent. */
  roles(): Promise<{ layer: Layer; tensor: string; reason: string }[]>;
  /** Whether input and output embedding are one table, by their bytes where the file has both; null: no output embedding. Cost: may read both. */
  tied?(): Promise<{ tied: boolean; reason: string } | null>;
  /** @throws EmbError "missing" when the model brings none. */
  tokenizer(): Promise<Tokenizer>;
  hasTokenizer(): Promise<boolean>;
  close(): Promise<void>;
}
