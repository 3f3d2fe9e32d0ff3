import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Audit, auditModel } from '../../src/core/audit.ts';
import { openModel } from '../../src/model/open.ts';
import { openTokenizer } from '../../src/model/tokenizer-ref.ts';
import { hasWorld, world } from './manifest.ts';

/** How many tokens of each kind. */
function counts(audit: Audit): Record<string, number> {
  const result: Record<string, number> = {};
  for (let id = 0; id < audit.ids; id++) {
    const kind = audit.kindOf(id) ?? 'none';
    result[kind] = (result[kind] ?? 0) + 1;
  }
  return result;
}

const tokenizerOf = (ref: string) => openTokenizer(ref, () => {}, {});

/** Single bytes, tokens of broken UTF-8 and unreachable tokens, as magikarp's reports count them. */
const gpt2 = { byte: 256, partial: 216, special: 1, plain: 49_784 };
const neox = { byte: 243, partial: 369, unreachable: 221, special: 2, plain: 49_442 };

describe('the counts of magikarp', () => {
  test('of GPT-2, built in', async () => {
    expect(counts(await auditModel({ tokenizer: await tokenizerOf('gpt2') }))).toEqual(gpt2);
  });

  test.skipIf(!hasWorld)('of GPT-2, as a tokenizer.json', async () => {
    const model = await openModel(join(world, 'pykeio+ort', 'gpt2', 'tokenizer.json'));
    expect(counts(await auditModel({ tokenizer: await model.tokenizer() }))).toEqual(gpt2);
    await model.close();
  });

  test.skipIf(!hasWorld)('of GPT-NeoX', async () => {
    const tokenizer = await tokenizerOf(join(world, 'BlinkDL+ChatRWKV', '20B_tokenizer.json'));
    expect(counts(await auditModel({ tokenizer }))).toEqual(neox);
  });
});

describe.skipIf(!hasWorld)('rows that nothing can have trained, as magikarp names them', () => {
  const unusedOf = async (ref: string) => {
    const { tokens } = await auditModel({ tokenizer: await tokenizerOf(ref) });
    return (reason: string) =>
      Array.from(tokens!.unused)
        .filter(([, found]) => found === reason)
        .map(([id]) => id);
  };
  const range = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i);

  test('GPT-2: bytes F5 to FF, and C0 and C1, which it leaves out', async () => {
    expect((await unusedOf('gpt2'))('impossible byte')).toEqual([124, 125, ...range(177, 187)]);
  });

  test('Mistral: bytes 0B to 7F, which have a piece of their own, and those of the eight control characters that have one', async () => {
    const unused = await unusedOf(join(world, 'mistralai+mistral-common', 'tokenizer.model.v1'));
    expect(unused('shadowed byte')).toEqual([...range(4, 11), ...range(14, 130)]);
  });
});
