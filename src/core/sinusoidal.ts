import type { PositionLayout } from '../types.ts';

/**
 * How sine and cosine share the columns:
 * interleaved: sin, cos, sin, cos ... (the paper; XLM, DistilBERT) · halves: all sines, then all cosines (Marian, Pegasus,
 * RoFormer, CTRL) · tensor2tensor: halves with its own frequencies, as fairseq has them (FSMT, M2M100, XGLM, Speech2Text).
 */
export type SinusoidalForm = NonNullable<PositionLayout['form']>;

/**
 * The rows of sinusoidal positions first, first + 1, ...
 *
 * interleaved, halves: angle = position / 10000^(2i / dim), computed in float64 and rounded once; an odd dim ends with a sine.
 * tensor2tensor: angle = position * exp(-i * ln(10000) / (dim/2 - 1)) in float32 steps; an odd dim ends with a zero.
 * fairseq's models begin at position 2, behind padding id 1: the caller adds it (PositionLayout.offset).
 * Shape: → [count, dim]
 * Source: Vaswani et al. 2017, section 3.5; transformers MarianSinusoidalPositionalEmbedding,
 * XLM create_sinusoidal_embeddings, M2M100SinusoidalPositionalEmbedding.get_embedding.
 */
export function sinusoidalRows(
  first: number,
  count: number,
  dim: number,
  form: SinusoidalForm,
): Float32Array {
  const rows = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const into = rows.subarray(row * dim, (row + 1) * dim);
    if (form === 'tensor2tensor') tensor2tensorRow(first + row, into);
    else paperRow(first + row, into, form === 'interleaved');
  }
  return rows;
}

function paperRow(position: number, into: Float32Array, interleaved: boolean): void {
  const dim = into.length;
  const sines = Math.ceil(dim / 2);
  for (let i = 0; i < sines; i++) {
    const angle = position / 10000 ** ((2 * i) / dim);
    const [sine, cosine] = interleaved ? [2 * i, 2 * i + 1] : [i, sines + i];
    into[sine] = Math.sin(angle);
    if (cosine < dim) into[cosine] = Math.cos(angle);
  }
}

function tensor2tensorRow(position: number, into: Float32Array): void {
  const half = Math.floor(into.length / 2);
  // The reference divides by zero for a half of one; its only frequency is 1 whatever the decay.
  const decay = half > 1 ? Math.fround(-Math.log(10000) / (half - 1)) : 0;
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(Math.exp(Math.fround(i * decay)));
    const angle = Math.fround(position * frequency);
    into[i] = Math.sin(angle);
    into[half + i] = Math.cos(angle);
  }
}
