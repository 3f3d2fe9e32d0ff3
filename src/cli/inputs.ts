import { pathExists, RecordStream } from '../bytes/input.ts';
import type { IdInput, IdSpace, OptionValues, Progress, TextInput } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { VectorKind } from '../model/vectors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Tokenizer } from '../types.ts';
import { parseIds } from './ids.ts';
import { readJsonIds, readJsonTexts } from './json-texts.ts';

const inputKinds = ['lines', 'jsonl', 'ids', 'npy', 'f32'] as const;
type InputKind = (typeof inputKinds)[number];

/** What the inputs need from the run that they belong to. */
export interface InputHost {
  args: readonly string[];
  options: OptionValues;
  /** Arguments are texts, a lone - is stdin; elsewhere they name models. */
  textArguments: boolean;
  /** The command reads stdin when it is given nothing else. */
  readsUnasked: boolean;
  note(message: string): void;
  onPause(): void;
  /** Counts texts that are read. */
  progress(): Progress;
  /** Counts and says a line that was passed over; with --strict it throws. */
  skip(line: number, message: string): void;
}

/** Texts that were not read, and the number of the first of them. */
export interface RestOfTexts {
  stream: RecordStream;
  row: number;
}

/** The inputs of one command line: texts, id sequences or vectors, from arguments, --file or stdin. */
export class Inputs {
  readonly #host: InputHost;
  readonly #kind: InputKind;
  readonly #field: string | undefined;
  #isEnough: ((bytes: number) => boolean) | undefined;
  #rest: RestOfTexts | undefined;
  #progress: Progress | undefined;

  constructor(host: InputHost) {
    this.#host = host;
    const [kind = '', ...field] = ((host.options.input as string | undefined) ?? 'lines').split(':');
    if (!(inputKinds as readonly string[]).includes(kind)) {
      const near = didYouMean(nearestNames(kind, inputKinds));
      throw new EmbError('usage', `--input is "${kind}", expected ${inputKinds.join(', ')}`, near);
    }
    if (kind !== 'jsonl' && field.length > 0) {
      throw new EmbError('usage', `--input ${kind} takes no field, "${field.join(':')}" was given`);
    }
    this.#kind = kind as InputKind;
    this.#field = field.join(':') || undefined;
  }

