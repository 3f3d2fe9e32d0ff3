import { EmbError } from '../errors.ts';

/** What the input of a model's first layer is made of. */
export interface Parts {
  /** Shape: [rows, dim] */
  word: Float32Array;
  /** Shape: [rows, dim], or [dim] for all rows alike. */
  type?: Float32Array;
  /** Shape: [rows, dim] */
  position?: Float32Array;
}

/**
 * word * scale + type + position, as the models compute it.
 *
 * Shape: → [rows, dim]. Every step is rounded to float32, in the order of BERT's (word + type) + position, so that the bits
 * are those of a float32 model.
 * Source: transformers BertEmbeddings.forward, GPT2Model.forward; scale: Vaswani et al. 2017, section 3.4 (sqrt(dim)).
 * @throws EmbError "range" when a part has another shape than the words
 */
export function composeRows(parts: Parts, dim: number, scale = 1): Float32Array {
  const sum = new Float32Array(parts.word);
  if (scale !== 1) scaleRows(sum, scale);
  if (parts.type !== undefined) addPart(sum, parts.type, dim, 'type');
  if (parts.position !== undefined) addPart(sum, parts.position, dim, 'position');
  return sum;
}

/** Multiplies by a factor that is rounded to float32 first, as torch does with a Python number; in place. */
export function scaleRows(data: Float32Array, scale: number): void {
  const factor = Math.fround(scale);
  for (let i = 0; i < data.length; i++) data[i] *= factor;
}

function addPart(sum: Float32Array, part: Float32Array, dim: number, name: string): void {
  if (part.length !== sum.length && part.length !== dim) {
    throw new EmbError('range', `"${name}" has ${part.length} values, expected ${sum.length} or ${dim}`);
  }
  for (let start = 0; start < sum.length; start += part.length) {
    for (let i = 0; i < part.length; i++) sum[start + i] += part[i];
  }
}

/** How much of a composed row one part is. */
export interface PartShares {
  /** Shape: [rows]. L2 norm of the part. */
  norms: Float64Array;
  /** Shape: [rows]. The parts of a row add up to 1; negative where the part points against the sum; NaN where the sum is 0. */
  shares: Float64Array;
}

/**
 * Norm and share of each part of composed rows.
 *
 * The share of a part is its projection on the sum: part · sum / |sum|².
 * Shape: parts [rows, dim] each, as they were added (words scaled already) → one PartShares per part
 */
export function decomposeRows(parts: readonly Float32Array[], dim: number): PartShares[] {
  const rows = (parts[0]?.length ?? 0) / dim;
  const found = parts.map(() => ({ norms: new Float64Array(rows), shares: new Float64Array(rows) }));
  const sum = new Float64Array(dim);
  for (let row = 0; row < rows; row++) {
    sum.fill(0);
    for (const part of parts) for (let d = 0; d < dim; d++) sum[d] += part[row * dim + d];
    const total = sum.reduce((square, x) => square + x * x, 0);
    parts.forEach((part, index) => {
      let [square, dot] = [0, 0];
      for (let d = 0; d < dim; d++) {
        const x = part[row * dim + d];
        square += x * x;
        dot += x * sum[d];
      }
      found[index].norms[row] = Math.sqrt(square);
      found[index].shares[row] = total > 0 ? dot / total : Number.NaN;
    });
  }
  return found;
}
