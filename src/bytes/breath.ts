/** Work between two breaths: short enough that Ctrl-C feels immediate. */
const breathMilliseconds = 25;

/** Lets signals and timers run between synchronous pieces of work, every 25 ms. Not performance.now(): the first call loads perf_hooks. */
export class Breath {
  #last = Date.now();

  /** True when take() should be awaited. */
  get due(): boolean {
    return Date.now() - this.#last >= breathMilliseconds;
  }

  async take(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#last = Date.now();
  }
}
