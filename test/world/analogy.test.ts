import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findByProduct, unitRow, weightedSum } from '../../src/core/analogy.ts';
import { findNeighbors } from '../../src/core/neighbors.ts';
import { openModel } from '../../src/model/open.ts';
import { hasWorld, world } from './manifest.ts';

type Scored = [word: string, score: number];

/**
 * most_similar and most_similar_cosmul of gensim 4.4.0 for the 20th + 30th - 10th word of each file.
 */
const answers: { path: string; terms: [string, number][]; add: Scored[]; mul: Scored[] }[] = [
  {
    path: 'piskvorky+gensim/euclidean_vectors.bin',
    terms: [
      ['will', 1],
      ['his', 1],
      ['said', -1],
    ],
    add: [
      ['campaign', 0.8021816],
      ['quarter', 0.7721044],
      ['economy', 0.7539563],
      ['growth', 0.7536688],
    ],
    mul: [
      ['economy', 1.6524742],
      ['campaign', 1.5272914],
      ['growth', 1.4981815],
      ['quarter', 1.4742706],
    ],
  },
  {
    path: 'medallia+Word2VecJava/tokensModel.bin',
    terms: [
      ['receptor', 1],
      ['A', 1],
      ['-RRB-', -1],
    ],
    add: [
      ['T', 0.9999393],
      ['PLCgamma1', 0.9999362],
      ['Imp3', 0.9999361],
      ['possibility', 0.9999352],
    ],
    mul: [
      ['T', 0.9999864],
      ['PLCgamma1', 0.999985],
      ['Imp3', 0.9999849],
      ['possibility', 0.9999844],
    ],
  },
  {
    path: 'koaning+whatlies/en.wiki.bpe.vs1000.d25.w2v.bin',
    terms: [
      ['en', 1],
      ['es', 1],
      ['on', -1],
    ],
    add: [
      ['▁str', 0.569297],
      ['ces', 0.505266],
      ['▁r', 0.5035111],
      ['▁op', 0.4878866],
    ],
    mul: [
      ['its', 1.4078664],
      ['▁str', 1.387639],
      ['round', 1.3549302],
      ['ating', 1.3480903],
    ],
  },
  {
    path: 'finalfusion+finalfusion-rust/similarity.bin',
    terms: [
      ['Köln', 1],
      ['Wien', 1],
      ['Weimar', -1],
    ],
    add: [
      ['München', 0.6740302],
      ['Düsseldorf', 0.6714139],
      ['Bonn', 0.6323229],
      ['Dortmund', 0.6254948],
    ],
    mul: [
      ['München', 0.9579983],
      ['Düsseldorf', 0.9526194],
      ['Bonn', 0.9256023],
      ['Dortmund', 0.9184268],
    ],
  },
  {
    path: 'piskvorky+gensim/lee_fasttext.bin',
    terms: [
      ['with', 1],
      ['his', 1],
      ['on', -1],
    ],
    add: [
      ['wake', 0.9450576],
      ['car', 0.9391592],
      ['was', 0.9379489],
      ["I've", 0.9122305],
    ],
    mul: [
      ['was', 1.0389012],
      ['car', 1.0388905],
      ['wake', 1.0359621],
      ["I've", 1.0177317],
    ],
  },
];

describe.skipIf(!hasWorld)("gensim's analogies", () => {
  test.each(answers)('$terms in $path', async ({ path, terms, add, mul }) => {
    const model = await openModel(join(world, path));
    const table = await model.table();
    const tokenizer = await model.tokenizer();
    const ids = Uint32Array.from(terms, ([word]) => tokenizer.idOf(word) as number);
    const { data } = await table.gather(ids);
    const units = terms.map((_, index) => unitRow(data, index * table.dim, table.dim) as Float64Array);
    const weights = terms.map(([, weight]) => weight);
    const exclude = new Set(ids);
    const [sums] = await findNeighbors(table, weightedSum(units, weights) as Float32Array, {
      k: add.length,
      metric: 'cosine',
      exclude: [exclude],
    });
    const products = await findByProduct(table, units, weights, { k: mul.length, kernel: 'simd', exclude });
    for (const [found, wanted] of [
      [sums, add],
      [products, mul],
    ] as const) {
      expect(found.map(({ row }) => tokenizer.tokenOf(row))).toEqual(wanted.map(([word]) => word));
      found.forEach(({ score }, index) => {
        expect(Math.abs(score - wanted[index][1])).toBeLessThan(1e-6 * Math.max(1, wanted[index][1]));
      });
    }
    await model.close();
  });
});
