import type { IdSink } from '../types.ts';
import { toUtf16Spans, type Utf8Text } from './bpe-text.ts';
import { keepsSpans } from './id-sink.ts';

/** Turns the byte offsets of the ids from `from` on into UTF-16 offsets, moved by `shift` and not below `least`. */
export function placeSpans(into: IdSink, from: number, utf8: Utf8Text, shift: number, least: number): void {
  if (!keepsSpans(into)) return;
  const starts = into.starts.subarray(from, into.length);
  const ends = into.ends.subarray(from, into.length);
  toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
  for (let i = 0; i < starts.length; i++) {
    starts[i] = Math.max(least, starts[i] + shift);
    ends[i] = Math.max(least, ends[i] + shift);
  }
}
