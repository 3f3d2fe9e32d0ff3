import { readFileSync } from 'node:fs';

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
