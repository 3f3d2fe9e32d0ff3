import ndarray from 'ndarray';
import type { Block, Cell, Column, Matrix, Renderer, RenderOptions, Report, Sink } from '../../src/types.ts';

/** Rows [n][dim] as one contiguous matrix. */
export function matrixOf(rows: readonly (readonly number[])[]): Matrix {
  const dim = rows[0]?.length ?? 0;
  return ndarray(Float32Array.from(rows.flat()), [rows.length, dim]);
}

/** One sequence of a test report; `blocks` splits its rows as a long text would be. */
export interface Sequence {
  cells: Cell[][];
  rows?: number[][];
  splitAt?: number;
}

/** A report from plain values; every block's matrix shares one buffer that is overwritten, as in production. */
export function reportOf(
  columns: Column[],
  sequences: readonly Sequence[],
  more: Partial<Report> = {},
): Report {
  const dim = sequences.find(({ rows }) => rows !== undefined)?.rows?.[0]?.length;
  async function* blocks(): AsyncGenerator<Block> {
    for (const [sequence, { cells, rows, splitAt }] of sequences.entries()) {
      const step = splitAt ?? Math.max(1, cells.length);
      for (let start = 0; start === 0 || start < cells.length; start += step) {
        const matrix = rows === undefined ? undefined : matrixOf(rows.slice(start, start + step));
        yield {
          cells: cells.slice(start, start + step),
          matrix,
          sequence,
          ends: start + step >= cells.length,
        };
        matrix?.data.fill(Number.NaN);
      }
    }
  }
  return {
    columns,
    blocks: blocks(),
    layout: 'rows',
    ...(dim === undefined ? {} : { vectors: { dim, padded: false, dtype: 'float32' } }),
    ...more,
  };
}

export const plainOptions: RenderOptions = {
  full: false,
  width: 80,
  color: 0,
  note: () => {},
  onPause: () => {},
};

/** What a renderer writes, as one string. */
export async function rendered(
  renderer: Renderer,
  report: Report,
  options: Partial<RenderOptions> = {},
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const sink: Sink = {
    write: (chunk) =>
      void chunks.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk.slice()),
    flush: async () => {},
    spool: () => {
      throw new Error('this renderer streams');
    },
  };
  await renderer.render(report, sink, { ...plainOptions, ...options });
  return Buffer.concat(chunks).toString('utf8');
}
