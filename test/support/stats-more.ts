import { readFileSync } from 'node:fs';
import ndarray from 'ndarray';
import type { RowSource } from '../../src/core/principal.ts';

/** What NumPy and scikit-learn say of a table. */
export interface MoreWanted {
  values: number[] | null;
  norms: number[] | null;
  groups: number[][];
  spectrum: {
    variances: number[];
    total: number;
    participation: number;
    effectiveRank: number;
    isoScore: number;
    mean: number[];
    directions: number[][];
  };
}

export interface MoreTable {
  name: string;
  dim: number;
  data: Float32Array;
  wanted: MoreWanted;
}

/** The tables of fixtures/stats/more.json, whose rows leave zeros at their end away. */
export function moreTables(): MoreTable[] {
  const file = new URL('../../fixtures/stats/more.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8'));
  return cases.map(
    ({ name, dim, bits, wanted }: { name: string; dim: number; bits: number[][]; wanted: MoreWanted }) => {
      const words = new Uint32Array(bits.length * dim);
      for (const [row, line] of bits.entries()) words.set(line, row * dim);
      return { name, dim, data: new Float32Array(words.buffer), wanted };
    },
  );
}

/** Rows that lie in memory, in blocks of seven. */
export function sourceOf(data: Float32Array, dim: number, blockRows = 7): RowSource {
  const rows = data.length / dim;
  return {
    rows,
    dim,
    async gather(ids) {
      const gathered = new Float32Array(ids.length * dim);
      for (const [i, id] of ids.entries()) gathered.set(data.subarray(id * dim, (id + 1) * dim), i * dim);
      return ndarray(gathered, [ids.length, dim]);
    },
    async *scan() {
      for (let start = 0; start < rows; start += blockRows) {
        const count = Math.min(blockRows, rows - start);
        yield { start, rows: count, data: data.slice(start * dim, (start + count) * dim) };
      }
    },
  };
}
