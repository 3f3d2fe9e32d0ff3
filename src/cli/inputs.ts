import { readAll, readRecords } from '../bytes/input.ts';
import type { IdInput, OptionValues, TextInput } from '../command.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Tokenizer } from '../types.ts';
import { parseIds } from './ids.ts';
import { readJsonTexts } from './json-texts.ts';

const inputKinds = ['lines', 'jsonl', 'ids', 'npy', 'f32'] as const;
type InputKind = (typeof inputKinds)[number];

/** What the inputs need from the run that they belong to. */
export interface InputHost {
  args: readonly string[];
  options: OptionValues;
  note(message: string): void;
  onPause(): void;
  /** Counts and says a line that was passed over; with --strict it throws. */
  skip(line: number, message: string): void;
}

/** The inputs of one command line: texts, id sequences or vectors, from arguments, --file or stdin. */
export class Inputs {
  readonly #host: InputHost;
  readonly #kind: InputKind;
  readonly #field: string;

  constructor(host: InputHost) {
    this.#host = host;
    const [kind = '', ...field] = ((host.options.input as string | undefined) ?? 'lines').split(':');
    if (!(inputKinds as readonly string[]).includes(kind)) {
      const near = didYouMean(nearestNames(kind, inputKinds));
      throw new EmbError('usage', `--input is "${kind}", expected ${inputKinds.join(', ')}`, near);
    }
    this.#kind = kind as InputKind;
    this.#field = field.join(':') || 'text';
  }

  kind(): 'texts' | 'ids' | 'vectors' | 'none' {
    const { options, args } = this.#host;
    if (options.ids !== undefined || options.token !== undefined || this.#kind === 'ids') return 'ids';
    if (this.#kind === 'npy' || this.#kind === 'f32') return 'vectors';
    return args.length > 0 || options.file !== undefined ? 'texts' : 'none';
  }

  async *texts(): AsyncGenerator<TextInput> {
    const { args } = this.#host;
    if (args.length > 0 && !this.#readsStdin()) {
      for (let row = 0; row < args.length; row++) yield { row, text: args[row]! };
      return;
    }
    if (this.#kind === 'jsonl') {
      yield* readJsonTexts(this.#records(), this.#field, this.#host.skip);
      return;
    }
    let row = 0;
    for await (const record of this.#records()) {
      if (row === 0 && record.startsWith('\ufeff')) {
        this.#host.note('the input starts with a byte order mark (U+FEFF), kept as text');
      }
      yield { row: row++, text: record };
    }
  }

  async *idSequences(rows: number, tokenizer: () => Promise<Tokenizer>): AsyncGenerator<IdInput> {
    const { options } = this.#host;
    let row = 0;
    for (const spelled of (options.ids as string[] | undefined) ?? []) {
      if (spelled !== '-') yield { row: row++, ids: parseIds(spelled, rows) };
      else for await (const record of this.#records()) yield { row: row++, ids: parseIds(record, rows) };
    }
    const pieces = options.token as string[] | undefined;
    if (pieces) yield { row: row++, ids: idsOfPieces(pieces, await tokenizer()) };
    if (options.ids === undefined && pieces === undefined) {
      for await (const record of this.#records()) yield { row: row++, ids: parseIds(record, rows) };
    }
  }

  /** A lone `-` asks for stdin. */
  #readsStdin(): boolean {
    return this.#host.args.length === 1 && this.#host.args[0] === '-';
  }

  /** Everything of stdin or --file, with the form that --input names. */
  async bytes(): Promise<{ kind: InputKind; bytes: Uint8Array }> {
    const file = this.#host.options.file as string | undefined;
    if (file === undefined && !this.#readsStdin()) {
      throw new EmbError(
        'usage',
        `--input ${this.#kind} needs something to read`,
        '- reads stdin, --file F a file',
      );
    }
    return { kind: this.#kind, bytes: await readAll(file) };
  }

  #records(): AsyncGenerator<string> {
    const { options, note, onPause } = this.#host;
    return readRecords({
      file: options.file as string | undefined,
      separator: options.null ? 0 : 10,
      note,
      onPause,
    });
  }
}

function idsOfPieces(pieces: readonly string[], tokenizer: Tokenizer): Uint32Array {
  return Uint32Array.from(pieces, (piece) => {
    const id = tokenizer.idOf(piece);
    if (id !== undefined) return id;
    const hint = didYouMean(tokenizer.suggest(piece, 3).map((name) => JSON.stringify(name)));
    throw new EmbError(
      'missing',
      `${tokenizer.name}: no token "${piece}"`,
      hint ?? 'a text of several tokens is an argument, not --token',
    );
  });
}
