import { arenaOffset, claimBytes, releaseBytes } from './arena.ts';
import { loadArenaKernel } from './arena-kernel.ts';

/** Where a walk over strings stands. */
export interface StringPlace {
  /** Behind the last string, from the block's start; beyond its end when a string leads there. */
  at: number;
  left: number;
}

/** Passes over strings that stand behind little endian lengths of 8 bytes, as far as the block has the lengths. */
export type PassStrings = (block: Uint8Array, from: number, count: number) => StringPlace;

interface StringExports {
  passStrings(block: number, byteLength: number, from: number, count: number, out: number): void;
}

let loading: Promise<PassStrings | undefined> | undefined;

/**
 * The walk in WebAssembly, for vocabularies: a loop that runs once is slow while V8 has not compiled it.
 *
 * Undefined where WebAssembly is missing. Cost: about half a millisecond the first time; a copy of each block.
 */
export function loadPassStrings(): Promise<PassStrings | undefined> {
  loading ??= load();
  return loading;
}

async function load(): Promise<PassStrings | undefined> {
  const wasm = await loadArenaKernel<StringExports>(
    async () => (await import('../generated/strings.ts')).stringsBase64,
  );
  if (wasm === undefined) return undefined;
  return (block, from, count) => walk(wasm, block, from, count);
}

/** Bytes of what the kernel answers. */
const outBytes = 16;

function walk(wasm: StringExports, block: Uint8Array, from: number, count: number): StringPlace {
  const staged = claimBytes(block.length + outBytes);
  try {
    const address = arenaOffset(staged);
    // No room in the arena: the caller's own loop does it.
    if (address === undefined) return { at: from, left: count };
    staged.set(block, outBytes);
    wasm.passStrings(address + outBytes, block.length, from, count, address);
    const view = new DataView(staged.buffer, staged.byteOffset, outBytes);
    return { at: view.getFloat64(0, true), left: view.getUint32(8, true) };
  } finally {
    releaseBytes(staged);
  }
}
