/** What kind of failure an error is; see exitCodes for what the shell gets. */
export type ErrorCode = 'usage' | 'missing' | 'corrupt' | 'unsupported' | 'range' | 'check';

/** Exit codes of the process. 70 (a bug in emb) is everything that is no EmbError; 130 and 143 are signals. */
export const exitCodes: Record<ErrorCode, number> = {
  usage: 2,
  missing: 1,
  corrupt: 1,
  unsupported: 1,
  range: 1,
  check: 3,
};

/**
 * The one error class of emb: a message in lower case that names the thing and both numbers, and a hint that says what to do.
 * Only cli/main turns it into an exit.
 */
export class EmbError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string) {
    super(message);
    this.name = 'EmbError';
    this.code = code;
    this.hint = hint;
  }
}
