import { describe, expect, test } from 'vitest';
import { blockLayouts, swapFields } from '../../src/dtypes/blocks.ts';
import { dtypeNamed, loadDType, readableDType } from '../../src/dtypes/index.ts';
import { EmbError } from '../../src/errors.ts';
import {
  type BlockVectors,
  bitsFrom,
  canonicalBits,
  decodeAll,
  hashOf,
  rawBlocks,
  readFixture,
} from './vectors.ts';

const { blocks, piece, types } = readFixture<BlockVectors>('blocks.json.gz');
const floats = readFixture<{ types: Record<string, string> }>('floats.json.gz').types;

describe('types of ggml', () => {
  test('every dtype of blocks has vectors of a reference', () => {
    expect(Object.keys(blockLayouts).sort()).toEqual([...Object.keys(types), ...Object.keys(floats)].sort());
  });

  test.each(Object.keys(types))(
    '%s of random blocks is what the reference decodes, bit for bit',
    async (name) => {
      const { blockBytes, blockWeights, first, sha256 } = types[name];
      const dtype = await loadDType(name, false, 0);
      expect(dtypeNamed(name)).toMatchObject({ name, blockBytes, blockWeights });
      expect(dtype).toMatchObject({ name, blockBytes, blockWeights });
      const raw = rawBlocks(name, blocks * blockBytes);
      expect(canonicalBits(decodeAll(dtype, raw.subarray(0, blockBytes)))).toEqual(bitsFrom(first));
      const bits = canonicalBits(decodeAll(dtype, raw));
      const weights = piece * blockWeights;
      expect(sha256.map((_, index) => hashOf(bits.subarray(index * weights, (index + 1) * weights)))).toEqual(
        sha256,
      );
    },
  );

  test.each(Object.keys(types))('%s decodes from any address', async (name) => {
    const dtype = await loadDType(name, false, 0);
    const raw = Uint8Array.from(rawBlocks(name, 3 * dtype.blockBytes));
    const wanted = canonicalBits(decodeAll(dtype, raw));
    for (let shift = 1; shift < 8; shift++) {
      const moved = new Uint8Array(raw.length + shift);
      moved.set(raw, shift);
      expect(canonicalBits(decodeAll(dtype, moved.subarray(shift)))).toEqual(wanted);
    }
  });
});

describe('floats of eight bits and fewer', () => {
  test.each(Object.keys(floats))('%s is right for every byte', async (name) => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const dtype = await loadDType(name, false, 0);
    expect(canonicalBits(decodeAll(dtype, every))).toEqual(bitsFrom(floats[name]));
    for (let count = 0; count < 9; count++)
      expect(canonicalBits(decodeAll(dtype, every.subarray(0, count)))).toEqual(
        bitsFrom(floats[name]).subarray(0, count * dtype.blockWeights),
      );
  });

  test('floats of six bits, whose packing nobody defines, are refused with a way out', async () => {
    for (const name of ['F6_E2M3', 'F6_E3M2']) {
      const refused = await loadDType(name).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(EmbError);
      expect(refused).toMatchObject({ code: 'unsupported', hint: expect.stringContaining('6 bits') });
    }
  });
});

describe('loading a dtype', () => {
  test.each(['F32', 'F16', 'BF16', 'F64', 'I8', 'I64', 'BOOL'])(
    '%s is the same loaded as at once',
    async (name) => {
      const bytes = Uint8Array.from({ length: 80 }, (_, index) => (name === 'BOOL' ? index & 1 : index * 7));
      for (const bigEndian of [false, true]) {
        const wanted = decodeAll(readableDType(name, bigEndian), bytes.slice());
        expect(decodeAll(await loadDType(name, bigEndian), bytes.slice())).toEqual(wanted);
      }
    },
  );

  test('what is not decoded is named with what is', async () => {
    await expect(loadDType('C64')).rejects.toThrow(/dtype C64 is not decoded, expected one of F64 .* Q4_K /);
    await expect(loadDType('constructor')).rejects.toThrow('dtype constructor is not decoded');
    expect(() => readableDType('Q4_0')).toThrow('dtype Q4_0 is not decoded, expected one of F64');
  });
});

describe('blocks in big endian', () => {
  /** Fields as gguf_convert_endian.py reverses them; noop for the last two. */
  const converted: Record<string, number[]> = {
    Q4_0: [0],
    Q8_0: [0],
    Q4_K: [0, 2],
    Q6_K: [208],
    MXFP4: [],
    NVFP4: [],
  };

  test.each(Object.entries(converted))(
    'of %s the scales are reversed, as gguf_convert_endian.py does',
    (name, at) => {
      const layout = blockLayouts[name];
      const raw = Uint8Array.from(rawBlocks(name, 3 * layout.blockBytes));
      const wanted = raw.slice();
      for (let block = 0; block < 3; block++) {
        for (const field of at)
          wanted
            .subarray(block * layout.blockBytes + field)
            .subarray(0, 2)
            .reverse();
      }
      swapFields(raw, layout);
      expect(raw).toEqual(wanted);
    },
  );

  test.each(Object.keys(types).filter((name) => name !== 'IQ2_XXS'))(
    '%s decodes to the same values',
    async (name) => {
      const layout = blockLayouts[name];
      const raw = Uint8Array.from(rawBlocks(name, 9 * layout.blockBytes));
      const wanted = canonicalBits(decodeAll(await loadDType(name, false, 0), raw));
      swapFields(raw, layout);
      expect(canonicalBits(decodeAll(await loadDType(name, true, 0), raw))).toEqual(wanted);
    },
  );

  test('numbers of a block that are no scales are reversed too: bits, points, signs, sums', () => {
    const swappedBytes = (name: string) => {
      const { fields, blockBytes } = blockLayouts[name];
      const bytes = fields!.reduce((sum, [, width, count]) => sum + width * count, 0);
      for (const [at, width, count] of fields!) expect(at + width * count).toBeLessThanOrEqual(blockBytes);
      return bytes;
    };
    expect(
      ['Q5_0', 'Q5_1', 'Q8_K', 'IQ1_S', 'IQ1_M', 'IQ2_XS', 'IQ3_XXS', 'IQ4_XS', 'Q3_K'].map(swappedBytes),
    ).toEqual([6, 8, 36, 18, 8, 66, 34, 4, 2]);
  });

  test('IQ2_XXS, which ggml reads both as numbers and byte by byte, is refused', async () => {
    await expect(loadDType('IQ2_XXS', true)).rejects.toThrow('dtype IQ2_XXS is not decoded in big endian');
  });
});
