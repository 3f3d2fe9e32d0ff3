import type { ChalkInstance } from 'chalk';
import type { RenderOptions } from '../types.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

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
  /** Text on a colored cell, in the ink that can be read on it. At level 1 the 16 colors of the terminal decide, by `position`. */
  on(background: Rgb, position: number, text: string): string;
}

const same = (text: string): string => text;
const plain: Paint = {
  level: 0,
  dim: same,
  bold: same,
  alarm: same,
  token: same,
  special: same,
  on: (_, __, text) => text,
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
    dim: chalk.dim,
    bold: chalk.bold,
    alarm: chalk.red,
    token: (text, index) =>
      level === 1
        ? (index % 2 === 0 ? chalk.black.bgCyan : chalk.black.bgYellow)(text)
        : chalk.ansi256(16).bgAnsi256(tokenBackgrounds[index % tokenBackgrounds.length])(text),
    special: chalk.bold.dim,
    on: (background, position, text) => onColor(chalk, level, background, position)(text),
  };
}

function onColor(
  chalk: ChalkInstance,
  level: 1 | 2 | 3,
  background: Rgb,
  position: number,
): (text: string) => string {
  if (level === 1) return onSixteen(chalk, position);
  if (level === 2) {
    const [code, shown] = nearestOf256(background);
    return chalk.ansi256(inkOn(shown) === black ? 16 : 231).bgAnsi256(code);
  }
  return chalk.rgb(...inkOn(background)).bgRgb(...background);
}

/** Seven backgrounds that 16 colors have between blue and red; what is no number is yellow. */
function onSixteen(chalk: ChalkInstance, position: number): (text: string) => string {
  if (Number.isNaN(position)) return chalk.black.bgYellow;
  if (position < -0.6) return chalk.whiteBright.bgBlue;
  if (position < -0.2) return chalk.black.bgBlueBright;
  if (position <= 0.2) return chalk.black.bgWhite;
  return position <= 0.6 ? chalk.black.bgRedBright : chalk.whiteBright.bgRed;
}

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

/** Source: WCAG 2.2, relative luminance. Units: 0 black to 1 white. */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colors, 1 (none) to 21. Source: WCAG 2.2, contrast ratio. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Black or white, whichever is easier to read on a background. */
export function inkOn(background: Rgb): Rgb {
  return contrast(black, background) >= contrast(white, background) ? black : white;
}

/** Levels of one channel in the 6 x 6 x 6 cube of xterm's 256 colors; chalk's own conversion takes them for evenly spaced. */
const cubeLevels = [0, 95, 135, 175, 215, 255];

/** The color of the 256 that is nearest in sRGB, and what it looks like. */
export function nearestOf256(color: Rgb): [code: number, shown: Rgb] {
  const steps = color.map((channel) => {
    let best = 0;
    cubeLevels.forEach((level, i) => {
      if (Math.abs(level - channel) < Math.abs(cubeLevels[best] - channel)) best = i;
    });
    return best;
  });
  const cube: Rgb = [cubeLevels[steps[0]], cubeLevels[steps[1]], cubeLevels[steps[2]]];
  const step = Math.max(0, Math.min(23, Math.round(((color[0] + color[1] + color[2]) / 3 - 8) / 10)));
  const gray: Rgb = [8 + 10 * step, 8 + 10 * step, 8 + 10 * step];
  const distance = (other: Rgb): number =>
    other.reduce((sum, channel, i) => sum + (channel - color[i]) ** 2, 0);
  return distance(gray) < distance(cube)
    ? [232 + step, gray]
    : [16 + 36 * steps[0] + 6 * steps[1] + steps[2], cube];
}
