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
