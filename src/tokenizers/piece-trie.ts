/** Pieces as a vocabulary has them: piece i is bytes[offsets[i], offsets[i + 1]) and has id ids[i]. */
export interface TriePieces {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly count: number;
}

// Odd and unknown from outside, so that no vocabulary can be written whose edges all meet in one slot.
const factor = (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;

/**
 * A trie over the bytes of pieces; of equal pieces the later one counts.
 *
 * Block: edges lie in a hash table by node * 256 + byte, as [key + 1, child]; node 0 is the root, whose edges lie in a table of 256.
 * Cost: one pass over the pieces; 16 to 64 bytes for each node.
 */
export class PieceTrie {
  /** Id of the piece that ends in a node, or -1. */
  readonly ids: Int32Array;
  /** Children of the root by byte, 0 for none. */
  readonly roots = new Int32Array(256);
  edges = new Int32Array(2 ** 13);
  shift = 32 - 12;
  mask = 2 ** 12 - 1;
  private nodes = 1;

  constructor(pieces: TriePieces) {
    const { bytes, offsets, count } = pieces;
    const ends = new Int32Array(count);
    const { roots } = this;
    for (let piece = 0; piece < count; piece++) {
      const start = offsets[piece];
      const end = offsets[piece + 1];
      if (start === end) continue;
      let node = roots[bytes[start]];
      if (node === 0) {
        node = this.nodes++;
        roots[bytes[start]] = node;
      }
      for (let i = start + 1; i < end; i++) node = this.grow(node, bytes[i]);
      ends[piece] = node;
    }
    this.ids = new Int32Array(this.nodes).fill(-1);
    for (let piece = 0; piece < count; piece++)
      if (ends[piece] > 0) this.ids[ends[piece]] = pieces.ids[piece];
  }

  /** The node after a byte, a new one if there is none. */
  private grow(node: number, byte: number): number {
    const key = (node << 8) | byte;
    let at = this.slotOf(key);
    if (this.edges[2 * at] === key) return this.edges[2 * at + 1];
    if (2 * this.nodes > this.mask) {
      this.spread();
      at = this.slotOf(key);
    }
    this.edges[2 * at] = key;
    this.edges[2 * at + 1] = this.nodes;
    return this.nodes++;
  }

  private slotOf(key: number): number {
    const { edges, mask } = this;
    let at = Math.imul(key, factor) >>> this.shift;
    while (edges[2 * at] !== 0 && edges[2 * at] !== key) at = (at + 1) & mask;
    return at;
  }

  /** Four times as many slots. */
  private spread(): void {
    const old = this.edges;
    this.edges = new Int32Array(4 * old.length);
    this.shift -= 2;
    this.mask = this.edges.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] === 0) continue;
      const at = this.slotOf(old[i]);
      this.edges[2 * at] = old[i];
      this.edges[2 * at + 1] = old[i + 1];
    }
  }

  /** The node after a byte, or 0. */
  next(node: number, byte: number): number {
    const { edges, mask } = this;
    const key = (node << 8) | byte;
    for (let at = Math.imul(key, factor) >>> this.shift; ; at = (at + 1) & mask) {
      const found = edges[2 * at];
      if (found === key) return edges[2 * at + 1];
      if (found === 0) return 0;
    }
  }
}
