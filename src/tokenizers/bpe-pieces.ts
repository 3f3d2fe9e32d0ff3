/** Bytes of all vocabulary entries in one arena: entry i is bytes[offsets[i], offsets[i + 1]) and has id ids[i]. */
export interface PieceTable {
  bytes: Uint8Array;
  /** One more than there are entries. */
  offsets: Uint32Array;
  ids: Uint32Array;
}

/** Finds vocabulary entries by bytes and by id. Of equal entries the later one counts. */
export class PieceIndex {
  readonly table: PieceTable;
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly dense: Int32Array | undefined;
  private readonly sparse: Map<number, number> | undefined;

  constructor(table: PieceTable) {
    this.table = table;
    const count = table.ids.length;
    const size = 2 ** Math.max(4, Math.ceil(Math.log2(count + 1)) + 1);
    this.slots = new Int32Array(size);
    this.mask = size - 1;
    for (let entry = 0; entry < count; entry++) this.add(entry);
    let highest = 0;
    for (const id of table.ids) highest = Math.max(highest, id);
    // Ids may have gaps up to 2^31; a dense array is only worth it where it is mostly full.
    if (highest < 4 * count + 1024) {
      this.dense = new Int32Array(highest + 1).fill(-1);
      for (let entry = 0; entry < count; entry++) this.dense[table.ids[entry]] = entry;
    } else {
      this.sparse = new Map();
      for (let entry = 0; entry < count; entry++) this.sparse.set(table.ids[entry], entry);
    }
  }

  private add(entry: number): void {
    const { bytes, offsets } = this.table;
    const slot = this.slotOf(bytes, offsets[entry], offsets[entry + 1]);
    this.slots[slot] = entry + 1;
  }

  /** The slot of these bytes, or the empty one where they belong. */
  private slotOf(bytes: Uint8Array, start: number, end: number): number {
    const { slots, mask, table } = this;
    let slot = hashBytes(bytes, start, end) & mask;
    for (;;) {
      const entry = slots[slot] - 1;
      if (entry < 0) return slot;
      const from = table.offsets[entry];
      if (table.offsets[entry + 1] - from === end - start) {
        let i = start;
        while (i < end && bytes[i] === table.bytes[from + i - start]) i++;
        if (i === end) return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Id of the entry of exactly these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const entry = this.slots[this.slotOf(bytes, start, end)] - 1;
    return entry < 0 ? -1 : this.table.ids[entry];
  }

  /** The entry of an id, or -1. */
  entryOf(id: number): number {
    if (this.dense !== undefined) return this.dense[id] ?? -1;
    return this.sparse?.get(id) ?? -1;
  }

  /** A view of an id's bytes. */
  bytesOf(id: number): Uint8Array | undefined {
    const entry = this.entryOf(id);
    if (entry < 0) return undefined;
    return this.table.bytes.subarray(this.table.offsets[entry], this.table.offsets[entry + 1]);
  }
}

/** FNV-1a with a final mix, so that low bits depend on every byte. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
