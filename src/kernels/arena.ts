import { EmbError } from '../errors.ts';
import { wasmPageBytes, webAssembly } from './webassembly.ts';

/** Enough for the blocks of two tables and a kernel's tables at once; pages that nobody touches cost no memory. */
const arenaBytes = 32 * 1024 * 1024;

/** The first page belongs to the kernels' own constants; so address 0 is never a claim. */
const reservedBytes = wasmPageBytes;

/** Claims start at page boundaries: read(2) into an unaligned destination is four times slower on Zen 3. */
const alignment = 4096;

interface Span {
  start: number;
  length: number;
}

let memory: { readonly buffer: ArrayBuffer } | undefined;
let unavailable = false;
/** Free spans by address, never adjacent to each other. */
const free: Span[] = [{ start: reservedBytes, length: arenaBytes - reservedBytes }];
/** Aligned length of every claim, by offset. */
const claims = new Map<number, number>();

/**
 * The one memory that bulk reads land in and wasm kernels import.
 *
 * It has a fixed size: a memory that grows detaches every view of it. Undefined where WebAssembly or the address space
 * for it is missing (`--jitless`, `ulimit -v`); callers then use plain memory and the TypeScript kernels.
 */
export function arenaMemory(): { readonly buffer: ArrayBuffer } | undefined {
  if (memory === undefined && !unavailable) {
    const pages = arenaBytes / wasmPageBytes;
    try {
      if (webAssembly !== undefined) memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    unavailable = memory === undefined;
  }
  return memory;
}

/**
 * Memory for a bulk read: page-aligned in the arena when it fits there, otherwise a plain Uint8Array.
 *
 * Shape: exactly byteLength bytes. The content is undefined: an earlier claim may have left its bytes.
 * Cost: first fit over the free spans; no zeroing.
 * @throws EmbError "range" when byteLength is no whole number >= 0
 */
export function claimBytes(byteLength: number): Uint8Array {
  if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
    throw new EmbError('range', `"byteLength" is ${byteLength}, expected a whole number of at least 0`);
  }
  const length = Math.max(alignment, Math.ceil(byteLength / alignment) * alignment);
  const index = free.findIndex((span) => span.length >= length);
  const arena = index < 0 ? undefined : arenaMemory();
  if (arena === undefined) return new Uint8Array(byteLength);
  const span = free[index];
  const start = span.start;
  claims.set(start, length);
  if (span.length === length) free.splice(index, 1);
  else free[index] = { start: start + length, length: span.length - length };
  return new Uint8Array(arena.buffer, start, byteLength);
}

/** claimBytes for float32. Shape: [length] */
export function claimFloats(length: number): Float32Array {
  const bytes = claimBytes(length * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}

/** claimBytes for float64. Shape: [length] */
export function claimDoubles(length: number): Float64Array {
  const bytes = claimBytes(length * 8);
  return new Float64Array(bytes.buffer, bytes.byteOffset, length);
}

/** claimBytes for uint32. Shape: [length] */
export function claimWords(length: number): Uint32Array {
  const bytes = claimBytes(length * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
}

/**
 * Gives a claim back; its views must not be used afterwards. Plain memory and views that were released already are ignored.
 *
 * @param view from where the claim starts
 */
export function releaseBytes(view: ArrayBufferView): void {
  const start = arenaOffset(view);
  const length = start === undefined ? undefined : claims.get(start);
  if (start === undefined || length === undefined) return;
  claims.delete(start);
  let index = free.findIndex((span) => span.start > start);
  if (index < 0) index = free.length;
  free.splice(index, 0, { start, length });
  mergeNeighbors(index);
  mergeNeighbors(index - 1);
}

/** Byte address in the arena, as kernels take it; undefined for memory that lies elsewhere. */
export function arenaOffset(view: ArrayBufferView): number | undefined {
  return memory !== undefined && view.buffer === memory.buffer ? view.byteOffset : undefined;
}

/** Makes one span of free[index] and the one after it when they touch. */
function mergeNeighbors(index: number): void {
  if (index < 0 || index + 1 >= free.length) return;
  const [left, right] = [free[index], free[index + 1]];
  if (left.start + left.length !== right.start) return;
  free.splice(index, 2, { start: left.start, length: left.length + right.length });
}
