import type { Block, Report } from '../types.ts';

/** Counts rows into the shape of the whole array: [rows, dim], or [batch, seq, dim] when sequences are padded. */
export class ArrayShape {
  readonly #vectors: NonNullable<Report['vectors']>;
  #rows = 0;
  #sequences = 0;
  #sequenceRows = 0;
  #sequenceLength: number | undefined;

  constructor(vectors: NonNullable<Report['vectors']>) {
    this.#vectors = vectors;
  }

  add(block: Block): void {
    this.#rows += block.cells.length;
    this.#sequenceRows += block.cells.length;
    if (!block.ends) return;
    this.#sequenceLength ??= this.#sequenceRows;
    if (this.#vectors.padded && this.#sequenceRows !== this.#sequenceLength) {
      throw new Error(
        `padded sequence ${block.sequence} has ${this.#sequenceRows} rows, expected ${this.#sequenceLength}`,
      );
    }
    this.#sequences++;
    this.#sequenceRows = 0;
  }

  get shape(): number[] {
    const { padded, dim } = this.#vectors;
    return padded ? [this.#sequences, this.#sequenceLength ?? 0, dim] : [this.#rows, dim];
  }
}
