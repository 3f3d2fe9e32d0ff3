import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FolderFiles } from '../../src/bytes/folder.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { fixture } from '../formats/tables.ts';

const folder = fixture('onnx');
const models = readdirSync(folder)
  .filter((name) => /\.(onnx|pb)$/.test(name))
  .map((name) => ({ name, bytes: readFileSync(`${folder}/${name}`) }));

/** Opens damaged bytes and reads every table: that works, or says why not in one EmbError. */
async function survive(name: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await openTensorFile(new MemorySource(name, bytes), new FolderFiles(folder));
    for (const tensor of file.tensors) {
      try {
        for await (const { data } of rowsOf(tensor).scan()) expect(data.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ name: 'EmbError' });
      }
    }
    await file.close();
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
  }
}

test('100,000 damaged ONNX models are read or refused, none for longer than 2 s', async () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 8, 10, 0x7f, 0x80, 0xff));
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...models),
      fc.array(fc.tuple(fc.nat(), byte, fc.nat(9)), { minLength: 1, maxLength: 4 }),
      async ({ name, bytes: whole }, changes) => {
        let bytes = Uint8Array.from(whole);
        for (const [place, value, how] of changes) {
          const at = place % Math.max(1, bytes.length);
          if (how === 0) bytes = bytes.slice(0, at);
          else if (how === 1) bytes = Uint8Array.of(...bytes.subarray(0, at), value, ...bytes.subarray(at));
          else bytes[at] = value;
        }
        const start = Date.now();
        await survive(name, bytes);
        longest = Math.max(longest, Date.now() - start);
      },
    ),
    { seed: 2024, numRuns: 100_000 },
  );
  expect(longest).toBeLessThan(2000);
});
