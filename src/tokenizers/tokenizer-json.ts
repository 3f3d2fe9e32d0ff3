import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, ExplainedWord, Explanation, IdSink, Token, Tokenizer } from '../types.ts';
import { explainWords } from './bpe-explain.ts';
import { createSpanSink, reserveIds } from './id-sink.ts';
import { type AddedToken, readAddedTokens } from './tokenizer-json-added.ts';
import { Encoder, type MoreParts } from './tokenizer-json-encoder.ts';
import { type Part, readTokenizerFile, type TokenizerFile } from './tokenizer-json-file.ts';
import {
  countPadding,
  countTemplate,
  endsOfTemplate,
  type Fit,
  padTokens,
  readFit,
  truncatedRange,
} from './tokenizer-json-fit.ts';
import { createDecode, type Decode, needsMore } from './tokenizer-json-parts.ts';
import { type Spelling, spellingOf } from './tokenizer-json-pieces.ts';
import { ModelStages } from './tokenizer-json-stages.ts';
import { type SpelledToken, tokenOf, trimSpans, wrapIds, wrapTokens } from './tokenizer-json-template.ts';

/** What a tokenizer.json is opened from. */
export interface TokenizerJsonSource {
  /** As errors name it. */
  name: string;
  bytes: Uint8Array;
  /** tokenizer_config.json: its added tokens count where tokenizer.json lacks them, nothing else of it does. */
  config?: Part;
  /** The merges were derived from ranks that are ids, and a word that is a token is what its merges lead to. */
  namesRanksByIds?: boolean;
  /** Gets what openKeptTokenizer opens the same tokenizer from, faster. */
  keep?: (tables: readonly Uint8Array[]) => void;
}

/**
 * A tokenizer from the tokenizer.json of Hugging Face, with what its kind of model needs.
 *
 * Ids, offsets, added tokens, templates and decoded texts are those of Hugging Face's tokenizers. The file's truncation and padding are
 * applied when asked for.
 * Cost: a few passes over the bytes; tables of merges and pieces are built by the first encode.
 * @throws EmbError "corrupt" for a broken or contradictory file, "unsupported" for an unknown model type
 */
export async function openTokenizerJson(source: TokenizerJsonSource): Promise<Tokenizer> {
  const tables = { places: [] };
  const read = readTokenizerFile(source.name, source.bytes, tables);
  const file = { ...read, namesRanksByIds: source.namesRanksByIds };
  const tokenizer = await openFile(file, source.config);
  if (source.keep !== undefined) {
    const { keepTables } = await import('./tokenizer-json-kept.ts');
    const kept = keepTables(file, source.bytes, tables);
    if (kept !== undefined) source.keep(kept);
  }
  return tokenizer;
}

/** The tokenizer of a file whose tables were kept; undefined when they are not whole. */
export async function openKeptTokenizer(
  name: string,
  tables: Uint8Array,
  config?: Part,
): Promise<Tokenizer | undefined> {
  const { openTables } = await import('./tokenizer-json-kept.ts');
  const file = openTables(name, tables);
  return file && openFile(file, config);
}

async function openFile(file: TokenizerFile, config?: Part): Promise<Tokenizer> {
  const more = needsMore(file) ? await import('./tokenizer-json-more.ts') : undefined;
  return createTokenizer(file, config, more);
}

/** The same at once, with everything that any model needs. */
export function openTokenizerJsonWith(source: TokenizerJsonSource, more: MoreParts): Tokenizer {
  return createTokenizer(readTokenizerFile(source.name, source.bytes), source.config, more);
}

function createTokenizer(file: TokenizerFile, config?: Part, more?: MoreParts): Tokenizer {
  const added = readAddedTokens(file.name, file.addedTokens, config, file.vocabulary);
  return new TokenizerJson(file, added, more);
}

/** Tokens whose looks are kept: some megabytes. */
const mostSeen = 32_768;

class TokenizerJson implements Tokenizer {
  readonly kind: string;
  readonly name: string;
  readonly vocabSize: number;
  private readonly file: TokenizerFile;
  private readonly added: ReadonlyMap<string, AddedToken>;
  private readonly addedById = new Map<number, AddedToken>();
  private readonly spelling: Spelling;
  private readonly decode: Decode;
  private readonly fit: Fit;
  private readonly stages: ModelStages;
  private readonly seen = new Map<number, SpelledToken>();
  /** For one text after the other. */
  private readonly spans = createSpanSink();
  /** Or why there is none. */
  private readonly encoder: Encoder | EmbError;
  /** Added tokens that are found in normalized text, as it has them, where that is another text. */
  private readonly normalizedNames: ReadonlyMap<number, string>;

