import type { ChalkInstance } from 'chalk';
import type { Paint } from './colors.ts';
import { colorAt, inkOn } from './heatmap-scale.ts';

/** Writes text on the color of a position of the scale, -1 blue to 1 red, in an ink that can be read on it. */
export type PaintCell = (position: number, text: string) => string;

/**
 * Steps of xterm's 256 colors that keep to one hue and darken evenly; the nearest color of each step of the true scale would
 * wander off to mauve and brown.
 */
const middle256 = 255;
const blues256 = [189, 153, 111, 69, 26, 25];
const reds256 = [224, 217, 210, 203, 160, 124];
const noNumber256 = 220;
/** From this step on, white is read more easily than black. */
const white256 = 5;

function paint256(chalk: ChalkInstance): PaintCell {
  const onDark = chalk.ansi256(231);
  const onLight = chalk.ansi256(16);
  return (position, text) => {
    if (Number.isNaN(position)) return onLight.bgAnsi256(noNumber256)(text);
    const steps = position < 0 ? blues256 : reds256;
    const step = Math.round(Math.abs(position) * steps.length);
    const background = step === 0 ? middle256 : steps[step - 1];
    return (step >= white256 ? onDark : onLight).bgAnsi256(background)(text);
  };
}

/** Five backgrounds that 16 colors have between blue and red, as the terminal's theme has them; what is no number is yellow. */
function paint16(chalk: ChalkInstance): PaintCell {
  return (position, text) => {
    if (Number.isNaN(position)) return chalk.black.bgYellow(text);
    if (position < -0.6) return chalk.whiteBright.bgBlue(text);
    if (position < -0.2) return chalk.black.bgBlueBright(text);
    if (position <= 0.2) return chalk.black.bgWhite(text);
    return position <= 0.6 ? chalk.black.bgRedBright(text) : chalk.whiteBright.bgRed(text);
  };
}

/** How cells of a heat map are colored; undefined where there is no color. */
export function cellPainter({ chalk, level }: Paint): PaintCell | undefined {
  if (chalk === undefined || level === 0) return undefined;
  if (level === 1) return paint16(chalk);
  if (level === 2) return paint256(chalk);
  return (position, text) => {
    const color = colorAt(position);
    return chalk.rgb(...inkOn(color)).bgRgb(...color)(text);
  };
}
