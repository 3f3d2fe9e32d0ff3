/** Work between two breaths: short enough that Ctrl-C feels immediate. */
const breathMilliseconds = 25;

/** Lets signals and timers run between synchronous reads, every 25 ms of work. */
export class Breath {
  #last = performance.now();

  /** True when take() should be awaited. */
  get due(): boolean {
    return performance.now() - this.#last >= breathMilliseconds;
  }

  async take(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#last = performance.now();
  }
}
