import { scannerPadding } from './scanner.ts';

const encoder = new TextEncoder();

/**
 * One reused UTF-8 copy of a text, followed by the zero bytes that scanners need. Lone surrogates become U+FFFD.
 */
export class Utf8Text {
  bytes = new Uint8Array(4096);
  length = 0;

  /** Replaces the content; `bytes` may be another array afterwards. */
  set(text: string): void {
    // Three bytes per UTF-16 unit always suffice; long texts are measured instead.
    const room = text.length < 65536 ? text.length * 3 : Buffer.byteLength(text);
    if (this.bytes.length < room + scannerPadding) {
      this.bytes = new Uint8Array(Math.max(room + scannerPadding, 4096));
    }
    this.length = encoder.encodeInto(text, this.bytes).written;
    this.bytes.fill(0, this.length, this.length + scannerPadding);
  }
}

/**
 * Turns byte offsets, each pair widened to whole characters, into UTF-16 offsets of the same text, in place.
 *
 * starts and ends ascend separately (tokens of one character may share its span). Cost: one pass over the bytes, none for ASCII.
 *
 * @param units UTF-16 units of the text, where they are known
 */
export function toUtf16Spans(
  bytes: Uint8Array,
  length: number,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
  units?: number,
): void {
  // Of other texts than ASCII the bytes are more.
  if (units === length) return;
  let unit = 0;
  let at = 0;
  let nextStart = 0;
  let nextEnd = 0;
  while (at < length) {
    const lead = bytes[at];
    const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const after = at + width;
    const unitAfter = unit + (width === 4 ? 2 : 1);
    // A start inside a character moves to its beginning, an end inside it to its end.
    while (nextStart < count && starts[nextStart] < after) starts[nextStart++] = unit;
    while (nextEnd < count && ends[nextEnd] <= after)
      ends[nextEnd++] = ends[nextEnd - 1] <= at ? unit : unitAfter;
    at = after;
    unit = unitAfter;
  }
  while (nextStart < count) starts[nextStart++] = unit;
  while (nextEnd < count) ends[nextEnd++] = unit;
}
