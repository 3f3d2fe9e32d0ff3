import ndarray from 'ndarray';
import { expect, test } from 'vitest';
import type { Components } from '../../src/core/components.ts';
import { findNeighbors, type Metric } from '../../src/core/neighbors.ts';
import { gatherMemory, rankExactly } from '../../src/core/ranking.ts';
import { claimFloats, releaseBytes } from '../../src/kernels/arena.ts';
import { plainDots } from '../../src/kernels/dots.ts';
import type { EmbeddingTable, HalfRows, RowBlock } from '../../src/types.ts';

/** Numbers from a seed: uniform and normal. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  uniform(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state + 0.5) / 2 ** 32;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  whole(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }

  vector(dim: number): number[] {
    return Array.from({ length: dim }, () => this.normal());
  }
}

/** Rows that float32 cannot tell apart, or does not hold, and others. */
const tables: Record<string, (dice: Dice, rows: number, dim: number) => number[][]> = {
  noise: (dice, rows, dim) => Array.from({ length: rows }, () => dice.vector(dim)),
  near: (dice, rows, dim) => {
    const [mean, noise] = [dice.vector(dim), 10 ** -dice.whole(3, 8)];
    return Array.from({ length: rows }, () => mean.map((x) => x * (1 + noise * dice.normal())));
  },
  offset: (dice, rows, dim) => {
    const offset = 10 ** dice.whole(1, 5);
    return Array.from({ length: rows }, () => dice.vector(dim).map((x) => offset + x));
  },
  runs: (dice, rows, dim) => {
    const some = Array.from({ length: 4 }, () => dice.vector(dim));
    const found: number[][] = [];
    while (found.length < rows) {
      const [row, length] = [dice.pick(some), dice.whole(1, 400)];
      for (let i = 0; i < length && found.length < rows; i++) found.push(row);
    }
    return found;
  },
  alternating: (dice, rows, dim) => {
    const some = Array.from({ length: 3 }, () => dice.vector(dim));
    return Array.from({ length: rows }, (_, row) => some[(row * 7) % 3]!);
  },
  line: (dice, rows, dim) => {
    const direction = dice.vector(dim);
    return Array.from({ length: rows }, () => {
      const length = dice.normal();
      return direction.map((x) => length * x);
    });
  },
  scales: (dice, rows, dim) =>
    Array.from({ length: rows }, () => {
      const scale = 10 ** dice.whole(-8, 8);
      return dice.vector(dim).map((x) => scale * x);
    }),
  odd: (dice, rows, dim) =>
    Array.from({ length: rows }, () => {
      const kind = dice.pick(['zero', 'nan', 'huge', 'denormal', 'infinite', '', '', '', '']);
      const row = dice.vector(dim);
      if (kind === 'infinite') row[0] = Number.POSITIVE_INFINITY;
      const of = { zero: 0, nan: Number.NaN, huge: 3e38, denormal: 1e-42 }[kind];
      return of === undefined ? row : row.map((x) => (kind === 'huge' ? Math.sign(x) * of : x * of));
    }),
  tiny: (dice, rows, dim) => Array.from({ length: rows }, () => dice.vector(dim).map((x) => 1e-20 * x)),
};

/** A table in blocks where kernels reach them: bf16 as it is stored where that is asked for and the values are. */
function tableOf(data: Float32Array, dim: number, blockRows: number, isHalf: boolean): EmbeddingTable {
  const rows = data.length / dim;
  const part = (first: number, count: number) => data.subarray(first * dim, (first + count) * dim);
  const about = { tensorName: 'weight', dtype: 'F32', rounds: false, byteLength: data.byteLength };
  async function* blocks(next: () => number, halves: boolean): AsyncGenerator<RowBlock | HalfRows> {
    const slab = claimFloats(Math.min(rows, blockRows) * dim);
    const stored = new Uint16Array(slab.buffer, slab.byteOffset, slab.length);
    try {
      for (let start = next() * blockRows; start < rows; start = next() * blockRows) {
        const count = Math.min(blockRows, rows - start);
        const values = part(start, count);
        if (halves && isHalf) {
          stored.set(new Uint32Array(Float32Array.from(values).buffer).map((bits) => bits >>> 16));
          yield { start, rows: count, halves: stored.subarray(0, count * dim), type: 'BF16' as const };
        } else {
          slab.set(values);
          yield { start, rows: count, data: slab.subarray(0, count * dim) };
        }
      }
    } finally {
      releaseBytes(slab);
    }
  }
  return {
    ...about,
    rows,
    dim,
    async gather(ids) {
      const out = new Float32Array(ids.length * dim);
      for (const [index, id] of ids.entries()) out.set(part(id, 1), index * dim);
      return ndarray(out, [ids.length, dim]);
    },
    async *scan() {
      let block = 0;
      for await (const one of blocks(() => block++, false)) if (!('halves' in one)) yield one;
    },
    scanParts: ({ next, halves }) => blocks(next, halves),
  };
}

