import { describe, expect, test } from 'vitest';
import { dtypeNamed, readableDType } from '../../src/dtypes/index.ts';
import { bitsOf } from '../formats/tables.ts';

function decode(name: string, bytes: Uint8Array, bigEndian = false): Float32Array {
  const dtype = readableDType(name, bigEndian);
  const out = new Float32Array((bytes.length / dtype.blockBytes) * dtype.blockWeights);
  dtype.decode(bytes, out);
  return out;
}

/** The float32 nearest to an integer, ties to even, by exact integer arithmetic. */
function nearestFloat(value: bigint): number {
  const size = value < 0n ? -value : value;
  const extra = BigInt(Math.max(0, size.toString(2).length - 24));
  const half = extra === 0n ? 0n : 1n << (extra - 1n);
  const low = size & ((1n << extra) - 1n);
  let top = size >> extra;
  if (low > half || (low === half && extra > 0n && (top & 1n) === 1n)) top++;
  return Number(value < 0n ? -(top << extra) : top << extra);
}

describe('16-bit floats', () => {
  test('the table and the computed bits of F16 agree on all 65,536 values, and F16 is exact', () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const bytes = new Uint8Array(halves.buffer);
    const piece = 1024;
    const computed = new Float32Array(65_536);
    for (let start = 0; start < 65_536; start += piece) {
      computed.set(decode('F16', bytes.subarray(2 * start, 2 * (start + piece))), start);
    }
    expect(bitsOf(decode('F16', bytes))).toEqual(bitsOf(computed));
    const exact = Array.from(halves, (half) => {
      const exponent = (half >> 10) & 31;
      const mantissa = half & 1023;
      const sign = half >> 15 ? -1 : 1;
      if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
      return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
    });
    expect(bitsOf(computed)).toEqual(bitsOf(Float32Array.from(exact)));
  });

  test('BF16 is the upper half of float32, for counts that are no multiple of four', () => {
    for (let count = 0; count < 12; count++) {
      const words = Uint16Array.from({ length: count }, (_, index) => 0x3f80 + 77 * index);
      const wanted = Array.from(words, (word) => word * 65_536);
      expect(bitsOf(decode('BF16', new Uint8Array(words.buffer)))).toEqual(wanted);
    }
  });
});

describe('wide integers', () => {
  test('I64 and U64 are rounded once, also where a double would have rounded first', () => {
    const values: bigint[] = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)];
    let state = 88172645463325252n;
    for (let index = 0; index < 4000; index++) {
      state ^= (state << 13n) & 0xffffffffffffffffn;
      state ^= state >> 7n;
      state ^= (state << 17n) & 0xffffffffffffffffn;
      values.push(BigInt.asIntN(64, state) >> BigInt(index % 64));
    }
    for (let power = 50n; power < 63n; power++) {
      const half = 1n << (power - 24n);
      for (const near of [-1n, 0n, 1n]) {
        for (const odd of [1n, 3n])
          values.push((1n << power) + odd * half + near, -((1n << power) + odd * half + near));
      }
    }
    const bytes = new Uint8Array(BigInt64Array.from(values).buffer);
    expect(Array.from(decode('I64', bytes.slice()))).toEqual(values.map(nearestFloat));
    const unsigned = values.map((value) => BigInt.asUintN(64, value));
    expect(Array.from(decode('U64', bytes.slice()))).toEqual(unsigned.map(nearestFloat));
  });

  test('dtypes that float32 does not hold say that they round', () => {
    const rounding = [
      'F64',
      'F32',
      'F16',
      'BF16',
      'I8',
      'U8',
      'I16',
      'U16',
      'I32',
      'U32',
      'I64',
      'U64',
      'BOOL',
    ].filter((name) => readableDType(name).rounds);
    expect(rounding).toEqual(['F64', 'I32', 'U32', 'I64', 'U64']);
  });
});

describe('any dtype', () => {
  test.each(['F64', 'F32', 'F16', 'BF16', 'I16', 'U16', 'I32', 'U32', 'I64', 'U64'])(
    '%s decodes from any address and in big endian',
    (name) => {
      const width = readableDType(name).blockBytes;
      const bytes = Uint8Array.from({ length: 9 * width }, (_, index) => (index * 37 + 11) & 0x7b);
      const wanted = bitsOf(decode(name, bytes.slice()));
      for (let shift = 1; shift < 8; shift++) {
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        expect(bitsOf(decode(name, moved.subarray(shift)))).toEqual(wanted);
      }
      const swapped = bytes.slice();
      for (let at = 0; at < swapped.length; at += width) swapped.subarray(at, at + width).reverse();
      expect(bitsOf(decode(name, swapped, true))).toEqual(wanted);
    },
  );

  test('a BOOL that is neither 0 nor 1 is corrupt', () => {
    expect(() => decode('BOOL', Uint8Array.of(0, 1, 2))).toThrow('"BOOL" value is 2, expected 0 or 1');
  });

  test('a dtype that no format has is unknown', () => {
    expect(dtypeNamed('F33')).toBeUndefined();
    expect(() => readableDType('constructor')).toThrow('dtype constructor is not decoded');
  });
});
