import { arenaOffset } from './arena.ts';
import { loadArenaKernel } from './arena-kernel.ts';

/** Decodes blocks that lie in the arena to floats that lie in the arena: src.length / blockBytes of them. */
type ArenaDecode = (src: Uint8Array, out: Float32Array) => void;

/** Addresses are byte offsets in the arena. */
type Export = (src: number, blocks: number, out: number, kind?: number) => void;

/** Name of the export, bytes of a block, and which of the formats that share an export. */
type Twin = readonly [name: string, blockBytes: number, kind?: number];

/** The dtypes that have a SIMD twin. */
const twins: Readonly<Record<string, Twin>> = {
  BF16: ['bf16', 2],
  F16: ['f16', 2],
  F8_E4M3: ['f8', 1, 0],
  F8_E5M2: ['f8', 1, 1],
  F8_E4M3FNUZ: ['f8', 1, 2],
  F8_E5M2FNUZ: ['f8', 1, 3],
  Q4_0: ['q4_0', 18],
  Q4_1: ['q4_1', 20],
  Q5_0: ['q5_0', 22],
  Q5_1: ['q5_1', 24],
  Q8_0: ['q8_0', 34],
  Q2_K: ['q2_K', 84],
  Q3_K: ['q3_K', 110],
  Q4_K: ['q4_K', 144],
  Q5_K: ['q5_K', 176],
  Q6_K: ['q6_K', 210],
  IQ4_NL: ['iq4_nl', 18],
  IQ4_XS: ['iq4_xs', 136],
  TQ2_0: ['tq2_0', 66],
  MXFP4: ['mxfp4', 17],
};

let loading: Promise<Record<string, Export> | undefined> | undefined;

/**
 * The SIMD twin of a dtype's decoder; undefined where there is none, or no WebAssembly.
 *
 * The values are the same bits as those of the plain decoder, but for signs and payloads of NaN.
 * Cost: about 2 ms for the first one.
 */
export async function loadArenaDecode(dtype: string): Promise<ArenaDecode | undefined> {
  if (!Object.hasOwn(twins, dtype)) return undefined;
  loading ??= loadExports();
  const exports = await loading;
  if (exports === undefined) return undefined;
  const [name, blockBytes, kind] = twins[dtype];
  const run = exports[name];
  return (src, out) => {
    const [from, to] = [arenaOffset(src), arenaOffset(out)];
    if (from === undefined || to === undefined) throw new Error('src and out must lie in the arena');
    run(from, src.length / blockBytes, to, kind);
  };
}

async function loadExports(): Promise<Record<string, Export> | undefined> {
  return loadArenaKernel(async () => (await import('../generated/dequantize.ts')).dequantizeBase64);
}
