import { EmbError } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The replacements of SentencePiece's precompiled_charsmap.
 *
 * Block: u32 bytes of the trie, its units (u32 each, a double array over bytes), then texts that end with a zero byte; a
 * unit's value is the place of a text.
 * Source: DoubleArray of the crate spm_precompiled, the same as darts-clone's.
 */
export class CharsMap {
  private readonly units: Uint32Array;
  private readonly texts: Uint8Array;
  /** Known texts by their place. */
  private readonly known = new Map<number, string>();

  /** @throws EmbError "corrupt" for a map that is cut short or whose texts are no UTF-8 */
  constructor(name: string, bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length >= 4 ? view.getUint32(0, true) : 4;
    const count = Math.floor(size / 4);
    if (bytes.length < 4 + 4 * count || count === 0) {
      throw new EmbError(
        'corrupt',
        `${name}: "precompiled_charsmap" is ${bytes.length} bytes, expected a trie of ${size} and 4 more`,
      );
    }
    this.units = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.units[i] = view.getUint32(4 + 4 * i, true);
    this.texts = bytes.subarray(4 + 4 * count);
    try {
      decoder.decode(this.texts);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new EmbError('corrupt', `${name}: "precompiled_charsmap" has texts that are no UTF-8`);
    }
  }

  /**
   * Length of a key that bytes[start, end) begin with, the shortest or the longest, or 0. Its text is at `place`.
   *
   * Hugging Face's reader takes the shortest, SentencePiece's the longest.
   */
  find(bytes: Uint8Array, start: number, end: number, longest: boolean): number {
    const { units } = this;
    let node = offsetOf(units[0]);
    let length = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      node ^= byte;
      if (byte === 0 || node >= units.length) return length;
      const unit = units[node];
      if ((unit & 0x800000ff) >>> 0 !== byte) return length;
      node ^= offsetOf(unit);
      if ((unit & 0x100) === 0) continue;
      if (node >= units.length) return length;
      this.place = units[node] & 0x7fffffff;
      length = at + 1 - start;
      if (!longest) return length;
    }
    return length;
  }

  /**
   * Calls with every character of every key: whether it is the key's first, the place of the text of the key that ends with it, -1 for none,
   * and whether longer keys go on after it. Keys that share an end call once for it.
   *
   * False for a map whose keys are no texts, or too many. Cost: one pass over the units.
   */
  eachCharacter(each: (code: number, isFirst: boolean, place: number, goesOn: boolean) => void): boolean {
    const { units } = this;
    // By where children are counted from: the first child + 1; by child: the next one + 1.
    const firsts = new Int32Array(units.length);
    const nexts = new Int32Array(units.length);
    for (let child = units.length - 1; child > 0; child--) {
      const label = (units[child] & 0x800000ff) >>> 0;
      const base = child ^ label;
      if (label === 0 || label > 255 || base >= units.length) continue;
      nexts[child] = firsts[base];
      firsts[base] = child + 1;
    }
    const root = offsetOf(units[0]);
    const seen = new Uint8Array(units.length);
    const waiting = [root];
    let steps = 0;
    /** Follows the `left` bytes that a character lacks. */
    const follow = (base: number, code: number, left: number, isFirst: boolean): boolean => {
      for (let child = firsts[base] - 1; child >= 0; child = nexts[child] - 1) {
        const byte = units[child] & 255;
        const rest = left > 0 ? left - 1 : trailingBytes(byte);
        const next = child ^ offsetOf(units[child]);
        const isEnd = (units[child] & 0x100) !== 0;
        if (++steps > mostSteps || rest < 0 || next >= units.length) return false;
        if (left > 0 && (byte & 0xc0) !== 0x80) return false;
        const point = left > 0 ? (code << 6) | (byte & 0x3f) : rest === 0 ? byte : byte & (0x3f >> rest);
        if (rest > 0) {
          if (isEnd || !follow(next, point, rest, isFirst)) return false;
          continue;
        }
        if (point > 0x10ffff) return false;
        const goesOn = firsts[next] > 0;
        each(point, isFirst, isEnd ? units[next] & 0x7fffffff : -1, goesOn);
        if (!goesOn || seen[next] === 1) continue;
        seen[next] = 1;
        waiting.push(next);
      }
      return true;
    };
    for (let base = waiting.pop(); base !== undefined; base = waiting.pop())
      if (!follow(base, 0, 0, base === root)) return false;
    return true;
  }

  /** Whether the text at a place begins, and ends, with something that is no space, neither " " nor ▁. */
  isVisibleAt(place: number): { first: boolean; last: boolean } {
    const { texts } = this;
    let end = place;
    while (end < texts.length && texts[end] !== 0) end++;
    const isMark = (at: number) =>
      at >= place && texts[at] === 0xe2 && texts[at + 1] === 0x96 && texts[at + 2] === 0x81;
    return {
      first: end > place && texts[place] !== 0x20 && !isMark(place),
      last: end > place && texts[end - 1] !== 0x20 && !isMark(end - 3),
    };
  }

  /** Where the text of the key that was found last begins. */
  place = 0;

  /** The text at a place; '' beyond the end. */
  textAt(place: number): string {
    let text = this.known.get(place);
    if (text === undefined) {
      const end = this.texts.indexOf(0, place);
      text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        this.texts.subarray(place, end < 0 ? undefined : end),
      );
      this.known.set(place, text);
    }
    return text;
  }
}

/** More steps than the keys of any real map take. */
const mostSteps = 4_000_000;

/** Bytes that follow the first one of a character, -1 for one that begins none. */
function trailingBytes(lead: number): number {
  if (lead < 0x80) return 0;
  return lead < 0xc2 || lead > 0xf4 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
