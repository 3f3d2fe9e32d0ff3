/** Messages of another thread in the order in which they came, whether they were waited for or not. */
export class Inbox {
  readonly #messages: unknown[] = [];
  readonly #waiting: { resolve(message: unknown): void; reject(error: unknown): void }[] = [];
  #failure: { error: unknown } | undefined;

  put(message: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#messages.push(message);
    else waiting.resolve(message);
  }

  /** No message will come any more: what was received is still there, whoever waits for more gets the error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
  }

  async take(): Promise<unknown> {
    if (this.#messages.length > 0) return this.#messages.shift();
    if (this.#failure !== undefined) throw this.#failure.error;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }
}
