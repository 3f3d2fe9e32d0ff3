import { arenaOffset } from './arena.ts';
import { loadArenaKernel } from './arena-kernel.ts';
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

let loading: Promise<TextKernel> | undefined;

/**
 * The kernel of text vectors by name; `simd` is compiled when first asked for.
 *
 * Where WebAssembly is missing, `simd` is the plain kernel: the numbers are the same. Memory outside the arena goes to the plain
 * kernel too; a text in the arena has `readAhead` bytes of the arena behind it.
 * Cost: about 1 ms for the first `simd`.
 */
export async function loadTextKernel(name: 'ts' | 'simd' = 'simd'): Promise<TextKernel> {
  if (name === 'ts') return plainText;
  loading ??= loadSimd();
  return loading;
}

async function loadSimd(): Promise<TextKernel> {
  const wasm = await loadArenaKernel<TextExports>(
    async () => (await import('../generated/text-vectors.ts')).textVectorsBase64,
  );
  return wasm === undefined ? plainText : simdText(wasm);
}

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
