/** Values of a standard normal table in row-major order, drawn where they are asked for. */
export interface NormalStream {
  /**
   * Does a bounded part (some tens of milliseconds) of the way to a value; true when draw(start) has no long way left.
   *
   * For callers that stay interruptible: `while (!stream.approach(start)) await pause()`.
   */
  approach(start: number): boolean;
  /** Values start .. start + into.length - 1, bit for bit. */
  draw(start: number, into: Float32Array): void;
}
