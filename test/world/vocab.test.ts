import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classOfToken } from '../../src/core/token-class.ts';
import { openTokenizer } from '../../src/model/tokenizer-ref.ts';
import { hasWorld, world } from './manifest.ts';

test.skipIf(!hasWorld)(
  'GPT-NeoX has 243 single bytes and 369 parts of characters, as magikarp counts',
  async () => {
    const tokenizer = await openTokenizer(join(world, 'BlinkDL+ChatRWKV/20B_tokenizer.json'), () => {}, {});
    let bytes = 0;
    let partial = 0;
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      const kind = classOfToken(tokenizer.bytesOf(id) as Uint8Array, tokenizer.isSpecial(id), false);
      if (kind === 'byte') bytes++;
      if (kind === 'partial') partial++;
    }
    expect({ bytes, partial }).toEqual({ bytes: 243, partial: 369 });
  },
);
