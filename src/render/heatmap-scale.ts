export type Rgb = readonly [red: number, green: number, blue: number];

/** Which value is how blue or red: linear from low over the middle (white) to high; what lies beyond has the color of the end. */
export interface Scale {
  low: number;
  high: number;
}

/** Symmetric around 0 up to the largest shown value unless a range is asked for; all zeros are the middle of -1..1. */
export function createScale(largest: number, range?: readonly [number, number]): Scale {
  if (range !== undefined) return { low: range[0], high: range[1] };
  const end = largest > 0 ? largest : 1;
  return { low: -end, high: end };
}

/** Where a value stands: -1 at low, 0 in the middle, 1 at high and beyond; NaN for NaN. */
export function positionOf(value: number, { low, high }: Scale): number {
  if (Number.isNaN(value)) return value;
  // Halves, because high - low can be beyond the largest double.
  const half = high / 2 - low / 2;
  const middle = low / 2 + high / 2;
  if (!(half > 0)) return Math.sign(value - middle);
  return Math.max(-1, Math.min(1, (value - middle) / half));
}

/**
 * Seven steps from the middle to either end: lightness falls evenly, so that equal steps of value look equal and a print in gray
 * still shows the size.
 *
 * Source: OKLCH with lightness 0.97 to 0.44, hue 254 and 27, chroma as far as sRGB goes; blue and red, which most color-blind
 * people tell apart. The order white, hue, dark is that of ColorBrewer's RdBu.
 */
const blues: readonly Rgb[] = [
  [245, 245, 245],
  [194, 219, 249],
  [144, 191, 249],
  [98, 163, 241],
  [53, 134, 225],
  [1, 106, 200],
  [0, 81, 157],
];
const reds: readonly Rgb[] = [
  [245, 245, 245],
  [248, 204, 198],
  [243, 164, 154],
  [231, 125, 114],
  [212, 88, 78],
  [185, 53, 48],
  [155, 16, 20],
];

/** The color of what is no number: none of the scale. */
export const noNumberColor: Rgb = [255, 214, 51];

/** Color of a position: blue below 0, red above. */
export function colorAt(position: number): Rgb {
  if (Number.isNaN(position)) return noNumberColor;
  const steps = position < 0 ? blues : reds;
  const place = Math.abs(position) * (steps.length - 1);
  const below = Math.min(steps.length - 2, Math.floor(place));
  const part = place - below;
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(steps[below][channel] * (1 - part) + steps[below + 1][channel] * part);
  return [mix(0), mix(1), mix(2)];
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
