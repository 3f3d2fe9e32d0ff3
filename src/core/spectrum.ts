import type { PrincipalComponents } from './principal.ts';

/** Components that are listed. */
export const listedComponents = 10;

/** Variances below this part of the largest are rounding: products of rows are summed up in float32. */
const roundingShare = 2 ** -22;

/** How the variance of a table is spread over directions. Null is unknown: there is no variance, or only one dimension. */
export interface Spectrum {
  /** Rows that it was found from. */
  rows: number;
  sampled: boolean;
  /** Sum of the variances of all dimensions; of the population. */
  totalVariance: number;
  /** Squared sum of the variances over the sum of their squares: 1..dim. */
  participationRatio: number | null;
  /** Directions of equal variance that would have the same entropy: 1..dim. Too low for a sample, which has fewer directions than rows. */
  effectiveRank: number | null;
  /** 0: all variance in one direction, 1: the same in all. */
  isoScore: number | null;
  /** Variances of the leading components; no more than there are directions, which centered rows have one less of than they are. */
  leading: number[];
}

/**
 * How the variance of a table is spread over its principal directions.
 *
 * Of a sample, the participation ratio (and the IsoScore that follows from it) is corrected for the noise of few rows, which would
 * otherwise pass for directions; the effective rank is the sample's own.
 * Source: effective rank: Roy & Vetterli 2007, the exponential of the entropy, here of the variances. IsoScore: Rudman et al. 2022 (steps 3
 * to 7), which comes down to (P - 1) / (dim - 1) with the participation ratio P. Correction: Bai & Saranadasa 1996.
 */
export function spectrumOf(components: PrincipalComponents, dim: number): Spectrum {
  const { rows, sampled, variances } = components;
  const total = variances.reduce((sum, x) => sum + x, 0);
  const known = rows > 0 && total > 0;
  const participation = known ? participationOf(variances, total, sampled ? rows : undefined) : null;
  return {
    rows,
    sampled,
    totalVariance: total,
    participationRatio: participation === null ? null : Math.min(dim, participation),
    effectiveRank: known ? effectiveRankOf(variances, total) : null,
    isoScore:
      participation === null || dim < 2 ? null : Math.min(1, Math.max(0, (participation - 1) / (dim - 1))),
    leading: Array.from(variances.subarray(0, Math.min(listedComponents, Math.max(0, rows - 1)))).filter(
      (variance) => variance > variances[0] * roundingShare,
    ),
  };
}

/** (Σ λ)² / Σ λ²; of a sample of n rows with the unbiased estimate of Σ λ². */
function participationOf(variances: Float64Array, total: number, rows: number | undefined): number {
  // Shares, so that no square under- or overflows.
  const squares = variances.reduce((sum, x) => sum + (x / total) ** 2, 0);
  if (rows === undefined || rows < 4) return 1 / squares;
  // Degrees of freedom. Shares are the same whether rows or rows - 1 divide.
  const n = rows - 1;
  const corrected = (n ** 2 / ((n + 2) * (n - 1))) * (squares - 1 / n);
  return corrected > 0 ? Math.max(1, 1 / corrected) : 1 / squares;
}

function effectiveRankOf(variances: Float64Array, total: number): number {
  let entropy = 0;
  for (const variance of variances) {
    const share = variance / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}
