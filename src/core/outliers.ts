import { medianOf, normalScale } from './median.ts';

/** A dimension whose values differ from those of the others. */
export interface OutlierDim {
  dim: number;
  mean: number;
  std: number;
  /** How many robust standard deviations its mean and its std lie from the median over dimensions. */
  meanScore: number;
  stdScore: number;
}

/** Scores beyond this make an outlier: in a normal sample one in 500 million. */
const outlierScore = 6;

/** With fewer dimensions, medians of them say nothing. */
const fewestDims = 16;

/**
 * Dimensions whose mean or standard deviation over the rows lies more than 6 robust standard deviations from the median over
 * dimensions, most extreme first.
 *
 * A robust standard deviation is 1.4826 times the median absolute deviation, and the plain one where that is 0.
 * Shape: means, stds [dim] → none for fewer than 16 dimensions
 * Source: outlier dimensions: Kovaleva et al. 2021, "BERT Busters"; Timkey and van Schijndel 2021, "All Bark and No Bite".
 */
export function outlierDims(means: Float64Array, stds: Float64Array): OutlierDim[] {
  if (means.length < fewestDims) return [];
  const [meanScores, stdScores] = [robustScores(means), robustScores(stds)];
  const found: OutlierDim[] = [];
  for (let dim = 0; dim < means.length; dim++) {
    const [meanScore, stdScore] = [meanScores[dim], stdScores[dim]];
    if (Math.abs(meanScore) > outlierScore || Math.abs(stdScore) > outlierScore) {
      found.push({ dim, mean: means[dim], std: stds[dim], meanScore, stdScore });
    }
  }
  const extremity = ({ meanScore, stdScore }: OutlierDim) =>
    Math.max(Math.abs(meanScore), Math.abs(stdScore));
  return found.sort((a, b) => extremity(b) - extremity(a) || a.dim - b.dim);
}

function robustScores(values: Float64Array): Float64Array {
  const center = medianOf(values);
  const deviations = values.map((x) => Math.abs(x - center));
  const mad = normalScale * medianOf(deviations);
  const spread = mad > 0 ? mad : Math.sqrt(deviations.reduce((sum, x) => sum + x * x, 0) / values.length);
  return values.map((x) => (spread > 0 ? (x - center) / spread : 0));
}
