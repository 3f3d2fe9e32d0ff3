import type { IdSink } from '../types.ts';
import { Utf8Text } from './bpe-text.ts';
import { openSumsTwin } from './chunk-twin.ts';
import { DirectWords } from './direct-words.ts';
import { reserveIds } from './id-sink.ts';
import type { SentencePieceEngine } from './sentencepiece-engine.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import type { SentencePieceNormalizer } from './sentencepiece-normalizer.ts';
import { planSentencePiece, type SentencePiecePlan } from './sentencepiece-plan.ts';
import type { SentencePieceWords } from './sentencepiece-words.ts';
import { ChunkEncoder, type EncodeChunk, type TwinOptions } from './tokenizer-json-chunks.ts';

/** Encodes texts chunk by chunk, with the ids of a whole one. */
export interface SentencePieceChunks {
  /** Appends the ids of a text, or gives false, having appended none, when it must be encoded as a whole. */
  encode(text: string, into: IdSink): boolean;
}

/** Undefined for models under which chunks of a text are not independent. Cost: a pass over the vocabulary and the map of characters. */
export function openSentencePieceChunks(
  model: SentencePieceModel,
  { normalizer, words }: SentencePieceEngine,
  options?: TwinOptions,
): SentencePieceChunks | undefined {
  const plan = planSentencePiece(model);
  if (plan === undefined) return undefined;
  const utf8 = new Utf8Text();
  const direct = new DirectWords(words, plan.space, plan.learn);
  const normalize = (text: string) => {
    utf8.set(text);
    normalizer.normalizeInner(utf8.bytes, utf8.length);
    return normalizer;
  };
  const encodeInner =
    model.type === 'unigram'
      ? openSums(plan, words, direct, normalize, options)
      : openCache(plan, words, direct, normalize, options);
  if (encodeInner === undefined) return undefined;
  const { removeExtraSpaces, addDummyPrefix } = model.normalizer;
  return {
    encode(text, into) {
      const inner = removeExtraSpaces ? trim(text, plan, addDummyPrefix) : text;
      // The space that a text gets is one like any other.
      return inner !== undefined && (inner === '' || encodeInner(inner, into, addDummyPrefix));
    },
  };
}

/** `isPrefixed`: with a space before the text. */
type EncodeInner = (text: string, into: IdSink, isPrefixed: boolean) => boolean;

/** Chunks that were met are remembered. */
function openCache(
  plan: SentencePiecePlan,
  words: SentencePieceWords,
  direct: DirectWords,
  normalize: (text: string) => SentencePieceNormalizer,
  options: TwinOptions | undefined,
): EncodeInner {
  const encodeChunk: EncodeChunk = (text, _shift, _first, _last, into) => {
    const { bytes, length } = normalize(text);
    words.encodeWord(bytes, 0, length, into);
  };
  const encoder = new ChunkEncoder(plan, encodeChunk, words, direct, options);
  return (text, into, isPrefixed) => {
    encoder.encode(isPrefixed ? ` ${text}` : text, 0, into);
    return true;
  };
}

/** Chunks that were met are remembered, with how high the sum of scores before them may be; only the twin does that. */
function openSums(
  plan: SentencePiecePlan,
  words: SentencePieceWords,
  direct: DirectWords,
  normalize: (text: string) => SentencePieceNormalizer,
  options: TwinOptions | undefined,
): EncodeInner | undefined {
  const spell = (bytes: Uint8Array, start: number, end: number) => {
    const normalized = normalize(Buffer.from(bytes.buffer, start, end - start).toString('utf8'));
    return Buffer.from(normalized.bytes.buffer, 0, normalized.length).toString('utf8');
  };
  const kernel = openSumsTwin(plan, words, direct, spell, options?.bitUnits);
  if (kernel === undefined) return undefined;
  let sink: IdSink;
  const take = (ids: Uint32Array) => {
    reserveIds(sink, ids.length);
    sink.ids.set(ids, sink.length);
    sink.length += ids.length;
  };
  return (text, into, isPrefixed) => {
    sink = into;
    const { length } = into;
    const read = kernel.encode(text, 0, false, take, isPrefixed);
    if (read === text.length) return true;
    into.length = length;
    return false;
  };
}

/** A text without the spaces around it; undefined when it begins or ends in what may leave with them. */
function trim(text: string, plan: SentencePiecePlan, hasPrefix: boolean): string | undefined {
  let start = 0;
  let end = text.length;
  while (start < end && plan.isSpace(text.charCodeAt(start))) start++;
  while (end > start && plan.isSpace(text.charCodeAt(end - 1))) end--;
  if (start === end) return '';
  if (!plan.endsVisibly(codeBefore(text, end))) return undefined;
  if (!hasPrefix && !plan.beginsVisibly(text.codePointAt(start) as number)) return undefined;
  return text.slice(start, end);
}

function codeBefore(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  const isLow = last >>> 10 === 0x37 && end > 1;
  return isLow ? (text.codePointAt(end - 2) as number) : last;
}
