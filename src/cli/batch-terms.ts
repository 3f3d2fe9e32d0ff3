import type { Command } from '../command.ts';
import type { RenderOptions } from '../types.ts';
import type { RunContext } from './context.ts';

/** What one thread goes through before others start, which takes them 100 ms: so much text, or less that takes so long. */
const aloneBytes = 2 << 20;
const aloneMilliseconds = 150;
const fewestBytes = 256 << 10;

/** Pieces that a thread has or waits for, and answers that it keeps: more would only fill memory. */
export const piecesPerThread = 2;

/** Formats whose lines stand for themselves: what several threads print can be put together. */
const lineFormats = ['ids', 'jsonl', 'csv', 'tsv', 'text'];

/** How a renderer is to print, as it can be sent to a thread. */
export type Look = Omit<RenderOptions, 'note' | 'onPause'>;

/** What a thread that answers texts is started with. */
export interface BatchStart {
  command: string;
  format: string;
  options: Readonly<Record<string, unknown>>;
  modelRef: string | undefined;
  look: Look;
  separator: number;
}

/** Some texts, and the number of the first. */
export interface BatchPiece {
  bytes: Uint8Array;
  row: number;
}

/** What is printed of them: memory that the thread uses again for the piece after the next. */
export interface BatchAnswer {
  bytes: Uint8Array;
  notes: string[];
  /** Lines that were passed over: their number from 1, and why. */
  passedOver: [number, string][];
}

/** Whether the texts of this run may be shared by threads, if there are many. */
export function sharesTexts(command: Command, context: RunContext): boolean {
  const { options, format } = context;
  if (command.perText?.(options) !== true || options.threads === 1 || !lineFormats.includes(format))
    return false;
  // Stdin can be read once.
  const refs = [context.modelRef, options.tokenizer, ...String(options.compare ?? '').split(',')];
  return !refs.includes('-');
}

/** Tells from when on texts are many: of the bytes that were read until now. */
export function muchText(): (bytes: number) => boolean {
  let first: number | undefined;
  return (bytes) => {
    if (bytes === 0) return false;
    first ??= Date.now();
    return bytes >= aloneBytes || (bytes >= fewestBytes && Date.now() - first > aloneMilliseconds);
  };
}
