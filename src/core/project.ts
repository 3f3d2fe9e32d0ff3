import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import { blockWords, seedState, temper, twist } from './random/mt19937.ts';

/** y = x · weightᵀ + bias */
export interface Projection {
  readonly inputs: number;
  readonly outputs: number;
  /** Shape: [outputs, inputs] */
  readonly weight: Float32Array;
  /** Shape: [outputs] */
  readonly bias?: Float32Array;
}

/** Most weights that --project draws: 1 GiB. A larger N is a slip of the hand. */
const mostWeights = 2 ** 28;

/**
 * The layer that `torch.manual_seed(seed); nn.Linear(inputs, outputs)` draws, bit for bit, weight first, then bias.
 *
 * Both are uniform in ±1/sqrt(inputs), from 24 bits per value.
 * Source: torch/nn/modules/linear.py reset_parameters (kaiming_uniform_ with a = sqrt(5));
 * ATen/core/TransformationHelper.h uniform_real.
 * @throws EmbError "range" for more than 2^28 weights
 */
export function drawProjection(inputs: number, outputs: number, seed: bigint): Projection {
  if (inputs * outputs > mostWeights) {
    const weights = formatCount(inputs * outputs);
    throw new EmbError(
      'range',
      `a projection from ${inputs} to ${outputs} has ${weights} weights, expected at most ${formatCount(mostWeights)}`,
    );
  }
  const draw = uniformBits(Number(BigInt.asUintN(32, seed)));
  const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2));
  const weightBound = Math.sqrt(3) * (gain / Math.sqrt(inputs));
  const weight = drawUniform(new Float32Array(inputs * outputs), weightBound, draw);
  const bias = drawUniform(new Float32Array(outputs), 1 / Math.sqrt(inputs), draw);
  return { inputs, outputs, weight, bias };
}

/** 24 random bits per call. */
function uniformBits(seed: number): () => number {
  const state = seedState(seed);
  let next = blockWords;
  return () => {
    if (next === blockWords) {
      twist(state);
      next = 0;
    }
    return temper(state[next++]) & 0xffffff;
  };
}

function drawUniform(into: Float32Array, bound: number, draw: () => number): Float32Array {
  const from = Math.fround(-bound);
  const width = Math.fround(Math.fround(bound) - from);
  // torch fuses the multiplication and the addition: one rounding, at the store. In float64 both are exact.
  for (let i = 0; i < into.length; i++) into[i] = (draw() / 2 ** 24) * width + from;
  return into;
}

/**
 * Projects rows linearly.
 *
 * Shape: rows [n, inputs] → [n, outputs]
 * Sums are taken in float64 and rounded once; torch sums in float32 and can differ in the last digit.
 * @throws EmbError "range" when the rows are not as wide as the projection, or weight and bias do not fit each other
 */
export function projectRows(rows: Float32Array, dim: number, projection: Projection): Float32Array {
  const { inputs, outputs, weight, bias } = projection;
  if (dim !== inputs)
    throw new EmbError('range', `the projection takes ${inputs} dimensions, the rows have ${dim}`);
  if (weight.length !== inputs * outputs || (bias !== undefined && bias.length !== outputs)) {
    const found = `weight of ${weight.length} and bias of ${bias?.length ?? 0} values`;
    throw new EmbError('range', `the projection has a ${found}, expected ${inputs * outputs} and ${outputs}`);
  }
  const count = rows.length / dim;
  const projected = new Float32Array(count * outputs);
  for (let row = 0; row < count; row++) {
    for (let out = 0; out < outputs; out++) {
      const dot = dotOf(rows, row * dim, weight, out * dim, dim);
      projected[row * outputs + out] = dot + (bias === undefined ? 0 : bias[out]);
    }
  }
  return projected;
}

/** The dot product of `length` values of each, in float64, in four sums side by side. */
export function dotOf(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  length: number,
): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const wide = length & ~3;
  let i = 0;
  for (; i < wide; i += 4) {
    s0 += a[aStart + i] * b[bStart + i];
    s1 += a[aStart + i + 1] * b[bStart + i + 1];
    s2 += a[aStart + i + 2] * b[bStart + i + 2];
    s3 += a[aStart + i + 3] * b[bStart + i + 3];
  }
  for (; i < length; i++) s0 += a[aStart + i] * b[bStart + i];
  return s0 + s1 + (s2 + s3);
}
