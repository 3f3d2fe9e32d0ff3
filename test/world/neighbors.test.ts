import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findNeighbors } from '../../src/core/neighbors.ts';
import { openModel } from '../../src/model/open.ts';
import { hasWorld, oracle, world } from './manifest.ts';

interface Answer {
  most_similar?: Record<string, [word: string, cosine: number][]>;
}

/**
 * Known divergence: gensim hashes the n-grams of words that it has decoded from code page 852, as UTF-8; fastText, which trained the
 * model, hashes the bytes that are in the file, and so does emb.
 */
const divergent = 'piskvorky+gensim/cp852_fasttext.bin';

const answers = Object.entries(oracle<Answer>('oracle_gensim.json'))
  .filter(([path]) => path !== divergent)
  .flatMap(([path, { most_similar }]) =>
    Object.entries(most_similar ?? {}).map(([word, nearest]) => ({ path, word, nearest })),
  );

describe.skipIf(!hasWorld)('the words that gensim finds nearest', () => {
  test.each(answers)('$word in $path', async ({ path, word, nearest }) => {
    const model = await openModel(join(world, path));
    const table = await model.table();
    const tokenizer = await model.tokenizer();
    const id = tokenizer.idOf(word);
    if (id === undefined) throw new Error(`${word} is not in the vocabulary`);
    const { data } = await table.gather(Uint32Array.of(id));
    for (const kernel of ['ts', 'simd'] as const) {
      const options = { k: nearest.length, metric: 'cosine', kernel, exclude: [new Set([id])] } as const;
      const [found] = await findNeighbors(table, data, options);
      const scores = new Map(nearest);
      found.forEach(({ row, score }, index) => {
        expect(Math.abs(score - nearest[index][1])).toBeLessThan(1e-6);
        // gensim compares in float32: what is as near as that may stand in another order.
        const expected = scores.get(tokenizer.tokenOf(row) as string) ?? nearest[nearest.length - 1][1];
        expect(Math.abs(score - expected)).toBeLessThan(1e-6);
      });
    }
    await model.close();
  });
});
