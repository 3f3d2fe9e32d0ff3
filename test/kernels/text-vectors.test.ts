import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { hashWord, type LineRecords, type TextKernel } from '../../src/kernels/text-vectors.ts';
import { loadTextKernel, readAhead } from '../../src/kernels/text-vectors-load.ts';

const kernels: TextKernel[] = [await loadTextKernel('ts'), await loadTextKernel('simd')];
const room = 1 << 16;
const block = claimBytes(16 * room);
afterAll(() => releaseBytes(block));

const text = block.subarray(0, room + readAhead);
const uints = (place: number) => new Uint32Array(block.buffer, block.byteOffset + place * room, room / 4);
const records: LineRecords = {
  capacity: room / 4,
  ends: uints(2),
  wordLengths: uints(3),
  hashes: uints(4),
  separators: uints(5),
  words: block.subarray(6 * room, 7 * room + readAhead),
};
const spans = uints(8);
const out = new Float32Array(block.buffer, block.byteOffset + 10 * room, room / 4);

/** Puts lines in the arena, junk behind them, and reads them as rows of numbers. */
function parse(kernel: TextKernel, lines: readonly string[], dim: number): [number, Float32Array] {
  text.fill(0x39);
  let at = 3;
  lines.forEach((line, row) => {
    spans[2 * row] = at;
    at += write(line, at);
    spans[2 * row + 1] = at;
    text[at++] = 10;
  });
  out.fill(7);
  return [kernel.parseRows(text, spans, lines.length, dim, out), out.slice(0, lines.length * dim)];
}

/** Puts ASCII into the arena. Returns its length. */
function write(value: string, at: number): number {
  const bytes = Buffer.from(value, 'latin1');
  text.set(bytes, at);
  return bytes.length;
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{0,${most}}$`));
const decimal = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    digits(22),
    fc.constantFrom('', '.'),
    digits(22),
    fc.option(fc.integer({ min: -400, max: 400 })),
  )
  .map(([sign, whole, dot, rest, power]) => {
    const mantissa = whole + dot + (dot === '' ? '' : rest);
    return `${sign}${/\d/.test(mantissa) ? mantissa : `${mantissa}0`}${power === null ? '' : `e${power}`}`;
  });
const single = fc
  .float({ noNaN: true })
  .map(String)
  .map((word) => word.replace('Infinity', 'inf'));
/** Decimals next to where float32 rounds the other way. */
const halfway = fc
  .tuple(
    fc.float({ min: Math.fround(1e-30), max: Math.fround(1e30), noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
  )
  .map(([value, step]) => {
    const next = Math.fround(value * (1 + 2 ** -23));
    const middle = (value + next) / 2;
    return (middle + step * middle * 2 ** -52).toPrecision(17);
  });
const spelled = fc.constantFrom(
  'nan',
  'NaN',
  'inf',
  '-inf',
  '+Infinity',
  '-.5',
  '5.',
  '1e-05',
  '1E+05',
  '-0.0',
  '0',
);

const expected = (word: string) =>
  Math.fround(/nan/i.test(word) ? Number.NaN : Number(word.replace(/inf(inity)?/i, 'Infinity')));

describe.each(kernels)('numbers read by the $name kernel', (kernel) => {
  test('are what Number() and Math.fround make of them', () => {
    const number = fc.oneof(decimal, single, halfway, spelled);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('', ' ', '\r', ' \t\r'),
        (rows, ending) => {
          const lines = rows.map((row) => row.join(' ') + ending);
          const [done, values] = parse(kernel, lines, 3);
          expect(done).toBe(rows.length);
          expect(values).toEqual(Float32Array.from(rows.flat(), expected));
        },
      ),
      { seed: 3, numRuns: 3000 },
    );
  });

  test('of any length of digits behind the point are exact', () => {
    const lines = Array.from(
      { length: 30 },
      (_, count) => `0.${'1234567890'.repeat(3).slice(0, count)} -${'9'.repeat(count)}.5`,
    );
    const [done, values] = parse(kernel, lines, 2);
    expect(done).toBe(30);
    expect(values).toEqual(Float32Array.from(lines.flatMap((line) => line.split(' ').map(Number))));
  });

  test.each([
    '1 2',
    '1 2 3 4',
    '1 2 x',
    '1 2 .',
    '1 2 -',
    '1 2 1e',
    '1 2 0x1',
    '1 2 1_0',
    '1 2 --1',
    '',
    '1 2 ',
    '1 2 3x',
    '1 2 1e5.0',
    '1 2 é',
  ])('are refused in the row %j of three', (bad) => {
    expect(parse(kernel, ['1 2 3', bad, '4 5 6'], 3)[0]).toBe(1);
  });

  test('may be apart by several spaces and tabs', () => {
    expect(parse(kernel, [' \t1\t\t2  3 \t '], 3)).toEqual([1, Float32Array.of(1, 2, 3)]);
  });
});

describe('lines', () => {
  const byte = fc.oneof(fc.constantFrom(10, 32, 9, 13), fc.integer({ min: 0, max: 255 }));
  const index = (kernel: TextKernel, bytes: number[], seed: number) => {
    text.fill(10);
    text.set(bytes, 5);
    const lines = kernel.indexLines(text, 5, 5 + bytes.length, seed, records);
    const { ends, wordLengths, hashes, separators } = records;
    const columns = [ends, wordLengths, hashes, separators].map((column) => [...column.subarray(0, lines)]);
    const words = wordLengths.subarray(0, lines).reduce((sum, length) => sum + length, 0);
    return { lines, columns, words: [...records.words.subarray(0, words)] };
  };

  test('are found alike by both kernels', () => {
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 600 }), fc.integer(), (bytes, seed) => {
        const [plain, simd] = kernels.map((kernel) => index(kernel, bytes, seed));
        expect(simd).toEqual(plain);
        expect(plain.lines).toBe(bytes.filter((value) => value === 10).length);
      }),
      { seed: 5, numRuns: 3000 },
    );
  });

  test.each(kernels)('of many thousand spaces are counted by the $name kernel', (kernel) => {
    const line = Buffer.from(`word${' 1'.repeat(20_000)}\nmore 1\n`);
    const found = index(kernel, [...line], 1);
    expect(found.columns).toEqual([
      [line.length - 8 + 5, line.length + 4],
      [4, 4],
      [hashWord(line, 0, 4, 1), hashWord(Buffer.from('more'), 0, 4, 1)],
      [20_000, 1],
    ]);
  });
});
