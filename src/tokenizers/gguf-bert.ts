import type { IdSink } from '../types.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import type { GgufPieces } from './gguf-pieces.ts';
import { encodeWordPieces, type WordPieceModel } from './gguf-wordpiece.ts';
import { keepsSpans } from './id-sink.ts';
import { longestByFirst, PieceMatcher } from './piece-matcher.ts';

export interface BertOptions {
  lowercase: boolean;
  stripAccents: boolean;
  unknownId: number;
}

const space = /\p{White_Space}/u;
const control = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\0\ufffd]/u;
const mark = /\p{M}/u;
/** What is a word of its own: punctuation, ASCII's symbols, Chinese characters. */
const single =
  /[\p{P}$+<=>^`|~\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

/** A word as it is looked up, and where each of its UTF-16 units comes from. */
interface Word {
  text: string;
  starts: number[];
  ends: number[];
}

/**
 * WordPiece of a GGUF vocabulary, in which ▁ begins a word and pieces within words have no mark.
 *
 * Source: llm_tokenizer_wpm_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufBert {
  private readonly options: BertOptions;
  private readonly model: WordPieceModel;
  private readonly utf8 = new Utf8Text();

  constructor(pieces: GgufPieces, options: BertOptions) {
    this.options = options;
    const { bytes, starts, ends } = pieces.strings;
    const matcher = new PieceMatcher(pieces, longestByFirst(bytes, starts, ends));
    this.model = { first: matcher, next: matcher, unknownId: options.unknownId };
  }

  encode(text: string, shift: number, _afterSpecial: boolean, into: IdSink): void {
    const { utf8 } = this;
    for (const word of wordsOf(text, this.options)) {
      const from = into.length;
      utf8.set(`▁${word.text}`);
      encodeWordPieces(this.model, utf8.bytes, 0, utf8.length, into);
      if (!keepsSpans(into)) continue;
      const starts = into.starts.subarray(from, into.length);
      const ends = into.ends.subarray(from, into.length);
      toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
      // Unit 0 is the mark.
      for (let i = 0; i < starts.length; i++) {
        starts[i] = shift + word.starts[Math.max(starts[i], 1) - 1];
        ends[i] = ends[i] < 2 ? starts[i] : shift + word.ends[ends[i] - 2];
      }
    }
  }
}

function* wordsOf(text: string, { lowercase, stripAccents }: BertOptions): Generator<Word> {
  let word: Word = { text: '', starts: [], ends: [] };
  let at = 0;
  for (const source of text) {
    const start = at;
    at += source.length;
    const character = stripAccents ? firstOf(source.normalize('NFD')) : source;
    const isSpace = space.test(character);
    if (!isSpace && (control.test(character) || (stripAccents && mark.test(character)))) continue;
    const isSingle = !isSpace && single.test(character);
    if ((isSpace || isSingle) && word.text !== '') {
      yield word;
      word = { text: '', starts: [], ends: [] };
    }
    if (isSpace) continue;
    const written = lowercase ? firstOf(character.toLowerCase()) : character;
    word.text += written;
    for (let i = 0; i < written.length; i++) {
      word.starts.push(start);
      word.ends.push(at);
    }
    if (isSingle) {
      yield word;
      word = { text: '', starts: [], ends: [] };
    }
  }
  if (word.text !== '') yield word;
}

function firstOf(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) as number);
}
