/** What is subtracted from rows and queries before they are compared. */
export interface Components {
  /** Shape: [dim] */
  mean: Float64Array;
  /** Shape: [count, dim], of length 1 and at right angles, the one of the largest variance first. */
  directions: Float64Array;
  count: number;
  /** How many rows the directions were taken from. */
  rows: number;
}

/** Takes the mean and the directions out of a row, in place. Shape: row [dim] */
export function removeComponents(row: Float64Array, { mean, directions, count }: Components): void {
  const dim = mean.length;
  for (let i = 0; i < dim; i++) row[i] -= mean[i];
  for (let start = 0; start < count * dim; start += dim) {
    let along = 0;
    for (let i = 0; i < dim; i++) along += row[i] * directions[start + i];
    for (let i = 0; i < dim; i++) row[i] -= along * directions[start + i];
  }
}
