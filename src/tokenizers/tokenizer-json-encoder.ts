import { EmbError } from '../errors.ts';
import type { IdSink } from '../types.ts';
import { BpeEngine, type BpeModel } from './bpe.ts';
import { MergeTable } from './bpe-merges.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { BpeTexts } from './bpe-texts.ts';
import type { DirectWords } from './direct-words.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { wholeTextScanner } from './scanner.ts';
import { type AddedToken, AddedTokenMatcher, type Segment } from './tokenizer-json-added.ts';
import { type AlignedText, originalEnd, originalStart, sliceAligned } from './tokenizer-json-aligned.ts';
import { unspell, writePiece } from './tokenizer-json-bytes.ts';
import type { ChunkEncoder, EncodeChunk } from './tokenizer-json-chunks.ts';
import { flagOf, type Part, refuseType, type TokenizerFile } from './tokenizer-json-file.ts';
import { createNormalizer, type MoreNormalizers, type Normalizer } from './tokenizer-json-normalizer.ts';
import { leavesOf } from './tokenizer-json-pieces.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';
import {
  createPreTokenizer,
  createSplits,
  isByteLevel,
  type MoreSplits,
  type PreTokenizer,
} from './tokenizer-json-pretokenizer.ts';
import { createPostSteps, type PostStep } from './tokenizer-json-template.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';
import type { WordModel } from './wordpiece.ts';

/** What models other than byte-level BPE need, which is loaded for them. */
export interface MoreParts {
  createMoreNormalizers: MoreNormalizers;
  createMoreSplits: MoreSplits;
  createWordModel(file: TokenizerFile): WordModel;
  createDecoder(name: string, part: Part): (pieces: readonly string[]) => Uint8Array;
  planChunks(file: TokenizerFile, normalize: (text: string) => string): ChunkPlan | undefined;
  leavesForChunk(file: TokenizerFile, first: boolean, last: boolean): Part[];
  createDirectWords(
    file: TokenizerFile,
    model: WordModel,
    normalize: (text: string) => string,
  ): DirectWords | undefined;
  createChunkEncoder(
    plan: ChunkPlan,
    encodeChunk: EncodeChunk,
    model: WordModel,
    direct?: DirectWords,
  ): ChunkEncoder;
}

/** Texts up to ids, as a tokenizer.json describes it; post-processing is left to the caller. */
export class Encoder {
  readonly postSteps: readonly PostStep[];
  /** What the normalizer makes of added tokens that are found in normalized text, where it changes them. */
  readonly normalizedNames = new Map<number, string>();
  private readonly file: TokenizerFile;
  private readonly normalizer: Normalizer | undefined;
  private readonly preTokenizer: PreTokenizer;
  private readonly rawMatcher: AddedTokenMatcher | undefined;
  private readonly normalizedMatcher: AddedTokenMatcher | undefined;
  private readonly utf8 = new Utf8Text();
  private readyEngine: BpeEngine | undefined;
  private readonly more: MoreParts | undefined;
  /** The model is byte-level BPE, whose engine cuts and encodes bytes. */
  private readonly isBytes: boolean;
  private readyModel: WordModel | undefined;
  private readyTexts: BpeTexts | undefined;
  /** null: chunks of these texts are not independent. */
  private readyChunks: ChunkEncoder | null | undefined;
  /** A pre-tokenizer does something at the beginning of a text alone. */
  private readonly asksForStart: boolean;

  /**
   * `more` is needed for everything but byte-level BPE.
   *
   * @throws EmbError "unsupported" naming what emb does not encode with, "corrupt" for wrong members
   */
  constructor(file: TokenizerFile, added: ReadonlyMap<string, AddedToken>, more?: MoreParts) {
    this.file = file;
    this.more = more;
    this.isBytes = isByteModel(file);
    if (file.modelType === 'BPE') checkDropout(file);
    this.normalizer = createNormalizer(file.name, file.normalizer, more?.createMoreNormalizers);
    this.preTokenizer = this.isBytes
      ? createPreTokenizer(file.name, file.preTokenizer, more?.createMoreSplits)
      : {
          splits: createSplits(file.name, file.preTokenizer, more?.createMoreSplits),
          scanner: wholeTextScanner,
          spelled: false,
        };
    this.asksForStart = leavesOf(file.preTokenizer).some((part) => part.prepend_scheme === 'first');
    this.postSteps = createPostSteps(file.name, file.postProcessor);
    const raw = new Map<string, AddedToken>();
    const normalized = new Map<string, AddedToken>();
    for (const token of added.values()) {
      if (!token.normalized) raw.set(token.content, token);
      else {
        const text = this.normalizer?.({ text: token.content, shift: 0 }, false).text ?? token.content;
        if (text !== '') normalized.set(text, token);
        if (text !== token.content) this.normalizedNames.set(token.id, text);
      }
    }
    this.rawMatcher = raw.size > 0 ? new AddedTokenMatcher(raw) : undefined;
    this.normalizedMatcher = normalized.size > 0 ? new AddedTokenMatcher(normalized) : undefined;
  }

