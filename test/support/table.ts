import ndarray from 'ndarray';
import type { EmbeddingTable } from '../../src/types.ts';

/** A table in memory, scanned in blocks of a few rows; `scans` counts how often. */
export function tableOf(data: Float32Array, dim: number, blockRows = 7): EmbeddingTable & { scans: number } {
  const rows = data.length / dim;
  const table = {
    scans: 0,
    tensorName: 'weight',
    dtype: 'F32',
    rows,
    dim,
    byteLength: data.byteLength,
    rounds: false,
    async gather(ids: Uint32Array) {
      const out = new Float32Array(ids.length * dim);
      for (const [index, id] of ids.entries()) out.set(data.subarray(id * dim, (id + 1) * dim), index * dim);
      return ndarray(out, [ids.length, dim]);
    },
    async *scan() {
      table.scans++;
      for (let start = 0; start < rows; start += blockRows) {
        const count = Math.min(blockRows, rows - start);
        yield { start, rows: count, data: data.slice(start * dim, (start + count) * dim) };
      }
    },
  };
  return table;
}

/** The same of rows as lists. Shape: [rows][dim] */
export function tableOfRows(rows: readonly number[][], blockRows?: number) {
  return tableOf(Float32Array.from(rows.flat()), rows[0]?.length ?? 0, blockRows);
}
