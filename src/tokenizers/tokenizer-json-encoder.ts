import type { IdSink } from '../types.ts';
import { BpeEngine } from './bpe.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { BpeTexts } from './bpe-texts.ts';
import type { DirectWords } from './direct-words.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { wholeTextScanner } from './scanner.ts';
import { type AddedToken, AddedTokenMatcher, placeOfAdded, type Segment } from './tokenizer-json-added.ts';
import { type AlignedText, originalEnd, originalStart, sliceAligned } from './tokenizer-json-aligned.ts';
import { checkDropout, createByteModel, isByteModel } from './tokenizer-json-byte-model.ts';
import { unspell } from './tokenizer-json-bytes.ts';
import type { ChunkEncoder, EncodeChunk } from './tokenizer-json-chunks.ts';
import type { Part, TokenizerFile } from './tokenizer-json-file.ts';
import { createNormalizer, type MoreNormalizers, type Normalizer } from './tokenizer-json-normalizer.ts';
import { leavesOf } from './tokenizer-json-pieces.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';
import {
  createPreTokenizer,
  createSplits,
  type MoreSplits,
  type PreTokenizer,
} from './tokenizer-json-pretokenizer.ts';
import { createPostSteps, type PostStep } from './tokenizer-json-template.ts';
import type { WordModel } from './wordpiece.ts';

/** What models other than byte-level BPE need, which is loaded for them. */
export interface MoreParts {
  createMoreNormalizers: MoreNormalizers;
  createMoreSplits: MoreSplits;
  createWordModel(file: TokenizerFile): WordModel;
  createDecoder(name: string, part: Part): (pieces: readonly string[]) => Uint8Array;
  planChunks(
    file: TokenizerFile,
    normalize: (text: string) => string,
    wholeWords?: boolean,
  ): ChunkPlan | undefined;
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

/** UTF-16 units of parts whose ids are kept; V8 copies what is so short, and longer ones would hold the text that they are of. */
const longestKept = 12;

/** Parts whose ids are kept: some megabytes. */
const mostKept = 16_384;

/** Texts up to ids, as a tokenizer.json describes it; post-processing is left to the caller. */
export class Encoder {
  readonly postSteps: readonly PostStep[];
  /** What the normalizer makes of added tokens that are found in normalized text, where it changes them. */
  readonly normalizedNames = new Map<number, string>();
  private readonly file: TokenizerFile;
  private readonly normalizer: Normalizer | undefined;
  private readonly preTokenizer: PreTokenizer;
  /** An added token has U+FFFD in it. */
  private readonly seesReplacements: boolean;
  private readonly rawMatcher: AddedTokenMatcher | undefined;
  private readonly normalizedMatcher: AddedTokenMatcher | undefined;
  private readonly foundIn: ReturnType<typeof placeOfAdded>;
  private readonly utf8 = new Utf8Text();
  private readyEngine: BpeEngine | undefined;
  private readonly more: MoreParts | undefined;
  /** The model is byte-level BPE, whose engine cuts and encodes bytes. */
  private readonly isBytes: boolean;
  private readyModel: WordModel | undefined;
  private readyTexts: BpeTexts | undefined;
  private readonly kept = new Map<string, number[]>();
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
    this.seesReplacements = [...raw.keys()].some((content) => content.includes('\ufffd'));
    this.rawMatcher = raw.size > 0 ? new AddedTokenMatcher(raw) : undefined;
    this.normalizedMatcher = normalized.size > 0 ? new AddedTokenMatcher(normalized) : undefined;
    this.foundIn = placeOfAdded(normalized);
  }

  private get model(): WordModel {
    this.readyModel ??= this.more?.createWordModel(this.file);
    return this.readyModel as WordModel;
  }

  private get engine(): BpeEngine {
    this.readyEngine ??= new BpeEngine(createByteModel(this.file));
    return this.readyEngine;
  }

  private get texts(): BpeTexts {
    this.readyTexts ??= new BpeTexts(this.engine, this.preTokenizer.scanner);
    return this.readyTexts;
  }

