import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, IdSink, Token, Tokenizer } from '../types.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { createSpanSink, keepsSpans, pushId, type SpanSink } from './id-sink.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import { type Cut, createCut, matchUserDefined } from './sentencepiece-cutter.ts';
import { byteOfPiece, decodePieces } from './sentencepiece-decoder.ts';
import { pieceTypes, readSentencePiece, type SentencePieceModel } from './sentencepiece-model.ts';
import { SentencePieceNormalizer } from './sentencepiece-normalizer.ts';
import { bareUse, type SentencePieceUse, useOf } from './sentencepiece-use.ts';
import { type AddedToken, AddedTokenMatcher, type Segment } from './tokenizer-json-added.ts';
import { type AlignedText, originalEnd, originalStart } from './tokenizer-json-aligned.ts';
import type { VocabularySettings } from './vocab-settings.ts';

/**
 * A tokenizer from a .model or .spm file of SentencePiece.
 *
 * Alone it gives the ids of `sentencepiece` itself, nothing added. With a tokenizer_config.json that names a class of Hugging Face's
 * the ids and the template are that class's.
 * Cost: one pass over the file; tables are built by the first encode.
 * @param name as errors call the file
 * @throws EmbError "corrupt" for broken protobuf or contradicting pieces
 */
export function openSentencePiece(name: string, bytes: Uint8Array, settings?: VocabularySettings): Tokenizer {
  const model = readSentencePiece(name, bytes);
  return new SentencePieceTokenizer(model, settings === undefined ? bareUse : useOf(model, settings));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

class SentencePieceTokenizer implements Tokenizer {
  readonly kind: string;
  readonly name: string;
  readonly vocabSize: number;
  readonly unknownId: number;
  private readonly model: SentencePieceModel;
  private readonly use: SentencePieceUse;
  private readonly added = new Map<number, AddedToken>();
  private readonly utf8 = new Utf8Text();
  private readonly pieces = createSpanSink();
  private ready: { normalizer: SentencePieceNormalizer; cut: Cut; matcher?: AddedTokenMatcher } | undefined;
  private readyBytes: Int32Array | undefined;

  constructor(model: SentencePieceModel, use: SentencePieceUse) {
    this.kind = `sentencepiece ${model.type}`;
    this.name = model.name;
    this.model = model;
    this.use = use;
    this.unknownId = use.outerOf(model.unknownId);
    let size = 0;
    for (const token of use.added) {
      this.added.set(token.id, token);
      size = Math.max(size, token.id + 1);
    }
    this.vocabSize = Math.max(size, use.outerOf(model.count - 1) + 1);
  }

  private get engine() {
    if (this.ready === undefined) {
      const { model, use } = this;
      const userDefined = matchUserDefined(model);
      this.ready = {
        normalizer: new SentencePieceNormalizer(model.normalizer, userDefined),
        cut: createCut(model, userDefined),
        matcher:
          use.added.length === 0
            ? undefined
            : new AddedTokenMatcher(new Map(use.added.map((token) => [token.content, token]))),
      };
    }
    return this.ready;
  }

  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}): void {
    const { before, after } = this.use;
    const isWrapped = options.template !== false;
    const whole = (text as string & { toWellFormed(): string }).toWellFormed();
    if (isWrapped) for (const id of before) pushId(into, id, 0, 0);
    let first = true;
    for (const { start, end, token } of this.split(whole, options.allowSpecial === false)) {
      if (token !== undefined) pushId(into, token.id, start, end);
      else this.encodePlain({ text: whole.slice(start, end), shift: start }, first, into);
      first = false;
    }
    if (isWrapped) for (const id of after) pushId(into, id, whole.length, whole.length);
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    const sink = createSpanSink();
    this.encodeIds(text, sink, options);
    return Array.from({ length: sink.length }, (_, i) => ({
      id: sink.ids[i],
      text: this.tokenOf(sink.ids[i]) ?? '',
      bytes: this.bytesOf(sink.ids[i]) ?? new Uint8Array(),
      start: sink.starts[i],
      end: sink.ends[i],
      special: this.isSpecial(sink.ids[i]),
    }));
  }

  private split(text: string, ignoreSpecial: boolean): Segment[] {
    const { matcher } = this.engine;
    if (matcher !== undefined) return matcher.split(text, ignoreSpecial);
    return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
  }

  private encodePlain(from: AlignedText, first: boolean, into: IdSink): void {
    const { utf8, pieces, use } = this;
    const { normalizer, cut } = this.engine;
    const text = use.normalizer?.(from, keepsSpans(into)) ?? from;
    utf8.set(text.text);
    normalizer.normalize(utf8.bytes, utf8.length, first || use.prefixesAll);
    pieces.length = 0;
    cut(normalizer.bytes, normalizer.length, pieces);
    const at = into.length;
    this.pushPieces(normalizer, into);
    if (keepsSpans(into)) placeSpans(into, at, utf8, text);
  }

  /** Unknown characters in a row are one token, or their bytes. */
  private pushPieces(normalizer: SentencePieceNormalizer, into: IdSink): void {
    const { pieces, model, use } = this;
    const push = (id: number, start: number, end: number): void => {
      pushId(into, use.outerOf(id), normalizer.starts[start] ?? 0, normalizer.ends[end - 1] ?? 0);
    };
    for (let i = 0; i < pieces.length; i++) {
      const start = pieces.starts[i];
      const end = pieces.ends[i];
      if (pieces.ids[i] !== model.unknownId) push(pieces.ids[i], start, end);
      else if (model.byteFallback) this.pushBytes(normalizer, start, end, push);
      else {
        let last = i;
        while (last + 1 < pieces.length && pieces.ids[last + 1] === model.unknownId) last++;
        push(model.unknownId, start, pieces.ends[last]);
        i = last;
      }
    }
  }

  private pushBytes(
    { bytes }: SentencePieceNormalizer,
    start: number,
    end: number,
    push: (id: number, start: number, end: number) => void,
  ): void {
    this.readyBytes ??= Int32Array.from({ length: 256 }, (_, byte) =>
      this.innerOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
    );
    for (let at = start; at < end; ) {
      const after = Math.min(end, at + characterBytes(bytes[at]));
      for (let i = at; i < after; i++) {
        const id = this.readyBytes[bytes[i]];
        push(id < 0 ? this.model.unknownId : id, at, after);
      }
      at = after;
    }
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const items = Array.from(ids, (id) => {
      const added = this.added.get(id);
      if (added !== undefined) return { text: added.content };
      const inner = this.use.innerOf(id);
      if (inner !== undefined && inner >= 0 && inner < this.model.count && Number.isInteger(inner))
        return { id: inner };
      throw new EmbError(
        'range',
        `${this.name}: "id" is ${id}, expected one of the ${this.vocabSize} of the vocabulary`,
      );
    });
    return decodePieces(this.model, items, (id) => this.textOf(id));
  }

  private textOf(inner: number): string {
    const { bytes, starts, ends } = this.model.strings;
    return decoder.decode(bytes.subarray(starts[inner], ends[inner]));
  }

  /** Id in the file of a piece, -1 for none. */
  private innerOf(piece: string): number {
    const bytes = encoder.encode(piece);
    return bytes.length === 0 ? -1 : this.model.index.find(bytes, 0, bytes.length);
  }

  private innerOfId(id: number): number | undefined {
    const inner = Number.isInteger(id) && id >= 0 ? this.use.innerOf(id) : undefined;
    return inner !== undefined && inner >= 0 && inner < this.model.count ? inner : undefined;
  }

  tokenOf(id: number): string | undefined {
    const added = this.added.get(id);
    if (added !== undefined) return added.content;
    const inner = this.innerOfId(id);
    return inner === undefined ? undefined : this.textOf(inner);
  }

  bytesOf(id: number): Uint8Array | undefined {
    const text = this.tokenOf(id);
    if (text === undefined) return undefined;
    const inner = this.added.has(id) ? undefined : this.innerOfId(id);
    const type = inner === undefined ? pieceTypes.control : this.model.types[inner];
    const byte = type === pieceTypes.byte ? byteOfPiece(text) : undefined;
    if (byte !== undefined) return Uint8Array.of(byte);
    const isText =
      type === pieceTypes.normal || type === pieceTypes.unused || type === pieceTypes.userDefined;
    return encoder.encode(isText ? text.replaceAll('▁', ' ') : text);
  }

  idOf(token: string): number | undefined {
    for (const added of this.use.added) if (added.content === token) return added.id;
    for (const spelled of [token, token.replaceAll(' ', '▁')]) {
      const inner = this.innerOf(spelled);
      if (inner >= 0) return this.use.outerOf(inner);
    }
    return undefined;
  }

  isSpecial(id: number): boolean {
    const added = this.added.get(id);
    if (added !== undefined) return added.special;
    const inner = this.innerOfId(id);
    const type = inner === undefined ? undefined : this.model.types[inner];
    return type === pieceTypes.control || type === pieceTypes.unknown;
  }

  suggest(token: string, count: number): string[] {
    const names = Array.from({ length: this.model.count }, (_, id) => this.textOf(id));
    const spelled = token.replaceAll(' ', '▁');
    const near = nearestNames(token, names, count);
    if (spelled === token) return near;
    return [...new Set([...near, ...nearestNames(spelled, names, count)])].slice(0, count);
  }
}

/** Turns the byte offsets of the ids from `from` on into UTF-16 offsets of the original text. */
function placeSpans(into: SpanSink, from: number, utf8: Utf8Text, text: AlignedText): void {
  const starts = into.starts.subarray(from, into.length);
  const ends = into.ends.subarray(from, into.length);
  const isEmpty = Array.from(starts, (start, i) => start === ends[i]);
  toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
  const { length } = text.text;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] < length ? originalStart(text, starts[i]) : endOf(text);
    ends[i] = isEmpty[i] || ends[i] === 0 ? start : originalEnd(text, ends[i] - 1);
    starts[i] = start;
  }
}

function endOf(text: AlignedText): number {
  return text.text.length === 0 ? text.shift : originalEnd(text, text.text.length - 1);
}
