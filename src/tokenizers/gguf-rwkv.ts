import type { IdSink, PackedStrings, WeighedPiece } from '../types.ts';
import { Utf8Text } from './bpe-text.ts';
import type { GgufPieces } from './gguf-pieces.ts';
import { unescapeInto } from './gguf-rwkv-escapes.ts';
import { placeSpans } from './gguf-spans.ts';
import { pushId } from './id-sink.ts';
import { longestByFirst, PieceMatcher } from './piece-matcher.ts';
import { StringIndex } from './string-index.ts';
import { traceWord } from './weighed-pieces.ts';

/**
 * The longest token first, byte by byte, as RWKV's World tokenizer does.
 *
 * Source: llm_tokenizer_rwkv_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufRwkv {
  private readonly matcher: PieceMatcher;
  private readonly unknownId: number;
  private readonly utf8 = new Utf8Text();

  constructor(pieces: GgufPieces, unknownId: number) {
    const strings = unescapeAll(pieces);
    const index = new StringIndex(strings);
    // Different escapes may spell one token; the last one counts, so they stand in reverse.
    const finder = {
      findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
        const place = index.findHashed(hash, bytes, start, end);
        return place < 0 ? -1 : pieces.count - 1 - place;
      },
    };
    this.matcher = new PieceMatcher(finder, longestByFirst(strings.bytes, strings.starts, strings.ends));
    this.unknownId = unknownId;
  }

  encode(text: string, shift: number, _afterSpecial: boolean, into: IdSink): void {
    const { utf8, matcher } = this;
    utf8.set(text);
    const from = into.length;
    for (let at = 0; at < utf8.length; ) {
      const id = matcher.matchLongest(utf8.bytes, at, utf8.length);
      const end = id < 0 ? at + 1 : matcher.end;
      if (id >= 0 || this.unknownId >= 0) pushId(into, id < 0 ? this.unknownId : id, at, end);
      at = end;
    }
    traceWord(into, from, utf8.bytes, [0, utf8.length], () => this.tried());
    placeSpans(into, from, utf8, shift, shift);
  }

  /** Every token that the text, or what was left of it, begins with: the longest is taken each time. */
  private tried(): Omit<WeighedPiece, 'chosen'>[] {
    const { utf8, matcher } = this;
    const tried: Omit<WeighedPiece, 'chosen'>[] = [];
    for (let at = 0; at < utf8.length; ) {
      const start = at;
      at++;
      matcher.matchAll(utf8.bytes, start, utf8.length, (id, end) => {
        tried.push({ start, end, id, score: null, total: null });
        at = end;
      });
    }
    return tried;
  }
}

function unescapeAll(pieces: GgufPieces): PackedStrings {
  const bytes = new Uint8Array(pieces.strings.bytes.length);
  const starts = new Uint32Array(pieces.count);
  const ends = new Uint32Array(pieces.count);
  let at = 0;
  for (let i = 0; i < pieces.count; i++) {
    starts[i] = at;
    at = unescapeInto(pieces.bytesOf(pieces.count - 1 - i), bytes, at);
    ends[i] = at;
  }
  return { bytes, starts, ends };
}
