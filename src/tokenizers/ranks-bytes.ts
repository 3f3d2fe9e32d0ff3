import type { RankSource } from './ranks.ts';

/** Tokens whose bytes are put together one by one before all of them are. */
const singleLookups = 64;

/** The byte of each of the ids 0 to 255: printable characters first, as in GPT-2's bytes_to_unicode. */
export const gpt2ByteOrder = byteOrder();

function byteOrder(): Uint8Array {
  const order = new Uint8Array(256);
  let printable = 0;
  let other = 188;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    order[isPrintable ? printable++ : other++] = byte;
  }
  return order;
}

/** Bytes of the tokens of a built-in encoding, which its merges spell. */
export class RankBytes {
  private readonly ranks: RankSource;
  private lookups = 0;
  private arena: { bytes: Uint8Array; starts: Uint32Array; lengths: Uint32Array } | undefined;

  constructor(ranks: RankSource) {
    this.ranks = ranks;
  }

  /** Bytes of an id, or undefined for one that is neither a byte nor merged. */
  of(id: number): Uint8Array | undefined {
    if (this.arena === undefined && ++this.lookups > singleLookups) this.arena = this.spellAll();
    if (this.arena === undefined) return this.spell(id);
    const { bytes, starts, lengths } = this.arena;
    if (!(lengths[id] > 0)) return undefined;
    return bytes.subarray(starts[id], starts[id] + lengths[id]);
  }

  private spell(id: number): Uint8Array | undefined {
    const bytes: number[] = [];
    const pending = [id];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next < 256) bytes.push(gpt2ByteOrder[next]);
      else {
        const parts = this.ranks.partsOf(next);
        if (parts === undefined) return undefined;
        pending.push(parts[1], parts[0]);
      }
    }
    return Uint8Array.from(bytes);
  }

  private spellAll() {
    const { lefts, rights, merged } = this.ranks.list();
    const highest = merged.reduce((a, b) => Math.max(a, b), 255);
    const pairOf = new Int32Array(highest + 1).fill(-1);
    for (let i = 0; i < merged.length; i++) pairOf[merged[i]] = i;
    const lengths = new Uint32Array(highest + 1).fill(1, 0, 256);
    const starts = new Uint32Array(highest + 1);
    let total = 256;
    // Parts have lower ids than what they make.
    for (let id = 256; id <= highest; id++) {
      const pair = pairOf[id];
      if (pair < 0) continue;
      lengths[id] = lengths[lefts[pair]] + lengths[rights[pair]];
      starts[id] = total;
      total += lengths[id];
    }
    const bytes = new Uint8Array(total);
    for (let id = 0; id < 256; id++) {
      bytes[id] = gpt2ByteOrder[id];
      starts[id] = id;
    }
    for (let id = 256; id <= highest; id++) {
      const pair = pairOf[id];
      if (pair < 0) continue;
      const left = lefts[pair];
      const right = rights[pair];
      bytes.copyWithin(starts[id], starts[left], starts[left] + lengths[left]);
      bytes.copyWithin(starts[id] + lengths[left], starts[right], starts[right] + lengths[right]);
    }
    return { bytes, starts, lengths };
  }
}
