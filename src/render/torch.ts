import { exponentialText, fixedText } from '../text/half-even.ts';
import type { Renderer, Sink } from '../types.ts';
import type { VectorDtype } from './narrow.ts';
import { edgeItems, isElided, type PrintedArray, printedArrays, shownValues } from './printed-arrays.ts';

const lineWidth = 80;
const prefix = 'tensor(';
/** Where a row's first element stands: behind `tensor([[[`. */
const elementIndent = prefix.length + 3;

/** Prints as `print(tensor)` does: one tensor [1, seq, dim] a sequence, or one [batch, seq, dim] when padded. */
export const renderer: Renderer = {
  name: 'torch',
  endings: ['torch'],
  binary: false,
  needsVectors: true,
  captioned: false,
  async render(report, sink, options) {
    const { dtype, gradFn } = report.vectors!;
    for await (const array of printedArrays(report, options.full)) {
      const suffixes = tensorSuffixes(array, dtype, gradFn);
      if (array.shape.includes(0)) sink.write(`${prefix}[]${suffixText(prefix.length + 2, suffixes)}\n`);
      else await writeTensor(array, options.precision ?? 4, suffixes, sink);
      await sink.flush();
    }
  },
};

/** What follows the values: the shape of an empty tensor, a dtype that is not the default, the backward function. */
function tensorSuffixes(array: PrintedArray, dtype: VectorDtype, gradFn: string | undefined): string[] {
  const suffixes: string[] = [];
  if (array.shape.includes(0)) suffixes.push(`size=(${array.shape.join(', ')})`);
  if (dtype !== 'float32') suffixes.push(`dtype=torch.${dtype}`);
  if (gradFn !== undefined) suffixes.push(`grad_fn=<${gradFn}>`);
  return suffixes;
}

/** Source: torch/_tensor_str.py, _tensor_str_with_formatter. */
async function writeTensor(
  array: PrintedArray,
  precision: number,
  suffixes: readonly string[],
  sink: Sink,
): Promise<void> {
  const { shape, summarized, sequences } = array;
  const format = elementFormat(array, precision);
  const betweenRows = `,\n${' '.repeat(elementIndent - 1)}`;
  const betweenSequences = `,\n\n${' '.repeat(elementIndent - 2)}`;
  let last = '';
  sink.write(`${prefix}[`);
  for (let index = 0; index < sequences.length; index++) {
    if (index > 0) sink.write(betweenSequences);
    if (index === edgeItems && isElided(shape[0], summarized)) sink.write(`...${betweenSequences}`);
    sink.write('[');
    for (let row = 0; row < sequences[index].length; row++) {
      if (row > 0) sink.write(betweenRows);
      if (row === edgeItems && isElided(shape[1], summarized)) sink.write(`...${betweenRows}`);
      last = rowText(sequences[index][row], summarized, format);
      sink.write(last);
      if (row % 64 === 63) await sink.flush();
    }
    sink.write(']');
  }
  const lineStart = last.lastIndexOf('\n') + 1;
  const lineLength = last.length - lineStart + (lineStart === 0 ? elementIndent - 1 : 0) + 2;
  sink.write(`]${suffixText(lineLength, suffixes)}\n`);
}

interface ElementFormat {
  width: number;
  text(value: number): string;
}

/**
 * One format for all elements that are shown: scientific when they differ by more than 1000 or are beyond 1e8 or below 1e-4, without
 * decimals when all are whole; as wide as the widest that is finite and not zero.
 *
 * Source: torch/_tensor_str.py, _Formatter.
 */
function elementFormat(array: PrintedArray, precision: number): ElementFormat {
  let whole = true;
  let smallest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  for (const rows of array.sequences) {
    for (const row of rows) {
      for (const value of shownValues(row, array.summarized)) {
        if (value === 0 || !Number.isFinite(value)) continue;
        whole &&= Number.isInteger(value);
        smallest = Math.min(smallest, Math.abs(value));
        highest = Math.max(highest, value);
        lowest = Math.min(lowest, value);
      }
    }
  }
  if (smallest === Number.POSITIVE_INFINITY) return { width: 1, text: wholeText };
  const largest = Math.max(highest, -lowest);
  const scientific = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4;
  const text = scientific
    ? (value: number) => exponentialText(value, precision)
    : whole
      ? wholeText
      : (value: number) => fixedText(value, precision);
  // Length grows with size, so one of the extremes is the longest; exponents of float32 have two digits.
  return { width: Math.max(text(highest).length, text(lowest).length), text };
}

function wholeText(value: number): string {
  return Number.isFinite(value) ? `${fixedText(value, 0)}.` : fixedText(value, 0);
}

/** Source: torch/_tensor_str.py, _vector_str. */
function rowText(row: Float32Array, summarized: boolean, format: ElementFormat): string {
  const elements = Array.from(shownValues(row, summarized), (value) =>
    format.text(value).padStart(format.width),
  );
  if (isElided(row.length, summarized)) elements.splice(edgeItems, 0, ' ...');
  const perLine = Math.max(1, Math.floor((lineWidth - elementIndent + 1) / (format.width + 2)));
  let text = '[';
  for (let start = 0; start < elements.length; start += perLine) {
    if (start > 0) text += `,\n${' '.repeat(elementIndent)}`;
    text += elements.slice(start, start + perLine).join(', ');
  }
  return `${text}]`;
}

/** Suffixes on the last line as long as they fit, then on lines of their own. Source: torch/_tensor_str.py, _add_suffixes. */
function suffixText(lineLength: number, suffixes: readonly string[]): string {
  let text = '';
  // PyTorch counts two characters more than there are.
  let length = lineLength + 2;
  for (const suffix of suffixes) {
    if (length + suffix.length + 2 > lineWidth) {
      text += `,\n${' '.repeat(prefix.length)}${suffix}`;
      length = prefix.length + suffix.length;
    } else {
      text += `, ${suffix}`;
      length += suffix.length + 2;
    }
  }
  return `${text})`;
}
