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
