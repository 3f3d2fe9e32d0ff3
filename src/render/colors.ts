import type { ChalkInstance } from 'chalk';
import type { RenderOptions } from '../types.ts';

/** What a piece of text looks like on the terminal; without color every one of these gives the text back. */
export interface Paint {
  readonly level: RenderOptions['color'];
  dim(text: string): string;
  bold(text: string): string;
  /** Values that are no number: NaN and infinities. */
  alarm(text: string): string;
  /** A token among others: neighbors differ in background, so that their borders show. */
  token(text: string, index: number): string;
  /** A token that stands for no text: [CLS], <|endoftext|>. */
  special(text: string): string;
  /** For colors that are computed; undefined at level 0. */
  readonly chalk: ChalkInstance | undefined;
}

const same = (text: string): string => text;
const plain: Paint = {
  level: 0,
  chalk: undefined,
  dim: same,
  bold: same,
  alarm: same,
  token: same,
  special: same,
};

/** Backgrounds of neighboring tokens in the 256 color cube: pale, so that black text reads on each. */
const tokenBackgrounds = [153, 223, 157, 218] as const;

/**
 * Colors of a terminal by chalk, which is told the level: it knows nothing of NO_COLOR.
 *
 * Cost: chalk is loaded (4 ms) only when there is color.
 */
export async function createPaint(level: RenderOptions['color']): Promise<Paint> {
  if (level === 0) return plain;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level });
  return {
    level,
    chalk,
    dim: chalk.dim,
    bold: chalk.bold,
    alarm: chalk.red,
    token: (text, index) =>
      level === 1
        ? (index % 2 === 0 ? chalk.black.bgCyan : chalk.black.bgYellow)(text)
        : chalk.ansi256(16).bgAnsi256(tokenBackgrounds[index % tokenBackgrounds.length])(text),
    special: chalk.bold.dim,
  };
}
