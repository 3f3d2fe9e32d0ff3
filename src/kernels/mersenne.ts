import { mersenneBase64 } from '../generated/mersenne.ts';
import { webAssembly } from './webassembly.ts';

/** Moves MT19937 states; the plain reference is core/random/{mt19937,jump}.ts. */
export interface MersenneKernel {
  /** Replaces 624 raw words by those `blocks` twists later, in place. */
  twist(state: Int32Array, blocks: number): void;
  /** The same by one jump, whose cost hardly depends on `blocks`. */
  jump(state: Int32Array, blocks: number): void;
}

/** Exports of src/kernels/assembly/mersenne.ts. */
interface MersenneExports {
  memory: { readonly buffer: ArrayBuffer };
  stateAt: { value: number };
  termsAt: { value: number };
  twist(blocks: number): void;
  jump(exponent: number, terms: number): void;
}

let loaded: { kernel: MersenneKernel | undefined } | undefined;

/**
 * The SIMD kernel, compiled when first asked for; undefined where WebAssembly or 2 MB of it are missing.
 *
 * Shape: lowerTerms are the exponents of the characteristic polynomial below the highest.
 * Cost: 0.5 ms for the first call.
 */
export function loadMersenneKernel(lowerTerms: readonly number[]): MersenneKernel | undefined {
  loaded ??= { kernel: instantiate(lowerTerms) };
  return loaded.kernel;
}

function instantiate(lowerTerms: readonly number[]): MersenneKernel | undefined {
  if (webAssembly === undefined) return undefined;
  const module = new webAssembly.Module(Buffer.from(mersenneBase64, 'base64'));
  let wasm: MersenneExports;
  try {
    wasm = new webAssembly.Instance(module, {}).exports as MersenneExports;
  } catch (error) {
    // No address space for its memory (`ulimit -v`).
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  new Uint16Array(wasm.memory.buffer, wasm.termsAt.value, lowerTerms.length).set(lowerTerms);
  const shared = new Int32Array(wasm.memory.buffer, wasm.stateAt.value, 624);
  const move = (state: Int32Array, advance: () => void) => {
    shared.set(state);
    advance();
    state.set(shared);
  };
  return {
    twist: (state, blocks) => move(state, () => wasm.twist(blocks)),
    jump: (state, blocks) => move(state, () => wasm.jump(blocks * 624, lowerTerms.length)),
  };
}
