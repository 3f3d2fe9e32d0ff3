import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, IdSink, Token, Tokenizer } from '../types.ts';
import { createSpanSink, reserveIds } from './id-sink.ts';
import { type AddedToken, readAddedTokens } from './tokenizer-json-added.ts';
import { bytesOfPiece, pieceOfText } from './tokenizer-json-bytes.ts';
import { Encoder } from './tokenizer-json-encoder.ts';
import { type Part, readTokenizerFile, type TokenizerFile } from './tokenizer-json-file.ts';
import { isByteLevel } from './tokenizer-json-pretokenizer.ts';
import { type SpelledToken, trimSpans, wrapIds, wrapTokens } from './tokenizer-json-template.ts';

/** What a tokenizer.json is opened from. */
export interface TokenizerJsonSource {
  /** As errors name it. */
  name: string;
  bytes: Uint8Array;
  /** tokenizer_config.json: its added tokens count where tokenizer.json lacks them, nothing else of it does. */
  config?: Readonly<Record<string, unknown>>;
}

/**
 * A tokenizer from the tokenizer.json of Hugging Face.
 *
 * Byte-level BPE encodes; of every other model the vocabulary opens, and encode says what it lacks. The file's truncation and
 * padding are not applied. Offsets, added tokens and templates are those of Hugging Face's tokenizers.
 * Cost: a few passes over the bytes; the merge table is built by the first encode.
 * @throws EmbError "corrupt" for a broken or contradictory file, "unsupported" for an unknown model type
 */
export function openTokenizerJson(source: TokenizerJsonSource): Tokenizer {
  const file = readTokenizerFile(source.name, source.bytes);
  const added = readAddedTokens(source.name, file.addedTokens, source.config, file.vocabulary);
  return new TokenizerJson(file, added);
}

class TokenizerJson implements Tokenizer {
  readonly kind: string;
  readonly name: string;
  readonly vocabSize: number;
  private readonly file: TokenizerFile;
  private readonly added: ReadonlyMap<string, AddedToken>;
  private readonly addedById = new Map<number, AddedToken>();
  private readonly byteLevel: boolean;
  /** Or why there is none. */
  private readonly encoder: Encoder | EmbError;

  constructor(file: TokenizerFile, added: ReadonlyMap<string, AddedToken>) {
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
    this.byteLevel = isByteLevel(file.name, file.preTokenizer) || decodesBytes(file.decoder);
    this.encoder = createEncoder(file, added);
  }

  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}): void {
    const encoder = this.readyEncoder();
    const from = into.length;
    encoder.encode(text, into, options.allowSpecial === false);
    for (const step of encoder.postSteps) {
      if (step.kind !== 'wrap') continue;
      const ids = wrapIds(into.ids.subarray(from, into.length), step, options.template !== false);
      into.length = from;
      reserveIds(into, ids.length);
      into.ids.set(ids, from);
      into.length = from + ids.length;
    }
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    const encoder = this.readyEncoder();
    const sink = createSpanSink();
    const spelled = new Map<number, string>();
    encoder.encode(text, sink, options.allowSpecial === false, spelled);
    const seen = new Map<number, SpelledToken>();
    let tokens: SpelledToken[] = [];
    for (let i = 0; i < sink.length; i++) {
      let known = seen.get(sink.ids[i]);
      if (known === undefined) {
        known = this.token(sink.ids[i]);
        seen.set(known.id, known);
      }
      tokens.push({
        ...known,
        start: sink.starts[i],
        end: sink.ends[i],
        value: spelled.get(i) ?? known.value,
      });
    }
    for (const step of encoder.postSteps) {
      if (step.kind === 'trim') trimSpans(tokens, text, step.prefixSpace);
      else tokens = wrapTokens(tokens, step, options.template !== false, (id) => this.token(id));
    }
    return tokens.map(({ id, text: piece, bytes, start, end, special }) => ({
      id,
      text: piece,
      bytes,
      start,
      end,
      special,
    }));
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    // Other models join their pieces in ways of their own.
    this.readyEncoder();
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytesOf(ids[i]);
      if (bytes === undefined) {
        throw new EmbError(
          'range',
          `${this.name}: "id" is ${ids[i]}, expected one of the ${this.vocabSize} of the vocabulary`,
        );
      }
      parts.push(bytes);
      length += bytes.length;
    }
    const joined = new Uint8Array(length);
    let at = 0;
    for (const bytes of parts) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  }

  tokenOf(id: number): string | undefined {
    return this.addedById.get(id)?.content ?? this.file.vocabulary.nameOf(id);
  }

  bytesOf(id: number): Uint8Array | undefined {
    const added = this.addedById.get(id);
    if (added !== undefined) return new TextEncoder().encode(added.content);
    const piece = this.file.vocabulary.nameOf(id);
    if (piece === undefined) return undefined;
    return this.byteLevel ? bytesOfPiece(piece) : new TextEncoder().encode(piece);
  }

  idOf(token: string): number | undefined {
    const { vocabulary } = this.file;
    const exact = this.added.get(token)?.id ?? vocabulary.idOf(token);
    if (exact !== undefined || !this.byteLevel) return exact;
    return vocabulary.idOf(pieceOfText(token));
  }

  isSpecial(id: number): boolean {
    return this.addedById.get(id)?.special ?? false;
  }

  suggest(token: string, count: number): string[] {
    const names = new Set([...this.added.keys(), ...this.file.vocabulary.names()]);
    const spelled = this.byteLevel ? pieceOfText(token) : token;
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
function createEncoder(file: TokenizerFile, added: ReadonlyMap<string, AddedToken>): Encoder | EmbError {
  try {
    return new Encoder(file, added);
  } catch (error) {
    if (error instanceof EmbError && error.code === 'unsupported') return error;
    throw error;
  }
}

function decodesBytes(decoder: Part | undefined): boolean {
  if (decoder?.type === 'ByteLevel') return true;
  const inner = decoder?.decoders;
  return Array.isArray(inner) && inner.some((each) => (each as Part | null)?.type === 'ByteLevel');
}
