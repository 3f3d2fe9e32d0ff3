import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { countRecords, RecordStream, recordsOf } from '../../src/bytes/input.ts';

const folder = mkdtempSync(join(tmpdir(), 'emb-input-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'records');
const note = () => {};

test('first records and the pieces of the rest are all of them, in their order', async () => {
  const record = fc.stringMatching(/^[ab\rµ😀]{0,9}$/u);
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 60 }),
      fc.boolean(),
      fc.constantFrom(10, 0),
      fc.integer({ min: 1, max: 64 }),
      fc.boolean(),
      async (records, ends, separator, bytes, isAlone) => {
        const mark = String.fromCharCode(separator);
        writeFileSync(file, records.join(mark) + (ends && records.length > 0 ? mark : ''));
        const options = { file, separator, note, onPause: () => {} };
        const all: string[] = [];
        for await (const one of new RecordStream(options).records()) all.push(one);
        const stream = new RecordStream(options);
        const found: string[] = [];
        for await (const one of stream.records(() => !isAlone)) found.push(one);
        expect(stream.hasRest).toBe(!isAlone);
        for await (const piece of isAlone ? [] : stream.pieces(bytes)) {
          const some = [...recordsOf(piece, { separator, note })];
          expect(countRecords(piece, separator)).toBe(some.length);
          found.push(...some);
        }
        expect(found).toEqual(all);
      },
    ),
    { numRuns: 200 },
  );
});

test('pieces end with whole records and have about the size that is asked for', async () => {
  writeFileSync(file, 'x'.repeat(99).concat('\n').repeat(20_000));
  const stream = new RecordStream({ file, separator: 10, note, onPause: () => {} });
  const first: string[] = [];
  for await (const one of stream.records((bytes) => bytes > 0)) first.push(one);
  expect(first.length).toBeGreaterThan(0);
  let rest = 0;
  const sizes: number[] = [];
  for await (const piece of stream.pieces(300_000)) {
    expect(piece.at(-1)).toBe(10);
    sizes.push(piece.length);
    rest += countRecords(piece, 10);
  }
  expect(first.length + rest).toBe(20_000);
  expect(Math.max(...sizes)).toBeLessThan(600_000);
});
