import fc from 'fast-check';
import { describe, test } from 'vitest';
import { damage, damagedFiles, survive } from './word-damage.ts';

describe('damaged files of word vectors', () => {
  test.each(damagedFiles)('%s with changed, missing or repeated bytes is read or refused', async (name) => {
    await damage(name, name.startsWith('packed') ? 60 : 400, 8);
  });

  test('junk that begins like a table is read or refused', async () => {
    const line = fc.string({ unit: fc.constantFrom(...'ab01. \t-e+\r\né\0'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.constantFrom('', 'a 1 2\n', '2 2\na 1 2\n', '3 1\n'),
        async (lines, head) => {
          await survive('x.vec', Buffer.from(head + lines.join('\n'), 'latin1'));
        },
      ),
      { seed: 12, numRuns: 3000 },
    );
  });
});
