import { hashPrime, hashStart } from './string-index.ts';

/** Pieces by their bytes. */
export interface PieceFinder {
  /** Id of the piece of exactly these bytes, whose hash is known, or -1. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number;
}

/** Longer pieces never match. The longest of real vocabularies has some hundred bytes; each position of a text costs this much at most. */
const longestPiece = 4096;

/** Finds the pieces that a text goes on with, by hashing it byte by byte as far as a piece could reach. */
export class PieceMatcher {
  private readonly finder: PieceFinder;
  /** Bytes of the longest piece by its first byte. */
  private readonly longest: ArrayLike<number>;
  private readonly hashes = new Int32Array(longestPiece + 1);
  /** Where the last match ended. */
  end = 0;

  /** longest: bytes of the longest piece that begins with each byte, see longestByFirst. */
  constructor(finder: PieceFinder, longest: ArrayLike<number>) {
    this.finder = finder;
    this.longest = longest;
  }

  private reach(bytes: Uint8Array, start: number, end: number): number {
    return Math.min(end - start, this.longest[bytes[start]], longestPiece);
  }

  /** Id of the longest piece at bytes[start, end), or -1; `end` is where it ends. */
  matchLongest(bytes: Uint8Array, start: number, end: number): number {
    const { hashes, finder } = this;
    const reach = this.reach(bytes, start, end);
    let hash = hashStart;
    for (let length = 1; length <= reach; length++) {
      hash = Math.imul(hash ^ bytes[start + length - 1], hashPrime);
      hashes[length] = hash;
    }
    for (let length = reach; length > 0; length--) {
      const id = finder.findHashed(hashes[length], bytes, start, start + length);
      if (id < 0) continue;
      this.end = start + length;
      return id;
    }
    return -1;
  }

  /** Calls with the id and the end of every piece at bytes[start, end), shortest first. */
  matchAll(bytes: Uint8Array, start: number, end: number, found: (id: number, end: number) => void): void {
    const last = start + this.reach(bytes, start, end);
    let hash = hashStart;
    for (let at = start; at < last; at++) {
      hash = Math.imul(hash ^ bytes[at], hashPrime);
      const id = this.finder.findHashed(hash, bytes, start, at + 1);
      if (id >= 0) found(id, at + 1);
    }
  }
}

/** Bytes of the longest string by its first byte. */
export function longestByFirst(
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  counts: (i: number) => boolean = () => true,
): Uint32Array {
  const longest = new Uint32Array(256);
  for (let i = 0; i < starts.length; i++) {
    const length = ends[i] - starts[i];
    if (length > longest[bytes[starts[i]]] && counts(i)) longest[bytes[starts[i]]] = length;
  }
  return longest;
}
