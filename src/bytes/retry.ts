import { EmbError } from '../errors.ts';

/** How often and how long a failed request is tried again. Times in milliseconds. */
export interface Patience {
  /** Tries in a row that may fail. */
  attempts: number;
  /** Longest first pause; it doubles with every failure. */
  firstPause: number;
  longestPause: number;
  /** A server may ask for a pause up to this; beyond it the run says so and ends. */
  longestAsked: number;
  sleep(milliseconds: number): Promise<void>;
  /** 0..1: spreads the pauses of many clients. */
  random(): number;
}

export const defaultPatience: Patience = {
  attempts: 5,
  firstPause: 500,
  longestPause: 8000,
  longestAsked: 60_000,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: Math.random,
};

/** Pauses that a person would wonder about are said. */
const worthSaying = 2000;

/** A failure that the next try may not have: a broken connection, a stall, a 503. Never leaves src/bytes. */
export class Interruption extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly asked: number | undefined;
  /** A kept connection that the server had closed: nothing was tried yet. */
  readonly stale: boolean;

  constructor(message: string, asked?: number, stale = false) {
    super(message);
    this.name = 'Interruption';
    this.asked = asked;
    this.stale = stale;
  }
}

/** Counts the failures in a row of one piece of work, and pauses between its tries. */
export class Attempts {
  readonly #name: string;
  readonly #patience: Patience;
  readonly #note: (message: string) => void;
  #failures = 0;
  #stale = 0;

  constructor(name: string, patience: Patience, note: (message: string) => void) {
    this.#name = name;
    this.#patience = patience;
    this.#note = note;
  }

  /** There was progress: the next failure is the first again. */
  succeed(): void {
    this.#failures = 0;
    this.#stale = 0;
  }

  /**
   * Waits before the next try: with jitter, or as long as the server asks.
   *
   * @throws EmbError "missing" when there is no next try; errors that are no Interruption as they are
   */
  async pause(error: unknown): Promise<void> {
    if (!(error instanceof Interruption)) throw error;
    const { attempts, firstPause, longestPause, longestAsked } = this.#patience;
    if (error.stale && this.#stale++ < attempts) return;
    this.#failures++;
    if (this.#failures >= attempts) {
      throw new EmbError(
        'missing',
        `${this.#name}: ${error.message}, tried ${attempts} times`,
        'try again later',
      );
    }
    if (error.asked !== undefined && error.asked > longestAsked) {
      throw new EmbError(
        'missing',
        `${this.#name}: ${error.message}, to be tried again in ${seconds(error.asked)}, expected at most ${seconds(longestAsked)}`,
        'try again later',
      );
    }
    const most = Math.min(longestPause, firstPause * 2 ** (this.#failures - 1));
    const pause = Math.max(error.asked ?? 0, most * (0.5 + this.#patience.random() / 2));
    if (pause >= worthSaying) this.#note(`${this.#name}: ${error.message}: next try in ${seconds(pause)}`);
    await this.#patience.sleep(pause);
  }
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}

/** Milliseconds that a Retry-After header asks for (seconds, or a date); undefined when it has neither. */
export function readRetryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
