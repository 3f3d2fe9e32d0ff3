import ndarray from 'ndarray';
import type { Block, Cell, Column, Renderer, RenderOptions, Report, Sink, Spool } from '../../src/types.ts';
import { plainOptions } from './report.ts';

export interface VectorReport {
  /** [batch, seq, dim]. */
  shape: readonly [number, number, number];
  values: Float32Array;
  vectors?: Partial<NonNullable<Report['vectors']>>;
  columns?: Column[];
  /** Cells of a row, counted over all sequences. */
  cells?: (row: number) => Cell[];
  /** Rows of a block; a sequence comes in several. */
  blockRows?: number;
  realRows?: (sequence: number) => number;
}

/** A report of an array; each block's matrix is overwritten when the next is asked for, as in production. */
export function vectorReport(given: VectorReport): Report {
  const [batch, length, dim] = given.shape;
  const step = given.blockRows ?? Math.max(1, length);
  async function* blocks(): AsyncGenerator<Block> {
    const shared = new Float32Array(step * dim);
    for (let sequence = 0; sequence < batch; sequence++) {
      for (let start = 0; start === 0 || start < length; start += step) {
        const rows = Math.min(step, length - start);
        const first = sequence * length + start;
        shared.set(given.values.subarray(first * dim, (first + rows) * dim));
        const cells = Array.from({ length: rows }, (_, row) => given.cells?.(first + row) ?? []);
        const matrix = ndarray(shared.subarray(0, rows * dim), [rows, dim]);
        const realRows = given.realRows?.(sequence);
        yield { cells, matrix, sequence, ends: start + step >= length, realRows };
        shared.fill(Number.NaN);
      }
    }
  }
  return {
    columns: given.columns ?? [],
    blocks: blocks(),
    layout: 'rows',
    vectors: { dim, padded: false, dtype: 'float32', ...given.vectors },
  };
}

/** A Sink that keeps what is written, and says how much was spooled and let go. */
export class MemorySink implements Sink {
  readonly #chunks: Uint8Array[] = [];
  spools: { byteLength: number; discarded: boolean }[] = [];
  flushes = 0;

  write(chunk: string | Uint8Array): void {
    this.#chunks.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : Uint8Array.from(chunk));
  }

  async flush(): Promise<void> {
    this.flushes++;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  spool(): Spool {
    const chunks: Uint8Array[] = [];
    const spool = {
      byteLength: 0,
      discarded: false,
      write(chunk: Uint8Array): void {
        chunks.push(Uint8Array.from(chunk));
        spool.byteLength += chunk.byteLength;
      },
      async drain(into: Sink): Promise<void> {
        for (const chunk of chunks) into.write(chunk);
        spool.discard();
      },
      discard(): void {
        if (spool.discarded) throw new Error('discarded twice');
        spool.discarded = true;
      },
    };
    this.spools.push(spool);
    return spool;
  }
}

/** What a renderer writes, as bytes. */
export async function renderedBytes(
  renderer: Renderer,
  report: Report,
  options: Partial<RenderOptions> = {},
  sink = new MemorySink(),
): Promise<Buffer> {
  await renderer.render(report, sink, { ...plainOptions, ...options });
  return sink.bytes;
}
