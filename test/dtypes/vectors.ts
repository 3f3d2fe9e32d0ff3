import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DType } from '../../src/types.ts';

/** What gguf-py decodes of blocks of SHAKE-256 bytes. */
export interface BlockVectors {
  blocks: number;
  piece: number;
  types: Record<
    string,
    { blockBytes: number; blockWeights: number; first: string; sha256: readonly string[] }
  >;
}

export function readFixture<T>(name: string): T {
  return JSON.parse(gunzipSync(readFileSync(`fixtures/dtypes/${name}`)).toString()) as T;
}

/** The bytes that fixtures/make/dtypes.py decoded. */
export function rawBlocks(name: string, byteLength: number): Uint8Array {
  return createHash('shake256', { outputLength: byteLength }).update(name).digest();
}

/** Bits as fixtures have them: every NaN is the one 0x7fc00000. */
export function canonicalBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (let at = 0; at < bits.length; at++) if (Number.isNaN(values[at])) bits[at] = 0x7fc00000;
  return bits;
}

export function decodeAll(dtype: DType, src: Uint8Array): Float32Array {
  const out = new Float32Array((src.length / dtype.blockBytes) * dtype.blockWeights);
  dtype.decode(src, out);
  return out;
}

export function hashOf(bits: Uint32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength))
    .digest('hex');
}

export function bitsFrom(base64: string): Uint32Array {
  return new Uint32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/** Index of the first value whose bits differ; -1 where none does. Comparing large arrays by expect takes seconds. */
export function firstDifference(found: Uint32Array, wanted: Uint32Array): number {
  if (found.length !== wanted.length) return Math.min(found.length, wanted.length);
  return found.findIndex((bits, index) => bits !== wanted[index]);
}
