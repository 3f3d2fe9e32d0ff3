import { arenaMemory, arenaOffset, claimBytes, releaseBytes } from './arena.ts';
import { webAssembly } from './webassembly.ts';

/** Bytes of a kernel as base64, loaded only where it can run. */
type KernelBytes = () => Promise<string>;

/**
 * The exports of a kernel that works in the arena; undefined where WebAssembly is missing.
 *
 * @param fused the same kernel with multiplications and additions in one instruction, for engines that have it
 * Cost: compiling takes half a millisecond to two.
 */
export async function loadArenaKernel<Exports>(
  bytes: KernelBytes,
  fused?: KernelBytes,
): Promise<Exports | undefined> {
  const memory = arenaMemory();
  if (memory === undefined || webAssembly === undefined) return undefined;
  const module = (await compileFused(fused)) ?? new webAssembly.Module(decoded(await bytes()));
  return new webAssembly.Instance(module, { env: { memory } }).exports as Exports;
}

function decoded(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

/**
 * undefined where the engine has no relaxed SIMD.
 *
 * V8 11.3, of Node 20, has it as the next release switched it on, behind a flag that only says whether modules with it are valid. It is
 * taken back at once: code that was cached under other flags is not accepted.
 */
async function compileFused(fused: KernelBytes | undefined): Promise<object | undefined> {
  if (fused === undefined || webAssembly === undefined) return undefined;
  const { Module, validate } = webAssembly;
  if (validate(fusedProbe)) return new Module(decoded(await fused()));
  if (!process.versions.v8.startsWith('11.3.')) return undefined;
  const bytes = decoded(await fused());
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    return validate(fusedProbe) ? new Module(bytes) : undefined;
  } finally {
    setFlagsFromString('--no-experimental-wasm-relaxed-simd');
  }
}

/** A module with one function: f32x4.relaxed_madd of its parameters. */
const fusedProbe = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
);

/** The smallest number of products that are summed faster with a fused kernel than it takes to load it in Node 20. */
const worthFusing = 2 ** 28;

/** Whether so many products are worth a fused kernel. */
export function paysToFuse(products: number): boolean {
  return products >= worthFusing;
}

/**
 * What loads a kernel by name: `ts` is the plain one; `simd` its WebAssembly twin, compiled when first asked for, or the plain one where
 * WebAssembly is missing. With `fuses` it is the fused twin where the engine has it: sums are rounded in another way then.
 *
 * @param bytes and fused: as for loadArenaKernel
 * @param wrap makes the twin of its exports
 */
export function kernelLoader<Kernel, Exports>(
  plain: Kernel,
  bytes: KernelBytes,
  wrap: (wasm: Exports) => Kernel,
  fused?: KernelBytes,
): (name?: 'ts' | 'simd', fuses?: boolean) => Promise<Kernel> {
  const loading: Promise<Kernel>[] = [];
  const loadTwin = async (fuses: boolean) => {
    const wasm = await loadArenaKernel<Exports>(bytes, fuses ? fused : undefined);
    return wasm === undefined ? plain : wrap(wasm);
  };
  return async (name = 'simd', fuses = false) => {
    if (name === 'ts') return plain;
    loading[Number(fuses)] ??= loadTwin(fuses);
    return loading[Number(fuses)];
  };
}

/** Calls work with the address of data, or of a copy. False when the arena has no room for one. */
export function inArena(data: Float32Array, work: (address: number) => void): boolean {
  const own = arenaOffset(data);
  if (own !== undefined) {
    work(own);
    return true;
  }
  const staging = claimBytes(data.byteLength);
  const address = arenaOffset(staging);
  if (address === undefined) return false;
  try {
    staging.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    work(address);
  } finally {
    releaseBytes(staging);
  }
  return true;
}
