import type { Matrix } from './types.ts';

/** A value in a report. Uint8Array is shown as hex; string[] is pieces of a text; null is unknown; a SubTable is a table inside a cell. */
export type Cell =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | (number | null)[]
  | string[]
  | SubTable;

export interface SubTable {
  columns: Column[];
  rows: Cell[][];
}

/**
 * kind decides how renderers show a cell:
 * text: untrusted or free text, escaped · prose: the same, on several lines where room is short · name: the same, cut in its middle where room is short · shape: number[], 2 x 3 ·
 * token: bytes of a token (Uint8Array) or a string, shown with ␣ and <0xE4> ·
 * bytes: hex · id / count: integers (count gets thousands separators in tables) · number: 4 significant decimals in tables ·
 * float32: a number that is one, printed shortest as such ·
 * size: a byte count (binary units in tables) · share: 0..1, per cent in tables · bar: a number drawn as a bar in tables · flag: boolean · table: SubTable
 */
export type ColumnKind =
  | 'text'
  | 'prose'
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
  /** Instead of cells, where a report has one column of ids and nothing else. Valid until the next block is asked for. */
  ids?: Uint32Array;
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
    /** What pictures call the dimensions, where they are no d0, d1, ...: those of a matrix of pairs. Untrusted text. Shape: [dim] */
    names?: readonly string[];
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
  /** What was printed before goes on: no header. */
  continued?: boolean;
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
