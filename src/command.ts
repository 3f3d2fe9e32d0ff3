import type { Model, Report, Tokenizer } from './types.ts';

/**
 * How an option's value is read:
 * text as it is · integer: digits, also 50_000 and 1e3, exact · integers: a list of counts "768,1600" · number: finite ·
 * count: integer with k, M, B ("100M") · flag: no value.
 */
export type OptionType = 'flag' | 'text' | 'integer' | 'integers' | 'number' | 'count';

/** One command line option as data: parser, help, completions and tests are made from it. */
export interface OptionSpec {
  /** Long name without dashes; the value is found under its camelCase. */
  long: string;
  short?: string;
  /** Another long name of the same option. */
  alias?: string;
  type: OptionType;
  /** Placeholder in help: "n", "file", "ref". */
  value?: string;
  description: string;
  /** May stand several times; the value is then an array. */
  repeat?: boolean;
  choices?: readonly string[];
  min?: number;
  max?: number;
  /** Shown in help; commands apply it themselves when undefined is not what they want. */
  default?: string;
}

/** What options of a type become. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** One text of the input. */
export interface TextInput {
  /** The text's number from 0. */
  row: number;
  /** Null where the input has its tokens only. */
  text: string | null;
  /** Its tokens, where the input is what `tokenize -f jsonl` writes: they need not be found again. */
  ids?: Uint32Array;
  /** Its line of stdin or of a file, from 1; absent for an argument, and for a text of several lines. */
  line?: number;
}

/** One vector of the input. */
export interface VectorInput {
  /** Its number from 0; of JSON lines that of the line, so that what is passed over leaves a gap. */
  row: number;
  /** The token or the text that it is said to be of; null where the input has vectors only. */
  text: string | null;
  /** Shape: [dim] */
  vector: Float32Array;
  /** From 1; of JSON lines only. */
  line?: number;
}

/** Things of the input that are answered together. */
export interface Batch<T> {
  items: T[];
  /** Nothing follows, as far as is known. */
  ends: boolean;
}

/** What ids count, as errors say it. */
export type IdSpace = 'table' | 'vocabulary';

/** One sequence of ids of the input (--ids). */
export interface IdInput {
  row: number;
  ids: Uint32Array;
}

/** A progress line on stderr; silent unless stderr is a terminal and half a second has passed. */
export interface Progress {
  advance(amount: number): void;
  done(): void;
}

/** Known configuration without weights; see model/presets. */
export interface Preset {
  name: string;
  /** Other names, the hub's `org/name` among them. */
  aliases: readonly string[];
  title: string;
  /** Paper, config file or repository that the numbers come from. */
  source: string;
  /** Class of the transformers library whose parameters are counted: with a pooler, with a head, or neither. */
  counted: string;
  /** Built-in encoding that is the model's tokenizer, where there is one. */
  encoding?: string;
  config: Readonly<PresetConfig>;
}

/**
 * What the parameter count follows from. An absent number is a part that the architecture does not have, an absent flag is no;
 * widths that are absent follow from others, as said.
 */
export interface PresetConfig {
  architecture: 'transformer' | 'encoder-decoder' | 'mamba';
  vocab: number;
  dim: number;
  /** Layers; of the encoder in an encoder-decoder. */
  layers: number;
  decoderLayers?: number;
  /** All layers are one and the same (ALBERT). */
  sharedLayers?: boolean;
  /** Width of the token table when it is not dim (factorized). */
  embeddingDim?: number;
  projectionBias?: boolean;
  /** A second projection leads back to the table's width (OPT-350m). */
  projectionBack?: boolean;
  /** Rows of the learned position table (of each stack in an encoder-decoder). */
  positions?: number;
  /** Width of the position table when it is not the token table's (OPT-350m). */
  positionDim?: number;
  /** Rows of the token type table. */
  types?: number;
  /** Buckets of a learned relative position bias, one number per head, shared by the layers of a stack (T5, MPNet). */
  relativeBuckets?: number;
  /** Rows of a table of relative positions, with a norm of its own (DeBERTa). */
  relativeRows?: number;
  heads?: number;
  /** Default: heads. */
  kvHeads?: number;
  /** Default: dim / heads. */
  headDim?: number;
  qkvBias?: boolean;
  outBias?: boolean;
  /** Norms of queries and keys: one per head dimension, or one per dimension of all heads. */
  qkNorm?: 'head' | 'all';
  /** One learned attention sink per head (gpt-oss). */
  sinks?: boolean;
  /** Multi-head latent attention (DeepSeek): ranks of the compressed queries (absent: not compressed) and keys / values. */
  queryRank?: number;
  kvRank?: number;
  /** Latent attention: width per head without and with rotary position, and of values. */
  nopeDim?: number;
  ropeDim?: number;
  valueDim?: number;
  /** Inner width of the feed-forward part. */
  ffn?: number;
  /** Three matrices instead of two. */
  gated?: boolean;
  mlpBias?: boolean;
  /** Mixture of experts: how many, of them read per token, their inner width (default: ffn). */
  experts?: number;
  activeExperts?: number;
  expertFfn?: number;
  /** The first layers have an ordinary feed-forward part. */
  denseLayers?: number;
  /** Inner width of what every token passes beside the experts, and whether it has a gate. */
  sharedFfn?: number;
  sharedGate?: boolean;
  routerBias?: boolean;
  /** layer: scale and shift. rms: scale only. none: neither. */
  norm: 'layer' | 'rms' | 'none';
  /** Norms of a layer; of an encoder-decoder's encoder layer, whose decoder layers have one more. */
  layerNorms: number;
  /** The first layer has so many norms less (ModernBERT). */
  firstLayerLacksNorms?: number;
  embeddingNorm?: boolean;
  finalNorm?: boolean;
  head: 'tied' | 'untied' | 'none';
  headBias?: boolean;
  /** dim x dim with bias, on the first token. */
  pooler?: boolean;
  /** A dense layer and one output per token (ELECTRA). */
  discriminator?: boolean;
  /** Width that texts are projected to (CLIP). */
  textProjection?: number;
  /** State space: values of state per channel, width of the convolution, growth of the inner width. */
  stateSize?: number;
  convolution?: number;
  expansion?: number;
}

