import type { Model, Report, Tokenizer } from './types.ts';

/**
 * How an option's value is read:
 * text as it is · integer: digits, also 50_000 and 1e3, exact · integers: a list "768,1600" · number: finite ·
 * count: integer with k, M, B ("100M") · flag: no value.
 */
export type OptionType = 'flag' | 'text' | 'integer' | 'integers' | 'number' | 'count';

/** One command line option as data: parser, help, completions and tests are made from it. */
export interface OptionSpec {
  /** Long name without dashes; the value is found under its camelCase. */
  long: string;
  short?: string;
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
  text: string;
}

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
  aliases?: readonly string[];
  title: string;
  /** Paper, config file or repository that the numbers come from. */
  source: string;
  config: Readonly<PresetConfig>;
}

/** What the parameter count follows from. Absent: the architecture has no such part. */
export interface PresetConfig {
  architecture: string;
  vocab: number;
  dim: number;
  layers: number;
  [key: string]: number | string | boolean | undefined;
}

/** What a command gets; it does no I/O of its own. */
export interface Context {
  readonly args: readonly string[];
  readonly options: OptionValues;
  /** Name of the renderer that will print the report. */
  readonly format: string;
  /** Opens a REF; without one the scratch layer of --vocab, --dim, --seed, --std, --padding-idx, --init. */
  open(ref: string | undefined): Promise<Model>;
  /** -m or EMB_MODEL; undefined means the scratch layer. */
  readonly modelRef: string | undefined;
  /** --tokenizer, else the model's own; a built-in encoding, a file or a model REF. */
  tokenizer(model: Model | undefined): Promise<Tokenizer>;
  /** A tokenizer by its own REF (a built-in encoding, a preset, a file, a model). */
  tokenizerOf(ref: string): Promise<Tokenizer>;
  presets(): Promise<readonly Preset[]>;
  /** What the command line gives to look at. none: no argument, no --ids, --token, --file or --input. */
  inputKind(): 'texts' | 'ids' | 'vectors' | 'none';
  /** Texts of the positional arguments, else of --file or stdin as --input says. */
  texts(): AsyncIterable<TextInput>;
  /** Sequences of --ids (or stdin for `-`, or --input ids) and of --token. `all` needs the row count. */
  idSequences(rows: number, tokenizer: () => Promise<Tokenizer>): AsyncIterable<IdInput>;
  /** Vectors of `--input npy|f32|jsonl -`. */
  vectors(dim: number | undefined): Promise<{ data: Float32Array; rows: number; dim: number }>;
  /** A line on stderr, unless --quiet; the same message once. */
  note(message: string): void;
  progress(total: number, unit: string): Progress;
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
  /** Renderers that make sense, the default first. */
  formats: readonly string[];
  /** Another default where options change what is printed (tokenize --decode prints text). */
  defaultFormat?(options: OptionValues): string | undefined;
  /** Full command lines, run by a test. */
  examples: readonly { line: string; says: string }[];
  run(context: Context): Promise<Report>;
}