  private get model(): WordModel {
    this.readyModel ??= this.more?.createWordModel(this.file);
    return this.readyModel as WordModel;
  }

  private get engine(): BpeEngine {
    this.readyEngine ??= new BpeEngine(createModel(this.file));
    return this.readyEngine;
  }

  private get texts(): BpeTexts {
    this.readyTexts ??= new BpeTexts(this.engine, this.preTokenizer.scanner);
    return this.readyTexts;
  }

  /**
   * Appends the ids of a text; a sink with spans gets UTF-16 offsets into the text.
   *
   * `spelled` collects what added tokens spelled, white space that they took along included, by their place in the sink.
   */
  encode(text: string, into: IdSink, ignoreSpecial: boolean, spelled?: Map<number, string>): void {
    // Hugging Face's readers get UTF-8, in which a lone surrogate is U+FFFD.
    const whole = (text as string & { toWellFormed(): string }).toWellFormed();
    for (const segment of split(this.rawMatcher, whole, ignoreSpecial)) {
      const { start, end, token } = segment;
      if (token === undefined)
        this.encodePlain({ text: whole.slice(start, end), shift: start }, into, ignoreSpecial, spelled);
      else {
        spelled?.set(into.length, whole.slice(start, end));
        pushId(into, token.id, start, end);
      }
    }
  }

  /** What encodes chunk by chunk, where nothing is looked for in normalized text. */
  private get chunks(): ChunkEncoder | null {
    const { file, more } = this;
    if (this.isBytes || more === undefined) return null;
    if (this.readyChunks === undefined) {
      const normalizers = [0, 1, 2, 3].map((ends) =>
        createNormalizer(
          file.name,
          { type: 'Sequence', normalizers: more.leavesForChunk(file, (ends & 1) > 0, (ends & 2) > 0) },
          more.createMoreNormalizers,
        ),
      );
      const normalize = (text: string) => normalizers[0]?.({ text, shift: 0 }, false).text ?? text;
      const plan = more.planChunks(file, normalize);
      const encodeChunk: EncodeChunk = (text, shift, first, last, into) => {
        // Whether a first character stands at the beginning of the original is only known with its place.
        const normalizer = normalizers[(first ? 1 : 0) + (last ? 2 : 0)];
        const from = { text, shift };
        this.encodeWords(normalizer?.(from, first) ?? from, into, first);
      };
      const direct = () => more.createDirectWords(file, this.model, normalize);
      this.readyChunks =
        plan === undefined ? null : more.createChunkEncoder(plan, encodeChunk, this.model, direct());
    }
    return this.readyChunks;
  }

  /** Normalizes a text without raw added tokens and encodes it. */
  private encodePlain(
    text: AlignedText,
    into: IdSink,
    ignoreSpecial: boolean,
    spelled?: Map<number, string>,
  ): void {
    const chunks = keepsSpans(into) || this.normalizedMatcher !== undefined ? null : this.chunks;
    if (chunks !== null) {
      chunks.encode(text.text, text.shift, into);
      return;
    }
    const tracked = keepsSpans(into) || this.asksForStart;
    const normalized = this.normalizer?.(text, tracked) ?? text;
    for (const segment of split(this.normalizedMatcher, normalized.text, ignoreSpecial)) {
      const { start, end, token } = segment;
      if (token === undefined) this.encodeWords(sliceAligned(normalized, start, end), into, tracked);
      else {
        spelled?.set(into.length, normalized.text.slice(start, end));
        if (keepsSpans(into))
          pushId(into, token.id, originalStart(normalized, start), originalEnd(normalized, end - 1));
        else pushId(into, token.id, 0, 0);
      }
    }
  }

  private encodeWords(text: AlignedText, into: IdSink, tracked: boolean): void {
    let parts = [text];
    for (const step of this.preTokenizer.splits) parts = parts.flatMap((part) => step(part, tracked));
    for (const part of parts) this.encodePart(part, into);
  }

