import { writeSync } from 'node:fs';
import { escapeText } from '../text/escape.ts';

/** A line on stderr, as it is. A stderr that is closed or full is nobody's problem. */
export function say(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** An error and its hint, with whatever a file put into them made harmless. */
export function complain(message: string, hint?: string): void {
  say(`emb: ${escapeText(message)}`);
  if (hint !== undefined) say(`hint: ${escapeText(hint)}`);
}
