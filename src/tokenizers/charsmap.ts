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

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
