import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { wordFixture, wordsOf } from './word-fixtures.ts';

/** What a mutation may take, building of the test's own objects included. */
const mostMilliseconds = 20_000;

/** Opens damaged bytes, reads a row and all rows and composes a word: that works, or says why not in one EmbError. */
export async function survive(name: string, bytes: Uint8Array): Promise<boolean> {
  const start = Date.now();
  let isRead = false;
  try {
    const file = await openTensorFile(new MemorySource(name, bytes));
    for (const tensor of file.tensors) {
      const table = rowsOf(tensor);
      await table.gather(Uint32Array.of(table.rows - 1, 0), new Float32Array(2 * table.dim));
      for await (const { data } of table.scan()) expect(data.length).toBeGreaterThan(0);
    }
    if (file.vocabulary !== undefined) {
      const words = await wordsOf(file);
      words.idOf(words.bytesOf(words.size - 1));
      const id = words.compose?.(Buffer.from('zzzz'));
      if (id !== undefined) {
        const table = rowsOf(file.tensors[0]!);
        await table.gather(Uint32Array.of(id), new Float32Array(table.dim));
      }
    }
    isRead = true;
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
  }
  expect(Date.now() - start).toBeLessThan(mostMilliseconds);
  return isRead;
}

/** Files of fixtures/words, one of each kind. */
export const damagedFiles = [
  ...[
    'numbers.vec',
    'gensim.bin',
    'word2vec.bin',
    'skipgram.bin',
    'supervised.bin',
    'quantized.ftz',
    'pruned.ftz',
  ],
  ...['pax.tar.gz', 'gnu.tar.xz', 'ustar.tar', 'two.zip', 'packed.txt.bz2', 'array.npy.gz'],
];

/** Opens a fixture after edits of all kinds, so many times. */
export async function damage(name: string, runs: number, seed: number): Promise<void> {
  const whole = readFileSync(wordFixture(name));
  const near = fc.oneof(fc.nat(Math.min(200, whole.length - 1)), fc.nat(whole.length - 1));
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(...Buffer.from('0123456789 \t\n\r.-e\xff\x7f\x80', 'latin1')),
  );
  const edit = fc.record({
    at: near,
    byte,
    kind: fc.constantFrom('set', 'set', 'set', 'cut', 'drop', 'repeat'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      let bytes = Buffer.from(whole);
      for (const { at, byte, kind } of edits) {
        if (kind === 'set') bytes[at] = byte;
        else if (kind === 'cut') bytes = bytes.subarray(0, at);
        else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + byte)]);
        else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - byte))]);
      }
      await survive(name, bytes);
    }),
    { seed, numRuns: runs },
  );
}
