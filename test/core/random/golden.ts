import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NormalStream } from '../../../src/core/random/normal-stream.ts';
import { openNumpyNormals } from '../../../src/core/random/numpy-normal.ts';
import type { RandomFamily } from '../../../src/core/random/seed.ts';
import { openTorchNormals } from '../../../src/core/random/torch-normal.ts';

/** A table as the real library drew it: see the meta part of each file in fixtures/torch-init. */
export interface GoldenCase {
  seed: string;
  vocab: number;
  dim: number;
  padding_idx?: number;
  sha256: string;
  /** Row index to the bits of its values, 8 hex digits each. */
  rows: Record<string, string>;
}

export const goldenFiles: { file: string; family: RandomFamily }[] = [
  { file: 'golden.json', family: 'torch' },
  { file: 'golden-scalar-x86.json', family: 'torch-scalar' },
  { file: 'golden-numpy.json', family: 'numpy' },
];

export function readFixture<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../../fixtures/torch-init/${file}`, import.meta.url), 'utf8'));
}

export function readGolden(file: string): GoldenCase[] {
  return readFixture<{ cases: GoldenCase[] }>(file).cases;
}

export function openNormals(family: RandomFamily, seed: bigint, count: number, std = 1): NormalStream {
  return family === 'numpy' ? openNumpyNormals(seed, std) : openTorchNormals(seed, count, std, family);
}

/** The bits of values, 8 hex digits each. */
export function hexOf(values: Float32Array): string {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Array.from(bits, (word) => word.toString(16).padStart(8, '0')).join('');
}

export function sha256(values: Float32Array): string {
  return createHash('sha256').update(bytesOf(values)).digest('hex');
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