  /** Several inputs at once would leave all but one of them out without a word. */
  #checkOne(): void {
    const { options, args, textArguments } = this.#host;
    const ids = options.ids as string[] | undefined;
    const texts = textArguments && args.length > 0 && !this.#readsStdin();
    const named = [
      ...(texts ? ['texts as arguments'] : []),
      ...(this.#readsStdin() ? ['-'] : []),
      ...(ids !== undefined || options.token !== undefined ? ['--ids and --token'] : []),
      ...(options.file !== undefined && !ids?.includes('-') ? ['--file'] : []),
      ...(this.#kind === 'ids' && texts ? ['--input ids'] : []),
    ];
    if ((ids?.filter((spelled) => spelled === '-').length ?? 0) > 1) {
      throw new EmbError('usage', '--ids - is given twice, and there is one stdin', 'leave out one of them');
    }
    // JSON lines that --ids - reads carry ids.
    const takesKind = ['lines', 'ids'].includes(this.#kind) || (this.#kind === 'jsonl' && ids?.includes('-'));
    if ((ids !== undefined || options.token !== undefined) && !takesKind) {
      throw new EmbError(
        'usage',
        `--ids and --token take ids, and --input is ${this.#kind}`,
        ids?.includes('-') ? '--ids - reads lines of ids: 1,23 or 0-99' : 'leave out one of them',
      );
    }
    if (named.length > 1) {
      throw new EmbError(
        'usage',
        `${named.join(' and ')} are given, expected one input`,
        'leave out one of them',
      );
    }
  }

  /** True when the run reads stdin for texts or ids. `takesTexts`: the command does so without being asked. */
  readsStdin(takesTexts: boolean): boolean {
    const { options, args } = this.#host;
    if (options.file !== undefined) return false;
    if (this.#readsStdin() || (options.ids as string[] | undefined)?.includes('-')) return true;
    if (options.ids !== undefined || options.token !== undefined) return false;
    return args.length === 0 && (takesTexts || this.#kind === 'ids');
  }

  kind(): 'texts' | 'ids' | 'vectors' | 'none' {
    this.#checkOne();
    const { options, args } = this.#host;
    if (options.ids !== undefined || options.token !== undefined || this.#kind === 'ids') return 'ids';
    if (this.#kind === 'npy' || this.#kind === 'f32') return 'vectors';
    return args.length > 0 || options.file !== undefined ? 'texts' : 'none';
  }

  /** What counts the texts of this run; who reads the rest of them goes on with it and ends it. */
  get progress(): Progress {
    this.#progress ??= this.#host.progress();
    return this.#progress;
  }

  async *texts(): AsyncGenerator<TextInput> {
    const { progress } = this;
    try {
      for await (const input of this.#texts()) {
        yield input;
        progress.advance(1);
      }
    } finally {
      progress.done();
    }
  }

  async *#texts(): AsyncGenerator<TextInput> {
    this.#checkOne();
    const { args, note } = this.#host;
    if (this.#kind === 'npy' || this.#kind === 'f32') {
      throw new EmbError(
        'usage',
        `--input ${this.#kind} is vectors, expected texts or ids`,
        'emb stats --input npy - reads vectors; -m FILE a stored matrix',
      );
    }
    if (args.length > 0 && !this.#readsStdin()) {
      for (let row = 0; row < args.length; row++) {
        const text = args[row]!;
        if (pathExists(text))
          note(
            `"${text}" is taken as text, though a file has this name: -m opens a model, --file reads texts`,
          );
        yield { row, text };
      }
      return;
    }
    if (this.#kind === 'jsonl') {
      yield* readJsonTexts(this.#records(), this.#field ?? 'text', this.#host.skip);
      return;
    }
    let row = 0;
    const stream = this.#stream();
    for await (const record of stream.records(this.#isEnough)) {
      if (row === 0 && record.startsWith('\ufeff')) {
        this.#host.note('the input starts with a byte order mark (U+FEFF), kept as text');
      }
      yield { row: row++, text: record, line: row };
    }
    if (stream.hasRest) this.#rest = { stream, row };
  }

  /** texts() ends where this says so of the bytes of lines that were read; what follows is the rest. */
  endTextsWhere(isEnough: (bytes: number) => boolean): void {
    if (this.#kind === 'lines') this.#isEnough = isEnough;
  }

  get rest(): RestOfTexts | undefined {
    return this.#rest;
  }

  get separator(): number {
    return this.#host.options.null ? 0 : 10;
  }

  async *idSequences(
    rows: number,
    tokenizer: () => Promise<Tokenizer>,
    of?: IdSpace,
  ): AsyncGenerator<IdInput> {
    this.#checkOne();
    const { options } = this.#host;
    let row = 0;
    for (const spelled of (options.ids as string[] | undefined) ?? []) {
      if (spelled !== '-') yield { row: row++, ids: parseIds(spelled, rows, of) };
      else for await (const ids of this.#idRecords(rows, of)) yield { ...ids, row: row++ };
    }
    const pieces = options.token as string[] | undefined;
    if (pieces) yield { row: row++, ids: idsOfPieces(pieces, await tokenizer()) };
    if (options.ids === undefined && pieces === undefined) yield* this.#idRecords(rows, of);
  }

  /** Lines of ids; what is none is passed over with its number, unless --strict. */
  async *#idRecords(rows: number, of: IdSpace | undefined): AsyncGenerator<IdInput> {
    if (this.#kind === 'jsonl') {
      yield* readJsonIds(this.#records(), this.#field ?? 'ids', rows, this.#host.skip);
      return;
    }
    let row = 0;
    for await (const record of this.#records()) {
      const line = row++;
      let ids: Uint32Array;
      try {
        ids = parseIds(record, rows, of);
      } catch (error) {
        if (!(error instanceof EmbError)) throw error;
        this.#host.skip(line + 1, `is no ids: ${error.message}`);
        continue;
      }
      yield { row: line, ids };
    }
  }

  /** A lone `-` asks for stdin. */
  #readsStdin(): boolean {
    return this.#host.textArguments && this.#host.args.length === 1 && this.#host.args[0] === '-';
  }

  /**
   * Where vectors come from: the path of --vectors (`-` is stdin), else what --input names; and their form, and the key of objects, where
   * --input says it.
   */
  vectors(path: string | undefined): {
    kind: VectorKind | undefined;
    stream: RecordStream;
    keys: readonly string[] | undefined;
  } {
    const { args, options, note, onPause, readsUnasked } = this.#host;
    const kind = this.#kind === 'lines' || this.#kind === 'ids' ? undefined : this.#kind;
    if (path === '-' && this.readsStdin(false)) {
      throw new EmbError('usage', '--vectors - and the input both read stdin', '--vectors FILE');
    }
    const isRead = this.#readsStdin() || (readsUnasked && args.length === 0);
    if (path === undefined && options.file === undefined && !isRead) {
      throw new EmbError(
        'usage',
        `--input ${this.#kind} needs something to read`,
        '- reads stdin, --file F a file',
      );
    }
    const named = path ?? (options.file as string | undefined);
    const file = named === '-' ? undefined : named;
    const keys = this.#field === undefined ? undefined : [this.#field];
    return { kind, stream: new RecordStream({ file, separator: 10, note, onPause }), keys };
  }

  #records(): AsyncGenerator<string> {
    return this.#stream().records();
  }

  #stream(): RecordStream {
    const { options, note, onPause } = this.#host;
    const file = options.file as string | undefined;
    return new RecordStream({ file, separator: this.separator, note, onPause });
  }
}

function idsOfPieces(pieces: readonly string[], tokenizer: Tokenizer): Uint32Array {
  return Uint32Array.from(pieces, (piece) => {
    const id = tokenizer.idOf(piece);
    if (id !== undefined) return id;
    // Tables show a leading space as ␣, byte-level vocabularies write it Ġ: either may have been copied.
    const spaced = piece.replace(/[␣Ġ]/g, ' ');
    const names = tokenizer.idOf(spaced) === undefined ? tokenizer.suggest(piece, 3) : [spaced];
    const hint = didYouMean(names.map((name) => JSON.stringify(name)));
    throw new EmbError(
      'missing',
      `${tokenizer.name}: no token "${piece}"`,
      hint ?? 'a text of several tokens is an argument, not --token',
    );
  });
}