/** One end of the line between two threads. */
export interface ThreadPort {
  /** What is transferred is gone here afterwards. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** The next message, in the order in which they were posted. @throws what ended the other thread, EmbErrors as they were thrown */
  receive(): Promise<unknown>;
}

/** Another thread, as the one that started it has it. */
export interface WorkerThread extends ThreadPort {
  stop(): Promise<void>;
}

/** What a command gets; it does no I/O of its own. */
export interface Context {
  readonly args: readonly string[];
  readonly options: OptionValues;
  /** Name of the renderer that will print the report. */
  readonly format: string;
  /** Opens a REF; without one the scratch layer of --vocab, --dim, --seed, --std, --padding-idx, --init. */
  open(ref: string | undefined): Promise<Model>;
  /** Opens another file of the command line (--projection): -m's options are not for it. */
  openAside(ref: string): Promise<Model>;
  /** FILE or FILE:TENSOR; a path that exists is never cut. */
  splitRef(ref: string): { path: string; tensor: string | undefined };
  /** -m or EMB_MODEL; undefined means the scratch layer. */
  readonly modelRef: string | undefined;
  /** --tokenizer, else the model's own; a built-in encoding, a file or a model REF. */
  tokenizer(model: Model | undefined): Promise<Tokenizer>;
  /** A tokenizer by its own REF (a built-in encoding, a preset, a file, a model). */
  tokenizerOf(ref: string): Promise<Tokenizer>;
  presets(): Promise<readonly Preset[]>;
  /** The preset of that name; undefined for an existing path, which comes first, and for every other name. */
  preset(ref: string): Promise<Preset | undefined>;
  /** The built-in encoding of a model that is known by its name only (gpt-4). */
  encodingOf(model: string): Promise<string | undefined>;
  /** What the command line gives to look at. none: no argument, no --ids, --token, --file or --input. */
  inputKind(): 'texts' | 'ids' | 'vectors' | 'none';
  /** All texts or ids stand on the command line: neither stdin nor a file is read for them. */
  inputIsGiven(): boolean;
  /** Texts of the positional arguments, else of --file or stdin as --input says. */
  texts(): AsyncIterable<TextInput>;
  /** Sequences of --ids (or stdin for `-`, or --input ids) and of --token. `all` needs the row count. */
  idSequences(rows: number, tokenizer: () => Promise<Tokenizer>, of?: IdSpace): AsyncIterable<IdInput>;
  /** Vectors of `--input npy|f32|jsonl -`. */
  vectors(dim: number | undefined): Promise<{ data: Float32Array; rows: number; dim: number }>;
  /** Vectors of a file, or of stdin for `-` (--vectors): npy, json lines with "vector" or "embedding", raw float32; as --input says, else told by content. */
  vectorsOf(
    path: string,
    dim: number | undefined,
  ): Promise<{ data: Float32Array; rows: number; dim: number }>;
  /** The same one by one, JSON lines as they arrive; without a path those of `--input npy|f32`. */
  vectorRows(path: string | undefined, dim: number): AsyncIterable<VectorInput>;
  /** Items in batches of at most so many. A pause of the writer ends one, and what it was answered leaves at the next. */
  batches<T>(items: AsyncIterable<T>, most: number): AsyncIterable<Batch<T>>;
  /** Passes over a line of the input, with its number on stderr; the exit code is 1 then. @throws EmbError "corrupt" with --strict */
  passOver(line: number, message: string): void;
  /** Lines of a file that an option or an argument names, of stdin for `-`. */
  linesOf(path: string): AsyncIterable<string>;
  /** A line on stderr, unless --quiet; the same message once. */
  note(message: string): void;
  progress(total: number, unit: string): Progress;
  /** The same while answers are printed: silent where they go to the terminal themselves. */
  progressBeside(total: number | undefined, unit: string): Progress;
  /** How many threads can run at a time. */
  cores(): number;
  /** Starts `count` threads that run a job of cli/worker.ts; fewer, or none, where that is not possible. */
  startWorkers(count: number, job: string, data: unknown): Promise<WorkerThread[]>;
}

/** One command: one file in src/commands, one line in its index. */
export interface Command {
  name: string;
  summary: string;
  /** Arguments in help: "[text...]", "[ref...]". */
  usage: string;
  /** More help: what the command says and how to read it. */
  description?: string;
  options: readonly OptionSpec[];
  /** Names of option groups that cli adds: model (-m ...), tokenizer, input, scratch. */
  groups: readonly ('model' | 'tokenizer' | 'input' | 'scratch')[];
  /** What --input can be, where that is not all of it. */
  inputs?: readonly string[];
  /** Renderers that make sense, the default first. */
  formats: readonly string[];
  /** Another default where options change what is printed (tokenize --decode prints text). */
  defaultFormat?(options: OptionValues): string | undefined;
  /** True where every text is answered for itself, so that threads may share them; the command then takes --threads. */
  perText?(options: OptionValues): boolean;
  /** Full command lines, run by a test. */
  examples: readonly { line: string; says: string }[];
  run(context: Context): Promise<Report>;
}
