import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { fixture } from './tables.ts';

/** Opens damaged bytes and reads a row: that works, or says why not in one EmbError; never anything else. */
async function survive(name: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await openTensorFile(new MemorySource(name, bytes));
    for (const tensor of file.tensors) {
      const table = rowsOf(tensor);
      await table.gather(Uint32Array.of(table.rows - 1, 0), new Float32Array(2 * table.dim));
      for await (const { data } of table.scan()) expect(data.length).toBeGreaterThan(0);
    }
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
  }
}

describe('damaged files', () => {
  test.each([
    ['F32.safetensors', 160],
    ['listed.safetensors', 480],
    ['I64.safetensors', 160],
    ['f4-be-F.npy', 128],
    ['b1-le-C.npy', 130],
  ])('%s with changed bytes in its header is read or refused', async (name, header) => {
    const whole = readFileSync(fixture(`formats/${name}`));
    const change = fc.tuple(
      fc.nat(header - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('0123456789{}[]":,-.()\'\\ '))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        await survive(name, bytes);
      }),
      { seed: 9, numRuns: 1000 },
    );
  });
});
