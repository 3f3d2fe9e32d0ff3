import { Breath } from '../bytes/breath.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { ByteSource } from '../types.ts';

/** Some rows of a scan. */
interface Place {
  /** The first row. */
  start: number;
  rows: number;
}

/** The rows of a block as they are stored. */
export interface StoredRows extends Place {
  /** Valid until the next block is asked for. */
  bytes: Uint8Array;
}

/** Where rows lie, and which of them are read. */
export interface BlockPlan {
  source: ByteSource;
  /** Bytes from the start of the source to the first row. */
  offset: number;
  rows: number;
  rowBytes: number;
  /** Rows of a block; the last one may have fewer. */
  blockRows: number;
  /** The number of the next block; the scan ends with the first that is past the rows. */
  next: () => number;
}

/** Bytes of a block that is read when its turn comes: large enough that system calls don't count, small enough for the second level cache. */
const blockBytes = 1 << 20;

/** Bytes of a block that another thread reads: half as many changes of threads gain more than the cache. */
const aheadBytes = 2 << 20;

/** Reads that other threads have under way while one block is worked on: two keep the memory busy, a third covers for a late one. */
const readsAhead = 3;

/** Below this the threads of the pool cost more to wake than they save. */
const worthReadingAhead = 24 << 20;

/** How many rows a block of storedBlocks has: at most so many, and one at least. */
export function rowsPerBlock(plan: Omit<BlockPlan, 'blockRows' | 'next'>, most: number): number {
  const bytes = readsBeside(plan) ? aheadBytes : blockBytes;
  return Math.min(plan.rows, most, Math.max(1, Math.floor(bytes / plan.rowBytes)));
}

function readsBeside({ source, rows, rowBytes }: Omit<BlockPlan, 'blockRows' | 'next'>): boolean {
  return rows * rowBytes >= worthReadingAhead && rowBytes <= aheadBytes && source.readBeside !== undefined;
}

/** Scans the blocks that the plan asks for: rows as they are stored, in memory that kernels reach. */
export function storedBlocks(plan: BlockPlan): AsyncGenerator<StoredRows> {
  return readsBeside(plan) ? readAhead(plan) : readInTurn(plan);
}

async function* readInTurn(plan: BlockPlan): AsyncGenerator<StoredRows> {
  const slab = claimBytes(plan.blockRows * plan.rowBytes);
  const breath = new Breath();
  try {
    for (let place = nextPlace(plan); place !== undefined; place = nextPlace(plan)) {
      const [start, end] = bytesOf(plan, place);
      yield { ...place, bytes: await plan.source.read(start, end, slab) };
      if (breath.due) await breath.take();
    }
  } finally {
    releaseBytes(slab);
  }
}

/** Copying from the page cache takes as long as the arithmetic: other threads copy the next blocks meanwhile. */
async function* readAhead(plan: BlockPlan): AsyncGenerator<StoredRows> {
  const slabs = Array.from({ length: readsAhead }, () => claimBytes(plan.blockRows * plan.rowBytes));
  const underWay: { place: Place; slab: Uint8Array; bytes: Promise<Uint8Array> }[] = [];
  const begin = (slab: Uint8Array) => {
    const place = nextPlace(plan);
    if (place === undefined) return;
    const bytes = plan.source.readBeside!(...bytesOf(plan, place), slab);
    // It is awaited in its turn: until then a failure is nobody's.
    bytes.catch(() => {});
    underWay.push({ place, slab, bytes });
  };
  try {
    slabs.forEach(begin);
    for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) {
      yield { ...first.place, bytes: await first.bytes };
      begin(first.slab);
    }
  } finally {
    // Memory that is still written to must not be given back.
    await Promise.allSettled(underWay.map(({ bytes }) => bytes));
    slabs.forEach(releaseBytes);
  }
}

function nextPlace({ next, rows, blockRows }: BlockPlan): Place | undefined {
  const start = next() * blockRows;
  return start < rows ? { start, rows: Math.min(blockRows, rows - start) } : undefined;
}

function bytesOf({ offset, rowBytes }: BlockPlan, { start, rows }: Place): [start: number, end: number] {
  return [offset + start * rowBytes, offset + (start + rows) * rowBytes];
}
