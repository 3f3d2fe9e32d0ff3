import { EmbError } from '../errors.ts';
import type { IdSink } from '../types.ts';
import { BpeEngine, type BpeModel } from './bpe.ts';
import { MergeTable } from './bpe-merges.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { BpeTexts } from './bpe-texts.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { type AddedToken, AddedTokenMatcher, type Segment } from './tokenizer-json-added.ts';
import { type AlignedText, originalEnd, originalStart, sliceAligned } from './tokenizer-json-aligned.ts';
import { unspell, writePiece } from './tokenizer-json-bytes.ts';
import { flagOf, refuseType, type TokenizerFile } from './tokenizer-json-file.ts';
import { createNormalizer, type Normalizer } from './tokenizer-json-normalizer.ts';
import { createPreTokenizer, isByteLevel, type PreTokenizer } from './tokenizer-json-pretokenizer.ts';
import { createPostSteps, type PostStep } from './tokenizer-json-template.ts';

/** Settings of a BPE model that byte-level ones leave empty. */
const foreignSettings = ['continuing_subword_prefix', 'end_of_word_suffix'];

/** Texts up to ids, as a tokenizer.json describes it; post-processing is left to the caller. */
export class Encoder {
  readonly postSteps: readonly PostStep[];
  private readonly file: TokenizerFile;
  private readonly normalizer: Normalizer | undefined;
  private readonly preTokenizer: PreTokenizer;
  private readonly rawMatcher: AddedTokenMatcher | undefined;
  private readonly normalizedMatcher: AddedTokenMatcher | undefined;
  private readonly utf8 = new Utf8Text();
  private readyEngine: BpeEngine | undefined;
  private readyTexts: BpeTexts | undefined;

  /** @throws EmbError "unsupported" naming what emb does not encode with, "corrupt" for wrong members */
  constructor(file: TokenizerFile, added: ReadonlyMap<string, AddedToken>) {
    this.file = file;
    checkModel(file);
    this.normalizer = createNormalizer(file.name, file.normalizer);
    this.preTokenizer = createPreTokenizer(file.name, file.preTokenizer);
    this.postSteps = createPostSteps(file.name, file.postProcessor);
    if (!isByteLevel(file.name, file.preTokenizer)) {
      throw new EmbError(
        'unsupported',
        `${file.name}: "model" is a BPE without a ByteLevel pre-tokenizer, expected byte-level BPE`,
        'ids need no tokenizer: give them with --ids',
      );
    }
    const raw = new Map<string, AddedToken>();
    const normalized = new Map<string, AddedToken>();
    for (const token of added.values()) {
      if (!token.normalized) raw.set(token.content, token);
      else {
        const text = this.normalizer?.({ text: token.content, shift: 0 }, false).text ?? token.content;
        if (text !== '') normalized.set(text, token);
      }
    }
    this.rawMatcher = raw.size > 0 ? new AddedTokenMatcher(raw) : undefined;
    this.normalizedMatcher = normalized.size > 0 ? new AddedTokenMatcher(normalized) : undefined;
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
    const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
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

  /** Normalizes a text without raw added tokens and encodes it. */
  private encodePlain(
    text: AlignedText,
    into: IdSink,
    ignoreSpecial: boolean,
    spelled?: Map<number, string>,
  ): void {
    const normalized = this.normalizer?.(text, keepsSpans(into)) ?? text;
    for (const segment of split(this.normalizedMatcher, normalized.text, ignoreSpecial)) {
      const { start, end, token } = segment;
      if (token === undefined) this.encodeWords(sliceAligned(normalized, start, end), into);
      else {
        spelled?.set(into.length, normalized.text.slice(start, end));
        if (keepsSpans(into))
          pushId(into, token.id, originalStart(normalized, start), originalEnd(normalized, end - 1));
        else pushId(into, token.id, 0, 0);
      }
    }
  }

  private encodeWords(text: AlignedText, into: IdSink): void {
    let parts = [text];
    const tracked = keepsSpans(into);
    for (const step of this.preTokenizer.splits) parts = parts.flatMap((part) => step(part, tracked));
    for (const part of parts) this.encodePart(part, into);
  }

  private encodePart(part: AlignedText, into: IdSink): void {
    const { utf8, preTokenizer } = this;
    const from = into.length;
    if (!preTokenizer.spelled && !keepsSpans(into)) {
      this.texts.encode(part.text, into);
      return;
    }
    if (preTokenizer.spelled) {
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

function checkModel(file: TokenizerFile): void {
  const { name, model, modelType } = file;
  const hint = 'ids need no tokenizer: give them with --ids';
  if (modelType !== 'BPE') {
    throw new EmbError(
      'unsupported',
      `${name}: "model.type" is ${modelType}, expected byte-level BPE to encode`,
      hint,
    );
  }
  for (const key of foreignSettings) {
    const value = model[key] ?? '';
    if (typeof value !== 'string') refuseType(name, `model.${key}`, value, 'a text or null');
    if (value !== '') {
      throw new EmbError(
        'unsupported',
        `${name}: "model.${key}" is ${JSON.stringify(value)}, expected none`,
        hint,
      );
    }
  }
  if (flagOf(name, model, 'byte_fallback', false)) {
    throw new EmbError(
      'unsupported',
      `${name}: "model.byte_fallback" is true, expected byte-level BPE to encode`,
      hint,
    );
  }
  const dropout = model.dropout ?? 0;
  if (typeof dropout !== 'number') refuseType(name, 'model.dropout', dropout, 'a number or null');
  if (dropout !== 0) {
    throw new EmbError(
      'unsupported',
      `${name}: "model.dropout" is ${dropout}, which is random, expected 0`,
      hint,
    );
  }
}

function createModel(file: TokenizerFile): BpeModel {
  const { name, model, vocabulary, merges } = file;
  const byteIds = new Int32Array(256);
  const byte = new Uint8Array(1);
  const piece = new Uint8Array(2);
  for (byte[0] = 0; ; byte[0]++) {
    byteIds[byte[0]] = vocabulary.find(piece, 0, writePiece(byte, 0, 1, piece));
    if (byte[0] === 255) break;
  }
  let scratch = new Uint8Array(256);
  const wholeWord = (bytes: Uint8Array, start: number, end: number): number => {
    if (scratch.length < 2 * (end - start)) scratch = new Uint8Array(4 * (end - start));
    return vocabulary.find(scratch, 0, writePiece(bytes, start, end, scratch));
  };
  return {
    byteIds,
    merges: merges?.() ?? new MergeTable(0),
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
