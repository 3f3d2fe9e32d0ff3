import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, ExplainedWord, Explanation, IdSink, Token, Tokenizer } from '../types.ts';
import { explainWords } from './bpe-explain.ts';
import { Utf8Text } from './bpe-text.ts';
import { createSpanSink, keepsSpans } from './id-sink.ts';
import { openSentencePieceChunks, type SentencePieceChunks } from './sentencepiece-chunks.ts';
import { bytesOfPiece, decodePieces } from './sentencepiece-decoder.ts';
import { createEngine, type SentencePieceEngine } from './sentencepiece-engine.ts';
import { pieceTypes, readSentencePiece, type SentencePieceModel } from './sentencepiece-model.ts';
import { dropIds, placeSpans } from './sentencepiece-spans.ts';
import { type Stages, stageOfType, stagePusher } from './sentencepiece-stages.ts';
import { bareUse, prepareText, type SentencePieceUse, useOf } from './sentencepiece-use.ts';
import { dropTraced, traceOf } from './symbol-explain.ts';
import type { AddedToken, Segment } from './tokenizer-json-added.ts';
import type { AlignedText } from './tokenizer-json-aligned.ts';
import type { TwinOptions } from './tokenizer-json-chunks.ts';
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
export function openSentencePiece(
  name: string,
  bytes: Uint8Array,
  settings?: VocabularySettings,
  twinOptions?: TwinOptions,
): Tokenizer {
  const model = readSentencePiece(name, bytes);
  const use = settings === undefined ? bareUse : useOf(model, settings);
  return new SentencePieceTokenizer(model, use, twinOptions);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** UTF-16 units, of one text or of many, after which texts are encoded chunk by chunk. */
const chunkUnits = 8192;

const explanations: Record<SentencePieceModel['type'], Explanation> = {
  unigram: 'pieces',
  bpe: 'scored merges',
  word: 'words',
  char: 'characters',
};

class SentencePieceTokenizer implements Tokenizer {
  readonly kind: string;
  readonly name: string;
  readonly vocabSize: number;
  readonly unknownId: number;
  private readonly model: SentencePieceModel;
  private readonly use: SentencePieceUse;
  private readonly added = new Map<number, AddedToken>();
  private readonly utf8 = new Utf8Text();
  /** For one text after the other. */
  private readonly spans = createSpanSink();
  private ready: SentencePieceEngine | undefined;
  private readyBare: SentencePieceTokenizer | undefined;
  /** null: chunks of these texts are not independent. */
  private readyChunks: SentencePieceChunks | null | undefined;
  private units = 0;
  private readonly twinOptions: TwinOptions;

  constructor(model: SentencePieceModel, use: SentencePieceUse, twinOptions: TwinOptions = {}) {
    this.twinOptions = twinOptions;
    this.kind = `sentencepiece ${model.type}`;
    this.name = model.name;
    const { normalizer } = model;
    this.model =
      use.prefix === undefined ? model : { ...model, normalizer: { ...normalizer, addDummyPrefix: false } };
    this.use = use;
    this.unknownId = use.outerOf(model.unknownId);
    let size = 0;
    for (const token of use.added) {
      this.added.set(token.id, token);
      size = Math.max(size, token.id + 1);
    }
    this.vocabSize = Math.max(size, use.outerOf(model.count - 1) + 1);
  }

  get template(): Tokenizer['template'] {
    return { before: this.use.before.length, after: this.use.after.length };
  }

  private get engine(): SentencePieceEngine {
    this.ready ??= createEngine(this.model, this.use, (text) => {
      this.readyBare ??= new SentencePieceTokenizer(this.model, bareUse);
      return this.readyBare.encode(text).map((token) => token.text);
    });
    return this.ready;
  }

  /** What encodes chunk by chunk, once there was enough text to make it worth its tables. */
  private get chunks(): SentencePieceChunks | undefined {
    const { after = chunkUnits } = this.twinOptions;
    if (this.readyChunks === undefined && this.units >= after) {
      const options = { ...this.twinOptions, after: 0 };
      this.readyChunks = openSentencePieceChunks(this.model, this.engine, options) ?? null;
    }
    return this.readyChunks ?? undefined;
  }

  /** `stages` collects what made the tokens that are not the model's, by their place in the sink. */
  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}, stages?: Stages): void {
    const add = stagePusher(into, stages);
    const { before, after } = this.use;
    const isWrapped = options.template !== false;
    const whole = (text as string & { toWellFormed(): string }).toWellFormed();
    this.units += text.length;
    if (isWrapped) for (const id of before) add('template', id, 0, 0);
    const at = into.length;
    const { text: prepared, shift } = prepareText(whole, this.use);
    for (const { start, end, token } of this.split(prepared, options.allowSpecial === false)) {
      if (token === undefined) {
        this.encodePlain(prepared.slice(start, end), start + shift, into);
        continue;
      }
      // The space of its own that a text got before a special token is none of the text's.
      const isLone = this.use.prefix !== undefined && token.special && into.length === at + 1;
      if (isLone && this.tokenOf(into.ids[at]) === '▁') {
        dropIds(into, at, 1);
        dropTraced(traceOf(into) ?? [], 0, 1);
      }
      add('added token', token.id, start + shift, end + shift);
    }
    if (isWrapped) for (const id of after) add('template', id, whole.length, whole.length);
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    const sink = this.spans;
    sink.length = 0;
    const stages: Stages = new Map();
    this.encodeIds(text, sink, options, stages);
    return Array.from({ length: sink.length }, (_, i) => ({
      id: sink.ids[i],
      text: this.tokenOf(sink.ids[i]) ?? '',
      bytes: this.bytesOf(sink.ids[i]) ?? new Uint8Array(),
      start: sink.starts[i],
      end: sink.ends[i],
      special: this.isSpecial(sink.ids[i]),
      stage: stages.get(i) ?? stageOfType(this.model.types[this.innerOfId(sink.ids[i]) ?? -1]),
    }));
  }

  get explains(): Explanation {
    return explanations[this.model.type];
  }

  explain(text: string, options: EncodeOptions = {}): Iterable<ExplainedWord> {
    return explainWords((into) => this.encodeIds(text, into, { ...options, template: false }));
  }

  private split(text: string, ignoreSpecial: boolean): Segment[] {
    const { matcher } = this.engine;
    if (matcher !== undefined) return matcher.split(text, ignoreSpecial);
    return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
  }

  /** A text between added tokens, `shift` units from the beginning of all. */
  private encodePlain(plain: string, shift: number, into: IdSink): void {
    const { prefix } = this.use;
    if (prefix === undefined || !/^[ ▁]/.test(plain)) {
      this.encodeAligned({ text: plain, shift }, into);
      return;
    }
    // What stands before the space keeps it from being removed, and leaves afterwards.
    const at = into.length;
    const trace = traceOf(into) ?? [];
    const traced = trace.length;
    this.encodeAligned({ text: prefix.unknown + plain, shift: shift - prefix.unknown.length }, into);
    const extra = createSpanSink();
    this.encodeAligned({ text: prefix.unknown, shift: 0 }, extra);
    if (into.length - at < extra.length) return;
    dropIds(into, at, extra.length);
    dropTraced(trace, traced, extra.length);
  }

  private encodeAligned(from: AlignedText, into: IdSink): void {
    const { utf8, use } = this;
    const { normalizer, words } = this.engine;
    const text = use.normalizer?.(from, keepsSpans(into)) ?? from;
    const chunks = keepsSpans(into) ? undefined : this.chunks;
    if (chunks?.encode(text.text, into) === true) return;
    utf8.set(text.text);
    normalizer.normalize(utf8.bytes, utf8.length);
    const at = into.length;
    words.encodeWord(normalizer.bytes, 0, normalizer.length, into);
    if (!keepsSpans(into)) return;
    for (let i = at; i < into.length; i++) {
      into.starts[i] = normalizer.starts[into.starts[i]] ?? 0;
      into.ends[i] = normalizer.ends[into.ends[i] - 1] ?? 0;
    }
    placeSpans(into, at, utf8, text);
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const items = Array.from(ids, (id) => {
      const added = this.added.get(id);
      if (added !== undefined) return { text: added.content };
      const inner = this.innerOfId(id);
      if (inner !== undefined) return { id: inner };
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
    const inner = this.innerOfId(id);
    return this.added.get(id)?.content ?? (inner === undefined ? undefined : this.textOf(inner));
  }

  bytesOf(id: number): Uint8Array | undefined {
    const text = this.tokenOf(id);
    if (text === undefined) return undefined;
    const inner = this.added.has(id) ? undefined : this.innerOfId(id);
    const type = inner === undefined ? pieceTypes.control : this.model.types[inner];
    return bytesOfPiece(text, type);
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
    const near = [token, token.replaceAll(' ', '▁')].flatMap((each) => nearestNames(each, names, count));
    return [...new Set(near)].slice(0, count);
  }
}
