import { arenaMemory } from './arena.ts';
import { webAssembly } from './webassembly.ts';

/**
 * The exports of a kernel that works in the arena; undefined where WebAssembly is missing.
 *
 * @param bytes the kernel as base64, loaded only where it can run
 * Cost: compiling takes half a millisecond to two.
 */
export async function loadArenaKernel<Exports>(bytes: () => Promise<string>): Promise<Exports | undefined> {
  const memory = arenaMemory();
  if (memory === undefined || webAssembly === undefined) return undefined;
  const module = new webAssembly.Module(Buffer.from(await bytes(), 'base64'));
  return new webAssembly.Instance(module, { env: { memory } }).exports as Exports;
}

/**
 * What loads a kernel by name: `ts` is the plain one; `simd` its WebAssembly twin, compiled when first asked for, or the plain one where
 * WebAssembly is missing.
 *
 * @param bytes as for loadArenaKernel
 * @param wrap makes the twin of its exports
 */
export function kernelLoader<Kernel, Exports>(
  plain: Kernel,
  bytes: () => Promise<string>,
  wrap: (wasm: Exports) => Kernel,
): (name?: 'ts' | 'simd') => Promise<Kernel> {
  let loading: Promise<Kernel> | undefined;
  const loadTwin = async () => {
    const wasm = await loadArenaKernel<Exports>(bytes);
    return wasm === undefined ? plain : wrap(wasm);
  };
  return async (name = 'simd') => {
    if (name === 'ts') return plain;
    loading ??= loadTwin();
    return loading;
  };
}
