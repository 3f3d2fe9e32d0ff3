import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openTiktokenFile } from '../../src/tokenizers/tiktoken-file.ts';
import { hasWorld, oracle, world } from './manifest.ts';

interface Oracle {
  special_tokens: Record<string, number>;
  encode_ordinary: { text: string; ids: number[] }[];
}

describe.skipIf(!hasWorld)('rank files of the world', () => {
  const oracles = oracle<Oracle>('oracle_tiktoken.json');

  test.each(Object.keys(oracles))(
    '%s gives the ids of tiktoken, its pattern told by its size',
    async (path) => {
      const { special_tokens, encode_ordinary } = oracles[path];
      const tokenizer = await openTiktokenFile(path, readFileSync(join(world, path)));
      for (const { text, ids } of encode_ordinary) {
        const tokens = tokenizer.encode(text, { allowSpecial: false });
        expect([text, tokens.map(({ id }) => id)]).toEqual([text, ids]);
        expect(Buffer.from(tokenizer.decodeBytes(ids)).toString()).toBe(text);
      }
      for (const [token, id] of Object.entries(special_tokens)) expect(tokenizer.idOf(token)).toBe(id);
    },
  );
});