  constructor(file: TokenizerFile, added: ReadonlyMap<string, AddedToken>, more?: MoreParts) {
    this.kind = file.modelType.toLowerCase();
    this.name = file.name;
    this.file = file;
    this.added = added;
    let highest = file.vocabulary.highest;
    for (const token of added.values()) {
      this.addedById.set(token.id, token);
      highest = Math.max(highest, token.id);
    }
    this.vocabSize = highest + 1;
    this.spelling = spellingOf(file);
    this.decode = createDecode(file, more);
    this.stages = new ModelStages(file);
    this.fit = readFit(file.name, file.truncation, file.padding);
    this.encoder = createEncoder(file, added, more);
    this.normalizedNames = this.encoder instanceof EmbError ? new Map() : this.encoder.normalizedNames;
  }

  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}): void {
    const encoder = this.readyEncoder();
    const from = into.length;
    encoder.encode(text, into, options.allowSpecial === false);
    if (options.fit) {
      const [first, end] = this.truncatedRange(into.length - from, options);
      into.ids.copyWithin(from, from + first, from + end);
      into.length = from + end - first;
    }
    for (const step of encoder.postSteps) {
      if (step.kind !== 'wrap') continue;
      wrapIds(into, from, step, options.template !== false);
    }
    if (options.fit) this.padIds(into, from);
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    const encoder = this.readyEncoder();
    const sink = this.spans;
    sink.length = 0;
    const spelled = new Map<number, string>();
    encoder.encode(text, sink, options.allowSpecial === false, spelled);
    const { seen } = this;
    let tokens: SpelledToken[] = [];
    const [first, end] = options.fit ? this.truncatedRange(sink.length, options) : [0, sink.length];
    for (let i = first; i < end; i++) {
      let known = seen.get(sink.ids[i]);
      if (known === undefined) {
        known = this.token(sink.ids[i]);
        if (seen.size === mostSeen) seen.clear();
        seen.set(known.id, known);
      }
      const value = spelled.get(i);
      tokens.push({
        id: known.id,
        text: known.text,
        bytes: known.bytes,
        start: sink.starts[i],
        end: sink.ends[i],
        special: known.special,
        stage: value === undefined ? this.stages.of(known.id) : 'added token',
        value: value ?? known.value,
      });
    }
    for (const step of encoder.postSteps) {
      if (step.kind === 'trim') trimSpans(tokens, text, step.prefixSpace);
      else tokens = wrapTokens(tokens, step, options.template !== false, (id) => this.token(id));
    }
    if (options.fit) padTokens(this.fit, tokens);
    return tokens.map(tokenOf);
  }

  get template(): Tokenizer['template'] {
    return this.encoder instanceof EmbError ? undefined : endsOfTemplate(this.encoder.postSteps);
  }

  get explains(): Explanation {
    if (this.kind === 'wordlevel') return 'words';
    return this.kind === 'bpe' ? 'merges' : 'pieces';
  }

  explain(text: string, options: EncodeOptions = {}): Iterable<ExplainedWord> {
    return explainWords((into) => this.readyEncoder().encode(text, into, options.allowSpecial === false));
  }

  private truncatedRange(count: number, options: EncodeOptions): [number, number] {
    const added = options.template === false ? 0 : countTemplate(this.readyEncoder().postSteps);
    return truncatedRange(this.name, this.fit, count, added);
  }

  private padIds(into: IdSink, from: number): void {
    const { padding } = this.fit;
    const count = into.length - from;
    const more = countPadding(this.fit, count);
    if (padding === undefined || more === 0) return;
    reserveIds(into, more);
    if (padding.onLeft) into.ids.copyWithin(from + more, from, into.length);
    into.ids.fill(
      padding.id,
      padding.onLeft ? from : into.length,
      padding.onLeft ? from + more : into.length + more,
    );
    into.length += more;
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const pieces = Array.from(ids, (id) => {
      // Hugging Face's reader decodes added tokens as the normalizer leaves them.
      const piece = this.normalizedNames.get(id) ?? this.tokenOf(id);
      if (piece !== undefined) return piece;
      throw new EmbError(
        'range',
        `${this.name}: "id" is ${id}, expected one of the ${this.vocabSize} of the vocabulary`,
      );
    });
    return this.decode(pieces);
  }

  tokenOf(id: number): string | undefined {
    return this.addedById.get(id)?.content ?? this.file.vocabulary.nameOf(id);
  }

  bytesOf(id: number): Uint8Array | undefined {
    const added = this.addedById.get(id);
    if (added !== undefined) return new TextEncoder().encode(added.content);
    const piece = this.file.vocabulary.nameOf(id);
    return piece === undefined ? undefined : this.spelling.bytesOf(piece);
  }

  idOf(token: string): number | undefined {
    const { vocabulary } = this.file;
    const exact = this.added.get(token)?.id ?? vocabulary.idOf(token);
    if (exact !== undefined) return exact;
    for (const piece of this.spelling.piecesOf(token)) {
      const id = vocabulary.idOf(piece);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  get unknownId(): number | undefined {
    return this.stages.unknown;
  }

  isSpecial(id: number): boolean {
    return this.addedById.get(id)?.special ?? false;
  }

  suggest(token: string, count: number): string[] {
    const names = new Set([...this.added.keys(), ...this.file.vocabulary.names()]);
    const spelled = this.spelling.piecesOf(token)[0];
    const near = nearestNames(token, names, count);
    return spelled === token
      ? near
      : [...new Set([...near, ...nearestNames(spelled, names, count)])].slice(0, count);
  }

  private readyEncoder(): Encoder {
    if (this.encoder instanceof EmbError) throw this.encoder;
    return this.encoder;
  }

  /** A token without a place in a text. */
  private token(id: number): SpelledToken {
    const text = this.tokenOf(id);
    if (text === undefined) {
      throw new EmbError(
        'corrupt',
        `${this.name}: "post_processor" adds id ${id}, expected one of the vocabulary`,
      );
    }
    const value = this.file.vocabulary.nameOf(id) ?? text;
    const bytes = this.bytesOf(id) ?? new Uint8Array();
    return { id, text, value, bytes, start: 0, end: 0, special: this.isSpecial(id) };
  }
}

/** What cannot be encoded with is said when somebody encodes; a contradiction in the file at once. */
function createEncoder(
  file: TokenizerFile,
  added: ReadonlyMap<string, AddedToken>,
  more?: MoreParts,
): Encoder | EmbError {
  try {
    return new Encoder(file, added, more);
  } catch (error) {
    if (error instanceof EmbError && error.code === 'unsupported') return error;
    throw error;
  }
}
