import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockLayouts, swapFields } from '../../src/dtypes/blocks.ts';
import { dtypeNamed, loadDType } from '../../src/dtypes/index.ts';
import { arenaOffset, claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { loadArenaDecode } from '../../src/kernels/dequantize.ts';
import { canonicalBits, decodeAll, firstDifference, rawBlocks } from './vectors.ts';

const names = ['F16', 'BF16', ...Object.keys(blockLayouts)];
const twins: string[] = [];
for (const name of names) if ((await loadArenaDecode(name)) !== undefined) twins.push(name);

/** Bits that a dtype decodes in the arena, and a check that nothing beside them was written. */
async function decodeInArena(
  name: string,
  bytes: Uint8Array,
  shift: number,
  bigEndian = false,
): Promise<Uint32Array> {
  const dtype = await loadDType(name, bigEndian);
  const weights = (bytes.length / dtype.blockBytes) * dtype.blockWeights;
  const [src, memory] = [claimBytes(bytes.length + shift), claimBytes(weights * 4 + 8)];
  try {
    expect(arenaOffset(src)).toBeDefined();
    expect(arenaOffset(memory)).toBeDefined();
    src.set(bytes, shift);
    const all = new Uint32Array(memory.buffer, memory.byteOffset, weights + 2).fill(0x12345678);
    const out = new Float32Array(memory.buffer, memory.byteOffset + 4, weights);
    dtype.decode(src.subarray(shift, shift + bytes.length), out);
    expect([all[0], all[weights + 1]]).toEqual([0x12345678, 0x12345678]);
    return canonicalBits(out);
  } finally {
    releaseBytes(src);
    releaseBytes(memory);
  }
}

describe('the SIMD twin', () => {
  test('is there for the types that are common', () => {
    for (const name of [
      'F16',
      'BF16',
      'F8_E4M3',
      'F8_E5M2',
      'Q4_0',
      'Q5_1',
      'Q8_0',
      'Q2_K',
      'Q3_K',
      'Q4_K',
      'Q5_K',
      'Q6_K',
    ])
      expect(twins).toContain(name);
    expect(twins).not.toContain('IQ1_S');
  });

  test('refuses what does not lie in the arena', async () => {
    const twin = (await loadArenaDecode('Q8_0'))!;
    expect(() => twin(new Uint8Array(34), new Float32Array(32))).toThrow('must lie in the arena');
  });

  test.each(twins)(
    'of %s gives the bits of the plain decoder for random blocks, from any address',
    async (name) => {
      const { blockBytes } = dtypeNamed(name)!;
      const plain = await loadDType(name, false, 0);
      for (const [shift, blocks] of [
        [0, Math.ceil(65_536 / blockBytes)],
        [1, Math.ceil(5000 / blockBytes)],
        [7, Math.ceil(9999 / blockBytes) + 3],
      ]) {
        const bytes = Uint8Array.from(rawBlocks(`${name} twin ${shift}`, blocks * blockBytes));
        expect(
          firstDifference(await decodeInArena(name, bytes, shift), canonicalBits(decodeAll(plain, bytes))),
        ).toBe(-1);
      }
    },
  );

  test.each(twins)(
    'of %s gives the bits of the plain decoder for blocks that a search makes',
    async (name) => {
      const { blockBytes, blockWeights } = dtypeNamed(name)!;
      const [plain, twin] = [await loadDType(name, false, 0), (await loadArenaDecode(name))!];
      const [src, memory] = [claimBytes(40 * blockBytes), claimBytes(40 * blockWeights * 4)];
      fc.assert(
        fc.property(fc.uint8Array({ minLength: blockBytes, maxLength: 40 * blockBytes }), (random) => {
          const length = random.length - (random.length % blockBytes);
          const input = src.subarray(0, length);
          input.set(random.subarray(0, length));
          const out = new Float32Array(
            memory.buffer,
            memory.byteOffset,
            (length / blockBytes) * blockWeights,
          );
          twin(input, out);
          expect(firstDifference(canonicalBits(out), canonicalBits(decodeAll(plain, input)))).toBe(-1);
        }),
        { seed: 5, numRuns: 150 },
      );
      releaseBytes(src);
      releaseBytes(memory);
    },
  );

  test.each(['F16', 'BF16'])('of %s is right for all 65,536 values', async (name) => {
    const every = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, index) => index).buffer);
    expect(
      firstDifference(
        await decodeInArena(name, every, 0),
        canonicalBits(decodeAll(await loadDType(name, false, 0), every)),
      ),
    ).toBe(-1);
  });

  test.each(twins.filter((name) => name.startsWith('F8')))(
    'of %s is right for all 256 values',
    async (name) => {
      const every = Uint8Array.from({ length: 4096 + 256 + 5 }, (_, index) => index & 255);
      expect(
        firstDifference(
          await decodeInArena(name, every, 0),
          canonicalBits(decodeAll(await loadDType(name, false, 0), every)),
        ),
      ).toBe(-1);
    },
  );

  test('of a big endian dtype runs after its numbers are reversed', async () => {
    for (const name of ['Q4_K', 'Q5_0', 'F16', 'MXFP4']) {
      const { blockBytes } = dtypeNamed(name)!;
      const bytes = Uint8Array.from(rawBlocks(name, blockBytes * Math.ceil(8192 / blockBytes)));
      const wanted = canonicalBits(decodeAll(await loadDType(name, false, 0), bytes));
      if (name === 'F16') Buffer.from(bytes.buffer).swap16();
      else swapFields(bytes, blockLayouts[name]);
      expect(firstDifference(await decodeInArena(name, bytes, 3, true), wanted)).toBe(-1);
    }
  });
});