/** What is taken out of rows: nothing, a mean, or a mean and directions at right angles. */
function removalOf(dice: Dice, data: Float32Array, dim: number): Components | undefined {
  const count = dice.pick([-1, -1, 0, Math.min(2, dim - 1)]);
  if (count < 0) return undefined;
  const mean = new Float64Array(dim);
  for (let i = 0; i < data.length; i++)
    if (Math.abs(data[i]!) < 1e30) mean[i % dim] = mean[i % dim]! + (data[i]! * dim) / data.length;
  const directions = new Float64Array(count * dim);
  for (let line = 0; line < count; line++) {
    const own = directions.subarray(line * dim, (line + 1) * dim);
    own.set(dice.vector(dim));
    for (let time = 0; time < 2; time++)
      for (let other = 0; other < line; other++) {
        const along = own.reduce((sum, x, i) => sum + x * directions[other * dim + i]!, 0);
        for (let i = 0; i < dim; i++) own[i] = own[i]! - along * directions[other * dim + i]!;
      }
    const norm = Math.sqrt(own.reduce((sum, x) => sum + x * x, 0));
    for (let i = 0; i < dim; i++) own[i] = own[i]! / norm;
  }
  return { mean, directions, count, rows: data.length / dim };
}

test.each(Object.keys(tables))('the nearest rows of %s are those of all rows by float64', async (name) => {
  let answered = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const dice = new Dice(seed);
    const dim = dice.pick([1, 2, 3, 8, 16, 17, 33, 100, 257]);
    const rows = dice.whole(20, Math.min(2000, Math.floor(60_000 / dim)));
    const data = Float32Array.from(tables[name]!(dice, rows, dim).flat());
    const isHalf = dice.uniform() < 0.4;
    if (isHalf) {
      const bits = new Uint32Array(data.buffer);
      for (let i = 0; i < bits.length; i++) bits[i] = bits[i]! & 0xffff0000;
    }
    const count = dice.pick([1, 3, 9, 20]);
    const asked = Array.from({ length: count }, () => dice.whole(0, rows - 1));
    const queries = Float32Array.from(
      asked.flatMap((row) => Array.from(data.subarray(row * dim, (row + 1) * dim))),
    );
    if (dice.uniform() < 0.2) queries.fill(0, 0, dim);
    const components = removalOf(dice, data, dim);
    const [metric, k] = [dice.pick<Metric>(['cosine', 'dot', 'l2']), dice.pick([1, 5, 40])];
    const kernel = dice.pick(['ts', 'simd', 'simd'] as const);
    const among =
      dice.uniform() < 0.2 ? Uint8Array.from({ length: rows }, () => dice.whole(0, 1)) : undefined;
    const exclude = dice.uniform() < 0.5 ? asked.map((row) => new Set([row])) : undefined;
    const table = tableOf(data, dim, dice.whole(1, 1500), isHalf);
    const found = await findNeighbors(table, queries, { k, metric, kernel, components, among, exclude });
    for (const [query, answers] of found.entries()) {
      const ids = Uint32Array.from({ length: rows }, (_, row) => row).filter(
        (row) => among?.[row] !== 0 && exclude?.[query]?.has(row) !== true,
      );
      const vector = queries.subarray(query * dim, (query + 1) * dim);
      const ranking = { k, metric, removed: components, kernel: plainDots, gathered: gatherMemory(dim) };
      expect(answers, `seed ${seed}, query ${query}`).toEqual(await rankExactly(table, ids, vector, ranking));
      answered += answers.length;
    }
  }
  expect(answered).toBeGreaterThan(5000);
});
