import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDType } from '../../src/dtypes/index.ts';
import { bitsFrom, canonicalBits, decodeAll } from '../dtypes/vectors.ts';
import { hasWorld, world } from './manifest.ts';

interface Vectors {
  block_elements: number;
  block_bytes: number;
  raw_base64: string;
  expected_f32_le_base64: string;
}

/** A block of a published model, quoted with its values. */
const real = 'MXFP4_real_block';

interface RealBlock {
  raw_hex: string;
  expected: number[];
}

const path = join(world, 'expected', 'gguf_block_vectors.json');
const types = hasWorld
  ? (JSON.parse(readFileSync(path, 'utf8')) as { types: Record<string, Vectors> }).types
  : {};
const { [real]: realBlock, ...random } = types;

describe.skipIf(!hasWorld)('blocks that gguf-py decoded', () => {
  test('are there for every type that it decodes', () => {
    expect(Object.keys(random).length).toBeGreaterThanOrEqual(23);
  });

  test.each(Object.entries(random))('%s: the same bits', async (name, vectors) => {
    const dtype = await loadDType(name, false, 0);
    expect(dtype.blockBytes).toBe(vectors.block_bytes);
    expect(dtype.blockWeights).toBe(vectors.block_elements);
    const found = decodeAll(dtype, Buffer.from(vectors.raw_base64, 'base64'));
    const wanted = canonicalBits(new Float32Array(bitsFrom(vectors.expected_f32_le_base64).buffer));
    expect(canonicalBits(found)).toEqual(wanted);
  });

  test('MXFP4 of a published model: the values that are quoted with it', async () => {
    const { raw_hex, expected } = realBlock as unknown as RealBlock;
    const found = decodeAll(await loadDType('MXFP4', false, 0), Buffer.from(raw_hex, 'hex'));
    expect(Array.from(found)).toEqual(expected);
  });
});
