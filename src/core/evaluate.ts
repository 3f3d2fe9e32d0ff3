import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { type DotKernel, loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable, RowBlock } from '../types.ts';
import { unitRow } from './analogy.ts';

/** Answers that are kept of each question, as gensim's evaluate_word_analogies looks at. */
export const keptAnswers = 5;

/** Values of the vectors of one scan: what is asked about stays in the caches. */
const mostValues = 2 ** 21;

/** Most vectors of one scan. */
const mostVectors = 4096;

/** Dot products of one call of the kernel. */
const mostDots = 2 ** 20;

/** Most rows of one call of the kernel. */
const mostRows = 4096;

export interface PredictOptions {
  /** Only the first rows are compared. */
  rows: number;
  /** 1 for rows that may be answers. Shape: [rows] */
  among: Uint8Array;
  kernel: 'ts' | 'simd';
  /** Told how many rows a scan went through. */
  advance?(rows: number): void;
}

/**
 * The five rows nearest to b - a + c (3CosAdd) for many questions, best first; the question's own rows are no answers.
 *
 * Shape: table [rows, dim], questions [n, 3] of rows a, b, c → [n, 5] of rows, -1 where there are fewer.
 * Units: cosines in float32, as gensim compares. Rows without a direction are no answers, and questions about one have none.
 * Cost: the rows of the table are multiplied by each vector that is asked about once, however many questions it is in: one scan
 * for every 4,096 of them (or 2^21 values), and three additions per question and row.
 */
export async function predictAnalogies(
  table: EmbeddingTable,
  questions: Uint32Array,
  options: PredictOptions,
): Promise<Int32Array> {
  const total = questions.length / 3;
  const kernel = await loadDotKernel(options.kernel);
  const most = Math.max(3, Math.min(mostVectors, Math.floor(mostValues / table.dim)));
  const answers = new Int32Array(total * keptAnswers).fill(-1);
  for (let first = 0; first < total; ) {
    const places = new Map<number, number>();
    let end = first;
    for (; end < total; end++) {
      const asked = questions.subarray(end * 3, end * 3 + 3);
      if (places.size + 3 > most && places.size + missingOf(asked, places) > most) break;
      for (const row of asked) if (!places.has(row)) places.set(row, places.size);
    }
    const part = questions.subarray(first * 3, end * 3);
    const into = answers.subarray(first * keptAnswers, end * keptAnswers);
    await predictPart(table, part, places, into, kernel, options);
    first = end;
  }
  return answers;
}

function missingOf(asked: Uint32Array, places: ReadonlyMap<number, number>): number {
  return new Set(asked.filter((row) => !places.has(row))).size;
}

async function predictPart(
  table: EmbeddingTable,
  questions: Uint32Array,
  places: ReadonlyMap<number, number>,
  answers: Int32Array,
  kernel: DotKernel,
  options: PredictOptions,
): Promise<void> {
  const { dim } = table;
  const queries = claimFloats(places.size * dim);
  const stride = Math.min(mostRows, Math.floor(mostDots / (places.size + 1)));
  const dots = claimFloats((places.size + 1) * stride);
  const squares = claimFloats(stride);
  const scores = new Float64Array(answers.length).fill(Number.NEGATIVE_INFINITY);
  const offsets = questions.map((row) => places.get(row)! * stride);
  try {
    const { data } = await table.gather(Uint32Array.from(places.keys()));
    for (let at = 0; at < places.size; at++) {
      const unit = unitRow(data, at * dim, dim);
      for (let i = 0; i < dim; i++) queries[at * dim + i] = unit === undefined ? Number.NaN : unit[i];
    }
    for await (const block of table.scan()) {
      const usable = Math.min(block.rows, options.rows - block.start);
      for (let row = 0; row < usable; row += stride) {
        const rows = Math.min(stride, usable - row);
        const part = block.data.subarray(row * dim, (row + rows) * dim);
        kernel.dotRows({ data: part, rows, dim, queries, count: places.size, dots, stride, squares });
        const start = block.start + row;
        invert(squares, rows, options.among.subarray(start, start + rows));
        answerAll({ start, rows, dots, inverses: squares }, { questions, offsets, answers, scores });
      }
      options.advance?.(usable);
      if (usable < block.rows || block.start + block.rows >= options.rows) break;
    }
  } finally {
    for (const floats of [queries, dots, squares]) releaseBytes(floats);
  }
}

/** Squares to what their dot products are multiplied by; NaN, which is larger than nothing, for rows that are no answers. */
function invert(squares: Float32Array, rows: number, among: Uint8Array): void {
  for (let row = 0; row < rows; row++) {
    squares[row] = among[row] === 1 && squares[row] > 0 ? 1 / Math.sqrt(squares[row]) : Number.NaN;
  }
}

interface ComparedRows extends Omit<RowBlock, 'data'> {
  dots: Float32Array;
  inverses: Float32Array;
}

interface Asked {
  questions: Uint32Array;
  /** Where the dot products with the rows of each question start. */
  offsets: Uint32Array;
  answers: Int32Array;
  /** Beside the answers. */
  scores: Float64Array;
}

function answerAll({ start, rows, dots, inverses }: ComparedRows, asked: Asked): void {
  const { questions, offsets, answers, scores } = asked;
  for (let at = 0; at < questions.length; at += 3) {
    const [a, b, c] = [offsets[at], offsets[at + 1], offsets[at + 2]];
    const first = (at / 3) * keptAnswers;
    const last = first + keptAnswers - 1;
    let bound = scores[last];
    for (let row = 0; row < rows; row++) {
      const score = (dots[b + row] + dots[c + row] - dots[a + row]) * inverses[row];
      if (!(score > bound)) continue;
      const id = start + row;
      if (id === questions[at] || id === questions[at + 1] || id === questions[at + 2]) continue;
      let place = last;
      for (; place > first && score > scores[place - 1]; place--) {
        scores[place] = scores[place - 1];
        answers[place] = answers[place - 1];
      }
      scores[place] = score;
      answers[place] = id;
      bound = scores[last];
    }
  }
}