  /**
   * Appends the ids of a text; a sink with spans gets UTF-16 offsets into the text.
   * `spelled` collects what added tokens spelled, white space that they took along included, by their place in the sink.
   */
  encode(text: string, into: IdSink, ignoreSpecial: boolean, spelled?: Map<number, string>): void {
    const whole = keepsSpans(into) || this.seesCharacters ? toWellFormed(text) : text;
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

  /** Whether anything but what makes UTF-8 of a text looks at it, so that a lone surrogate must be U+FFFD before. */
  private get seesCharacters(): boolean {
    if (this.seesReplacements || this.normalizedMatcher !== undefined) return true;
    if (!this.isBytes) return this.chunks === null;
    return this.normalizer !== undefined || this.preTokenizer.splits.length > 0 || this.preTokenizer.spelled;
  }

  /** What encodes chunk by chunk, with what is looked for in normalized text where that lies between spaces. */
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
      const isSearched = this.normalizedMatcher !== undefined;
      let plan = more.planChunks(file, normalize, this.foundIn !== 'letters');
      // What is found in normalized text must lie within a chunk.
      if (isSearched && (plan?.rule.kind !== 'words' || this.foundIn === 'text')) plan = undefined;
      const encodeChunk: EncodeChunk = (text, shift, first, last, into) => {
        // Whether a first character stands at the beginning of the original is only known with its place.
        const normalizer = normalizers[(first ? 1 : 0) + (last ? 2 : 0)];
        const from = { text, shift };
        this.encodeNormalized(normalizer?.(from, first) ?? from, into, {
          ignoreSpecial: false,
          tracked: first,
        });
      };
      const direct = () => (isSearched ? undefined : more.createDirectWords(file, this.model, normalize));
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
    const ignores = ignoreSpecial && this.normalizedMatcher !== undefined;
    const chunks = keepsSpans(into) || ignores ? null : this.chunks;
    if (chunks !== null) {
      chunks.encode(text.text, text.shift, into);
      return;
    }
    const tracked = keepsSpans(into) || this.asksForStart;
    this.encodeNormalized(this.normalizer?.(text, tracked) ?? text, into, {
      ignoreSpecial,
      tracked,
      spelled,
    });
  }

  private encodeNormalized(
    normalized: AlignedText,
    into: IdSink,
    how: { ignoreSpecial: boolean; tracked: boolean; spelled?: Map<number, string> },
  ): void {
    const { ignoreSpecial, tracked, spelled } = how;
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
    const { splits } = this.preTokenizer;
    if (this.isBytes || tracked || splits.length === 0) {
      this.encodeParts([text], 0, into, tracked);
      return;
    }
    // What is cut first is short, and comes again in other places.
    for (const part of splits[0](text, false)) {
      if (part.text.length <= longestKept) this.encodeKept(part, into);
      else this.encodeParts([part], 1, into, false);
    }
  }

  /** The ids of a part that the first step cut, which are the same wherever it stands. */
  private encodeKept(part: AlignedText, into: IdSink): void {
    const { kept } = this;
    const known = kept.get(part.text);
    if (known !== undefined) {
      for (let i = 0; i < known.length; i++) pushId(into, known[i], 0, 0);
      return;
    }
    const from = into.length;
    this.encodeParts([part], 1, into, false);
    if (kept.size === mostKept) kept.clear();
    kept.set(part.text, Array.from(into.ids.subarray(from, into.length)));
  }

  /** Cuts texts by the steps from one on, and encodes what they leave. */
  private encodeParts(texts: AlignedText[], first: number, into: IdSink, tracked: boolean): void {
    const { splits } = this.preTokenizer;
    let parts = texts;
    for (let i = first; i < splits.length; i++) parts = parts.flatMap((part) => splits[i](part, tracked));
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
    if (!preTokenizer.spelled)
      toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length, part.text.length);
    for (let i = 0; i < starts.length; i++) {
      starts[i] = originalStart(part, starts[i]);
      ends[i] = originalEnd(part, ends[i] - 1);
    }
  }
}

/** The text as Hugging Face's readers get it: UTF-8 has no lone surrogates. */
const toWellFormed = (text: string) => (text as string & { toWellFormed(): string }).toWellFormed();

function split(matcher: AddedTokenMatcher | undefined, text: string, ignoreSpecial: boolean): Segment[] {
  if (matcher !== undefined) return matcher.split(text, ignoreSpecial);
  return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
}
