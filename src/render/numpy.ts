import { EmbError } from '../errors.ts';
import type { Renderer, Sink } from '../types.ts';
import { elementText } from './numpy-elements.ts';
import { edgeItems, isElided, type PrintedArray, printedArrays, shownValues } from './printed-arrays.ts';

const lineWidth = 75;
/** Rows stand behind `[[[`, on later lines behind as many spaces. */
const rowIndent = '   ';
/** A line ends before this: one column is kept for each closing bracket. */
const rowWidth = lineWidth - 3;

/** Prints as `print(array)` does: one array [1, seq, dim] a sequence, or one [batch, seq, dim] when padded. */
export const renderer: Renderer = {
  name: 'numpy',
  endings: ['numpy'],
  binary: false,
  needsVectors: true,
  captioned: false,
  async render(report, sink, options) {
    const { dtype } = report.vectors!;
    if (dtype === 'bfloat16') {
      throw new EmbError(
        'usage',
        '"dtype" is bfloat16, expected float16, float32 or float64 for numpy',
        'NumPy has no bfloat16: use -f torch',
      );
    }
    for await (const array of printedArrays(report, options.full)) {
      if (array.shape.includes(0)) sink.write('[]\n');
      else await writeArray(array, elementText(array, dtype, options.precision ?? 8), sink);
      await sink.flush();
    }
  },
};

/** Source: numpy/_core/arrayprint.py, _formatArray with separator ' '. */
async function writeArray(
  array: PrintedArray,
  element: (value: number) => string,
  sink: Sink,
): Promise<void> {
  const { shape, summarized, sequences } = array;
  sink.write('[');
  for (let index = 0; index < sequences.length; index++) {
    if (index > 0) sink.write('\n\n ');
    if (index === edgeItems && isElided(shape[0], summarized)) sink.write('...\n\n ');
    sink.write('[');
    for (let row = 0; row < sequences[index].length; row++) {
      if (row > 0) sink.write('\n  ');
      if (row === edgeItems && isElided(shape[1], summarized)) sink.write('...\n  ');
      sink.write(rowText(sequences[index][row], summarized, element));
      if (row % 64 === 63) await sink.flush();
    }
    sink.write(']');
  }
  sink.write(']\n');
}

/** Source: numpy/_core/arrayprint.py, _extendLine. */
function rowText(row: Float32Array, summarized: boolean, element: (value: number) => string): string {
  const words = Array.from(shownValues(row, summarized), element);
  if (isElided(row.length, summarized)) words.splice(edgeItems, 0, '...');
  let text = '';
  let line = rowIndent;
  for (let index = 0; index < words.length; index++) {
    // A line that holds nothing yet takes a word of any length.
    if (line.length + words[index].length > rowWidth && line.length > rowIndent.length) {
      text += `${line.trimEnd()}\n`;
      line = rowIndent;
    }
    line += index < words.length - 1 ? `${words[index]} ` : words[index];
  }
  return `[${(text + line).slice(rowIndent.length)}]`;
}
