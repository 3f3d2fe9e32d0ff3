import type { Config } from '../types.ts';

/**
 * How sine and cosine share the columns:
 * interleaved: sin, cos, sin, cos ... (the paper; XLM, DistilBERT) · halves: all sines, then all cosines (Marian, Pegasus,
 * RoFormer, CTRL) · fairseq: halves with its own frequencies, the padding row zero (FSMT, M2M100, XGLM, Speech2Text).
 */
export type SinusoidalStyle = 'interleaved' | 'halves' | 'fairseq';

/** By `model_type`; whose modeling file in transformers builds the table so. */
const styles: Readonly<Record<string, SinusoidalStyle>> = {
  autoformer: 'halves',
  ctrl: 'halves',
  informer: 'halves',
  marian: 'halves',
  pegasus: 'halves',
  roformer: 'halves',
  time_series_transformer: 'halves',
  fsmt: 'fairseq',
  'kosmos-2': 'fairseq',
  m2m_100: 'fairseq',
  'nllb-moe': 'fairseq',
  speech_to_text: 'fairseq',
  trocr: 'fairseq',
  xglm: 'fairseq',
};

/** The style of a model by its `model_type`; interleaved, as in the paper, when the config names no other. */
export function sinusoidalStyle(config: Config): SinusoidalStyle {
  const modelType = config.model_type;
  if (typeof modelType !== 'string' || !Object.hasOwn(styles, modelType)) return 'interleaved';
  return styles[modelType];
}

/**
 * The rows of sinusoidal positions first, first + 1, ...
 *
 * interleaved, halves: angle = position / 10000^(2i / dim), computed in float64 and rounded once; an odd dim ends with a sine.
 * fairseq: angle = position * exp(-i * ln(10000) / (dim/2 - 1)) in float32 steps; an odd dim ends with a zero; the
 * position of a text's first token is paddingIdx + 1.
 * Shape: → [count, dim]
 * Source: Vaswani et al. 2017, section 3.5; transformers MarianSinusoidalPositionalEmbedding,
 * XLM create_sinusoidal_embeddings, M2M100SinusoidalPositionalEmbedding (fairseq).
 */
export function sinusoidalRows(
  first: number,
  count: number,
  dim: number,
  style: SinusoidalStyle,
  paddingIdx = 1,
): Float32Array {
  const rows = new Float32Array(count * dim);
  const start = style === 'fairseq' ? first + paddingIdx + 1 : first;
  for (let row = 0; row < count; row++) {
    const into = rows.subarray(row * dim, (row + 1) * dim);
    if (style === 'fairseq') fairseqRow(start + row, into);
    else paperRow(start + row, into, style === 'interleaved');
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

function fairseqRow(position: number, into: Float32Array): void {
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
