import { EmbError } from '../errors.ts';
import type { MergeList, PackedMerges } from './bpe-merges.ts';

/** Four bytes each: pairs, lefts, highest merged id, then the first index whose left, and whose start, reaches 65536 times 1, 2 and 3. */
export const headerBytes = 4 * 9;

/** Merges whose ranks are their merged ids, and which can be undone. */
export interface RankSource extends PackedMerges {
  /** The highest id. */
  readonly highest: number;
  /** The two ids that merge into `id`, or undefined for one that no merge makes. */
  partsOf(id: number): [number, number] | undefined;
}

/**
 * The merges of a built-in encoding as scripts/generate-ranks.mjs packs them: sorted by left id, then right id, so that
 * a pair is found by two binary searches and nothing is built before the first token.
 *
 * Block: header · u16 lefts[n] · u16 starts[n] · u16 rights[pairs] · u16 merged[pairs] · where ids
 * reach 65536, one nibble per pair: bits 16 and 17 of the right id, then of the merged id. starts[i] is the first pair of lefts[i]. Both ascend, so bits 16 and 17
 * follow from where they wrap.
 */
export class PackedRanks implements RankSource {
  readonly count: number;
  readonly highest: number;
  private readonly leftWraps: number[];
  private readonly startWraps: number[];
  private readonly lefts: Uint16Array;
  private readonly starts: Uint16Array;
  private readonly rights: Uint16Array;
  private readonly merged: Uint16Array;
  private readonly high: Uint8Array;

  constructor(packed: Uint8Array) {
    // A copy where the bytes are not aligned for 16-bit views.
    const bytes = packed.byteOffset % 2 === 0 ? packed : new Uint8Array(packed);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const pairs = view.getUint32(0, true);
    const lefts = view.getUint32(4, true);
    this.highest = view.getUint32(8, true);
    if (bytes.length !== packedBytes(pairs, lefts, this.highest)) {
      throw new EmbError(
        'corrupt',
        `"packed ranks" is ${bytes.length} bytes, expected ${packedBytes(pairs, lefts, this.highest)}`,
      );
    }
    this.count = pairs;
    const wraps = [12, 16, 20, 24, 28, 32].map((at) => view.getUint32(at, true));
    this.leftWraps = wraps.slice(0, 3);
    this.startWraps = wraps.slice(3);
    let at = bytes.byteOffset + headerBytes;
    const next = (length: number) => {
      const section = littleEndian(new Uint16Array(bytes.buffer, at, length));
      at += 2 * length;
      return section;
    };
    this.lefts = next(lefts);
    this.starts = next(lefts);
    this.rights = next(pairs);
    this.merged = next(pairs);
    this.high = new Uint8Array(bytes.buffer, at, bytes.byteOffset + bytes.length - at);
  }

  find(left: number, right: number): number {
    let low = 0;
    let high = this.lefts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (widened(this.lefts, this.leftWraps, middle) < left) low = middle + 1;
      else high = middle;
    }
    if (low === this.lefts.length || widened(this.lefts, this.leftWraps, low) !== left) return -1;
    const last = this.endOf(low);
    low = widened(this.starts, this.startWraps, low);
    high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rightAt(middle) < right) low = middle + 1;
      else high = middle;
    }
    return low < last && this.rightAt(low) === right ? this.mergedAt(low) : -1;
  }

  partsOf(id: number): [number, number] | undefined {
    let at = this.merged.indexOf(id & 0xffff);
    while (at >= 0 && this.mergedAt(at) !== id) at = this.merged.indexOf(id & 0xffff, at + 1);
    if (at < 0) return undefined;
    let low = 0;
    let high = this.lefts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (widened(this.starts, this.startWraps, middle) <= at) low = middle;
      else high = middle;
    }
    return [widened(this.lefts, this.leftWraps, low), this.rightAt(at)];
  }

  /** All pairs, in no particular order of rank. */
  list(): MergeList {
    const { count } = this;
    const lefts = new Uint32Array(count);
    for (let i = 0, at = 0; i < this.lefts.length; i++) {
      const left = widened(this.lefts, this.leftWraps, i);
      for (const end = this.endOf(i); at < end; at++) lefts[at] = left;
    }
    const rights = new Uint32Array(this.rights);
    const merged = new Uint32Array(this.merged);
    for (let at = 0; at < 2 * this.high.length; at++) {
      const bits = this.high[at >> 1] >> ((at & 1) * 4);
      rights[at] |= (bits & 3) << 16;
      merged[at] |= ((bits >> 2) & 3) << 16;
    }
    return { lefts, rights, merged };
  }

  private endOf(index: number): number {
    return index + 1 < this.lefts.length ? widened(this.starts, this.startWraps, index + 1) : this.count;
  }

  private rightAt(at: number): number {
    if (this.high.length === 0) return this.rights[at];
    return this.rights[at] | (((this.high[at >> 1] >> ((at & 1) * 4)) & 3) << 16);
  }

  private mergedAt(at: number): number {
    if (this.high.length === 0) return this.merged[at];
    return this.merged[at] | (((this.high[at >> 1] >> ((at & 1) * 4 + 2)) & 3) << 16);
  }
}

/** Ranks and a few more that come after them, as p50k_base has beyond r50k_base. */
export class ExtendedRanks implements RankSource {
  readonly count: number;
  readonly highest: number;
  private readonly base: RankSource;
  private readonly extra: MergeList;

  constructor(base: RankSource, extra: MergeList) {
    this.base = base;
    this.extra = extra;
    this.count = base.count + extra.merged.length;
    this.highest = Math.max(base.highest, ...extra.merged);
  }

  find(left: number, right: number): number {
    const found = this.base.find(left, right);
    if (found >= 0) return found;
    const { lefts, rights, merged } = this.extra;
    const at = merged.findIndex((_, i) => lefts[i] === left && rights[i] === right);
    return at < 0 ? -1 : merged[at];
  }

  partsOf(id: number): [number, number] | undefined {
    const at = this.extra.merged.indexOf(id);
    return at < 0 ? this.base.partsOf(id) : [this.extra.lefts[at], this.extra.rights[at]];
  }

  list(): MergeList {
    const base = this.base.list();
    const joined = (a: Uint32Array, b: Uint32Array) => {
      const both = new Uint32Array(this.count);
      both.set(a);
      both.set(b, a.length);
      return both;
    };
    return {
      lefts: joined(base.lefts, this.extra.lefts),
      rights: joined(base.rights, this.extra.rights),
      merged: joined(base.merged, this.extra.merged),
    };
  }
}

/** An ascending number whose high bits are left out, from the places where they change. */
function widened(low: Uint16Array, wraps: number[], index: number): number {
  const high = (index >= wraps[0] ? 1 : 0) + (index >= wraps[1] ? 1 : 0) + (index >= wraps[2] ? 1 : 0);
  return low[index] | (high << 16);
}

/** Bytes of a packed list of so many pairs with so many different left ids and a highest id. */
export function packedBytes(pairs: number, lefts: number, highest: number): number {
  return headerBytes + 4 * lefts + 4 * pairs + (highest < 65536 ? 0 : (pairs + 1) >> 1);
}

function littleEndian(section: Uint16Array<ArrayBufferLike>): Uint16Array {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return section;
  return section.map((value) => ((value & 0xff) << 8) | (value >> 8));
}