  private encodePart(part: AlignedText, into: IdSink): void {
    const { utf8, preTokenizer } = this;
    const from = into.length;
    if (this.isBytes && !preTokenizer.spelled && !keepsSpans(into)) {
      this.texts.encode(part.text, into);
      return;
    }
    if (!this.isBytes) {
      utf8.set(part.text);
      this.model.encodeWord(utf8.bytes, 0, utf8.length, into);
    } else if (preTokenizer.spelled) {
      const bytes = unspell(part.text);
      this.engine.encodeWord(bytes, 0, part.text.length, into);
    } else {
      utf8.set(part.text);
      this.engine.encodeWords(utf8.bytes, 0, utf8.length, preTokenizer.scanner, into);
    }
    if (!keepsSpans(into)) return;
    const starts = into.starts.subarray(from, into.length);
    const ends = into.ends.subarray(from, into.length);
    if (!preTokenizer.spelled) toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
    for (let i = 0; i < starts.length; i++) {
      starts[i] = originalStart(part, starts[i]);
      ends[i] = originalEnd(part, ends[i] - 1);
    }
  }
}

function split(matcher: AddedTokenMatcher | undefined, text: string, ignoreSpecial: boolean): Segment[] {
  if (matcher !== undefined) return matcher.split(text, ignoreSpecial);
  return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
}

/** Whether the model is BPE over bytes that are spelled as characters, and nothing else. @throws EmbError "corrupt" */
export function isByteModel({ name, model, modelType, preTokenizer, vocabulary }: TokenizerFile): boolean {
  if (modelType !== 'BPE' || !isByteLevel(name, preTokenizer)) return false;
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model[key] ?? '';
    if (typeof value !== 'string') refuseType(name, `model.${key}`, value, 'a text or null');
    if (value !== '') return false;
  }
  // With all bytes in the vocabulary nothing falls back to their names.
  return !flagOf(name, model, 'byte_fallback', false) || !createByteIds(vocabulary).includes(-1);
}

/** @throws EmbError "unsupported" for a dropout, which is random */
function checkDropout({ name, model }: TokenizerFile): void {
  const dropout = model.dropout ?? 0;
  if (typeof dropout !== 'number') refuseType(name, 'model.dropout', dropout, 'a number or null');
  if (dropout !== 0) {
    throw new EmbError(
      'unsupported',
      `${name}: "model.dropout" is ${dropout}, which is random, expected 0`,
      'ids need no tokenizer: give them with --ids',
    );
  }
}

function createByteIds(vocabulary: Vocabulary): Int32Array {
  const byteIds = new Int32Array(256);
  const byte = new Uint8Array(1);
  const piece = new Uint8Array(2);
  for (byte[0] = 0; ; byte[0]++) {
    byteIds[byte[0]] = vocabulary.find(piece, 0, writePiece(byte, 0, 1, piece));
    if (byte[0] === 255) return byteIds;
  }
}

function createModel(file: TokenizerFile): BpeModel {
  const { name, model, vocabulary, merges } = file;
  const byteIds = createByteIds(vocabulary);
  let scratch = new Uint8Array(256);
  const wholeWord = (bytes: Uint8Array, start: number, end: number): number => {
    if (scratch.length < 2 * (end - start)) scratch = new Uint8Array(4 * (end - start));
    return vocabulary.find(scratch, 0, writePiece(bytes, start, end, scratch));
  };
  const table = merges?.createTable() ?? new MergeTable(0);
  table.namesRanksByIds = file.namesRanksByIds === true;
  return {
    byteIds,
    merges: table,
    wholeWord: flagOf(name, model, 'ignore_merges', false) ? wholeWord : undefined,
    unknownId: unknownIdOf(file, byteIds),
    fuseUnknown: flagOf(name, model, 'fuse_unk', false),
  };
}

function unknownIdOf(file: TokenizerFile, byteIds: Int32Array): number | undefined {
  const unknown = file.model.unk_token;
  if (unknown === undefined || unknown === null) return undefined;
  if (typeof unknown !== 'string') return refuseType(file.name, 'model.unk_token', unknown, 'a text or null');
  const id = file.vocabulary.idOf(unknown);
  const lacking = byteIds.indexOf(-1);
  if (id === undefined && lacking >= 0) {
    throw new EmbError(
      'corrupt',
      `${file.name}: "model.unk_token" is ${JSON.stringify(unknown)}, expected a token of "model.vocab", which lacks byte ${lacking}`,
    );
  }
  return id;
}
