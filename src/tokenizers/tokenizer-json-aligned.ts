/**
 * A piece of normalized text that knows where each of its UTF-16 units comes from in the original.
 *
 * Without arrays unit i is unit shift + i of the original. With them, unit i comes from the original's [starts[i], ends[i]),
 * a whole character.
 */
export interface AlignedText {
  readonly text: string;
  readonly shift: number;
  readonly starts?: Int32Array;
  readonly ends?: Int32Array;
}

/** The piece [start, end) of a text. */
export function sliceAligned(from: AlignedText, start: number, end: number): AlignedText {
  if (start === 0 && end === from.text.length) return from;
  return {
    text: from.text.slice(start, end),
    shift: from.shift + start,
    starts: from.starts?.subarray(start, end),
    ends: from.ends?.subarray(start, end),
  };
}

/**
 * What a change made of a text: `text`, whose unit i comes from unit sources[i] of `from`.
 *
 * Without sources (nobody asks for spans) the result is not aligned; what does not start the original has a shift above 0 still.
 */
export function remapAligned(
  from: AlignedText,
  text: string,
  sources: ArrayLike<number> | undefined,
): AlignedText {
  if (sources === undefined) return { text, shift: from.shift };
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let i = 0; i < text.length; i++) {
    starts[i] = originalStart(from, sources[i]);
    ends[i] = originalEnd(from, sources[i]);
  }
  return { text, shift: 0, starts, ends };
}

/** Where in the original the character of a unit begins. */
export function originalStart(from: AlignedText, unit: number): number {
  if (from.starts !== undefined) return from.starts[unit];
  return from.shift + unit - (isLowSurrogate(from.text.charCodeAt(unit)) ? 1 : 0);
}

/** Where in the original the character of a unit ends. */
export function originalEnd(from: AlignedText, unit: number): number {
  if (from.ends !== undefined) return from.ends[unit];
  return from.shift + unit + (isHighSurrogate(from.text.charCodeAt(unit)) ? 2 : 1);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Text put together piece by piece with the units that the pieces come from. */
export class AlignedBuilder {
  text = '';
  readonly sources: number[] | undefined;

  /** Without `tracked` sources are not kept. */
  constructor(tracked: boolean) {
    this.sources = tracked ? [] : undefined;
  }

  /** Appends text that all comes from the character of one unit. */
  append(text: string, source: number): void {
    this.text += text;
    if (this.sources !== undefined) for (let i = 0; i < text.length; i++) this.sources.push(source);
  }

  /** Appends units [start, end) of `text` unchanged. */
  copy(text: string, start: number, end: number): void {
    this.text += text.slice(start, end);
    if (this.sources !== undefined) for (let i = start; i < end; i++) this.sources.push(i);
  }
}
