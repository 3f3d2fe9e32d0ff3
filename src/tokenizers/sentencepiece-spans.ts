import type { IdSink } from '../types.ts';
import { toUtf16Spans, type Utf8Text } from './bpe-text.ts';
import { keepsSpans, type SpanSink } from './id-sink.ts';
import { type AlignedText, originalEnd, originalStart } from './tokenizer-json-aligned.ts';

/** Removes `count` ids from `at` on. */
export function dropIds(into: IdSink, at: number, count: number): void {
  into.ids.copyWithin(at, at + count, into.length);
  if (keepsSpans(into)) {
    into.starts.copyWithin(at, at + count, into.length);
    into.ends.copyWithin(at, at + count, into.length);
  }
  into.length -= count;
}

/** Turns the byte offsets of the ids from `from` on into UTF-16 offsets of the original text. */
export function placeSpans(into: SpanSink, from: number, utf8: Utf8Text, text: AlignedText): void {
  const starts = into.starts.subarray(from, into.length);
  const ends = into.ends.subarray(from, into.length);
  const isEmpty = Array.from(starts, (start, i) => start === ends[i]);
  toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
  const { length } = text.text;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] < length ? originalStart(text, starts[i]) : endOf(text);
    // What was put before the text has no place in it.
    ends[i] = Math.max(0, isEmpty[i] || ends[i] === 0 ? start : originalEnd(text, ends[i] - 1));
    starts[i] = Math.max(0, start);
  }
}

function endOf(text: AlignedText): number {
  return text.text.length === 0 ? text.shift : originalEnd(text, text.text.length - 1);
}
