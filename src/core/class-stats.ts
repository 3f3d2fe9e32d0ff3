import type { RowBlock } from '../types.ts';

/** Sums of unit rows cost 8 bytes per dimension and class; wider tables have no mean cosine. */
const widestSums = 1 << 22;

/** What the rows of one class have in common. */
export interface ClassStats {
  name: string;
  rows: number;
  /** Over the rows with finite values; null without one. std of the population. */
  normMean: number | null;
  normStd: number | null;
  /** Mean over all pairs of rows of the class that have a norm above 0; null for fewer than two. */
  meanCosine: number | null;
  /** Mean and std over all values of the finite rows. */
  mean: number | null;
  std: number | null;
}

interface Sums {
  rows: number;
  finite: number;
  norms: number;
  /** Mean of the norms until now, and the sum of squares of what they lie off it (Welford). */
  normMean: number;
  normSpread: number;
  squares: number;
  values: number;
  directed: number;
  units: Float64Array | undefined;
}

/**
 * Measures the rows of every class as they pass by.
 *
 * Cost: 8 bytes per dimension and class.
 */
export class ClassMeter {
  readonly #dim: number;
  readonly #classes = new Map<string, Sums>();

  constructor(dim: number) {
    this.#dim = dim;
  }

  /** @param classOf the class of a row, by its number */
  add({ start, rows, data }: RowBlock, classOf: (row: number) => string): void {
    for (let row = 0; row < rows; row++) this.#addRow(data, row * this.#dim, classOf(start + row));
  }

  #addRow(data: Float32Array, start: number, name: string): void {
    const sums = this.#sumsOf(name);
    const end = start + this.#dim;
    let [sum, square] = [0, 0];
    for (let i = start; i < end; i++) {
      sum += data[i];
      square += data[i] * data[i];
    }
    sums.rows++;
    if (!(square < Number.POSITIVE_INFINITY)) return;
    const norm = Math.sqrt(square);
    sums.finite++;
    sums.values += sum;
    sums.norms += norm;
    const gap = norm - sums.normMean;
    sums.normMean += gap / sums.finite;
    sums.normSpread += gap * (norm - sums.normMean);
    sums.squares += square;
    if (norm === 0) return;
    sums.directed++;
    const { units } = sums;
    if (units === undefined) return;
    const inverse = 1 / norm;
    for (let i = start, d = 0; i < end; i++, d++) units[d] += data[i] * inverse;
  }

  #sumsOf(name: string): Sums {
    let sums = this.#classes.get(name);
    if (sums === undefined) {
      const units =
        this.#dim * (this.#classes.size + 1) > widestSums ? undefined : new Float64Array(this.#dim);
      const none = { rows: 0, finite: 0, norms: 0, normMean: 0, normSpread: 0, squares: 0, values: 0 };
      sums = { ...none, directed: 0, units };
      this.#classes.set(name, sums);
    }
    return sums;
  }

  /** The classes that have rows, most rows first; ties by name. */
  results(): ClassStats[] {
    return Array.from(this.#classes, ([name, sums]) => this.#resultOf(name, sums)).sort(
      (a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1),
    );
  }

  #resultOf(name: string, sums: Sums): ClassStats {
    const { rows, finite, directed, units } = sums;
    if (finite === 0)
      return { name, rows, normMean: null, normStd: null, meanCosine: null, mean: null, std: null };
    const normMean = sums.norms / finite;
    const count = finite * this.#dim;
    const mean = sums.values / count;
    const along = units?.reduce((sum, x) => sum + x * x, 0);
    return {
      name,
      rows,
      normMean,
      normStd: Math.sqrt(sums.normSpread / finite),
      meanCosine:
        along === undefined || directed < 2
          ? null
          : Math.min(1, (along - directed) / (directed * (directed - 1))),
      mean,
      std: deviation(mean, sums.squares / count),
    };
  }
}

/** Population standard deviation; below what float64 can tell apart it is the rounding of equal values. */
function deviation(mean: number, meanSquare: number): number {
  const variance = meanSquare - mean * mean;
  return variance > 8 * Number.EPSILON * meanSquare ? Math.sqrt(variance) : 0;
}
