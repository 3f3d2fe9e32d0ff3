import { arenaOffset } from './arena.ts';
import { kernelLoader } from './arena-kernel.ts';
import { type LineRecords, parseRow, plainText, type TextKernel } from './text-vectors.ts';

/** Bytes that the SIMD kernel may read behind a text; what stands there does not matter. */
export const readAhead = 64;

/** Exports of src/kernels/assembly/text-vectors.ts: addresses are byte offsets in the arena. */
interface TextExports {
  indexLines: (
    ...[text, from, to, seed, capacity, ends, wordLengths, hashes, separators, words]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => number;
  parseRows(text: number, spans: number, from: number, rows: number, dim: number, out: number): number;
}

/**
 * The kernel of text vectors by name: the numbers are the same. Memory outside the arena goes to the plain kernel; a text in the arena has
 * `readAhead` bytes of the arena behind it.
 * Cost: about 1 ms for the first `simd`.
 */
export const loadTextKernel = kernelLoader(
  plainText,
  async () => (await import('../generated/text-vectors.ts')).textVectorsBase64,
  simdText,
);

function simdText(wasm: TextExports): TextKernel {
  return {
    name: 'simd',
    indexLines(text, from, to, seed, records) {
      const at = arenaOffset(text);
      const places = placesOf(records);
      if (at === undefined || places === undefined) {
        return plainText.indexLines(text, from, to, seed, records);
      }
      return wasm.indexLines(at, at + from, at + to, seed, records.capacity, ...places);
    },
    parseRows(text, spans, rows, dim, out) {
      const [at, spansAt, outAt] = [arenaOffset(text), arenaOffset(spans), arenaOffset(out)];
      if (at === undefined || spansAt === undefined || outAt === undefined) {
        return plainText.parseRows(text, spans, rows, dim, out);
      }
      for (let row = 0; row < rows; row++) {
        row = wasm.parseRows(at, spansAt, row, rows, dim, outAt);
        if (row < rows && !parseRow(text, spans[2 * row], spans[2 * row + 1], dim, out, row * dim))
          return row;
      }
      return rows;
    },
  };
}

type Places = [ends: number, wordLengths: number, hashes: number, separators: number, words: number];

function placesOf({ ends, wordLengths, hashes, separators, words }: LineRecords): Places | undefined {
  const places = [ends, wordLengths, hashes, separators, words].map(arenaOffset);
  return places.includes(undefined) ? undefined : (places as Places);
}
