import { EmbError } from '../errors.ts';
import { type Part, refuseType, textOf } from './tokenizer-json-file.ts';
import type { PostStep, SpelledToken } from './tokenizer-json-template.ts';

/** What a tokenizer.json says of too long and too short texts. */
export interface Fit {
  truncation: { most: number; fromLeft: boolean; needsPair: boolean } | undefined;
  padding: { least: number; multiple: number; onLeft: boolean; id: number; text: string } | undefined;
}

/** Reads "truncation" and "padding". @throws EmbError "corrupt" for wrong members */
export function readFit(name: string, truncation: Part | undefined, padding: Part | undefined): Fit {
  return {
    truncation: truncation && {
      most: countOf(name, truncation, 'max_length', 'truncation'),
      fromLeft: sideOf(name, truncation, 'truncation') === 'Left',
      needsPair: truncation.strategy === 'OnlySecond',
    },
    padding: padding && {
      least: leastOf(name, padding),
      multiple: padding.pad_to_multiple_of ? sizeOf(name, padding, 'pad_to_multiple_of') : 0,
      onLeft: sideOf(name, padding, 'padding') === 'Left',
      id: countOf(name, padding, 'pad_id', 'padding'),
      text: textOf(name, padding, 'pad_token'),
    },
  };
}

/** Most tokens that padding may make: no model takes more. */
const mostPadding = 2 ** 24;

function countOf(name: string, part: Part, key: string, thing: string): number {
  const value = part[key];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  return refuseType(name, `${thing}.${key}`, value, 'a count');
}

function sideOf(name: string, part: Part, thing: string): 'Left' | 'Right' {
  const side = part.direction ?? 'Right';
  if (side === 'Left' || side === 'Right') return side;
  return refuseType(name, `${thing}.direction`, side, 'Left or Right');
}

/** `"BatchLongest"` or `{"Fixed": 128}`; a text alone is its own longest. */
function leastOf(name: string, padding: Part): number {
  const { strategy } = padding;
  if (strategy === 'BatchLongest') return 0;
  const fixed = typeof strategy === 'object' && strategy !== null ? (strategy as Part) : {};
  return sizeOf(name, fixed, 'Fixed');
}

function sizeOf(name: string, part: Part, key: string): number {
  const size = countOf(name, part, key, 'padding');
  if (size > mostPadding) refuseType(name, `padding.${key}`, size, `at most ${mostPadding}`);
  return size;
}

/** How many tokens the template adds to a text. */
export function countTemplate(steps: readonly PostStep[]): number {
  let count = 0;
  for (const step of steps) {
    if (step.kind !== 'wrap') continue;
    for (const piece of step.pieces) if (piece !== 'text') count += piece.length;
  }
  return count;
}

/** How many tokens the template puts before and after a text; undefined when it puts some within, or the text twice. */
export function endsOfTemplate(steps: readonly PostStep[]): { before: number; after: number } | undefined {
  const ends = { before: 0, after: 0 };
  for (const step of steps) {
    if (step.kind !== 'wrap') continue;
    const place = step.pieces.indexOf('text');
    if (place < 0 || step.pieces.lastIndexOf('text') !== place) return undefined;
    step.pieces.forEach((piece, i) => {
      if (piece !== 'text') ends[i < place ? 'before' : 'after'] += piece.length;
    });
  }
  return ends;
}

/**
 * Which of `count` tokens stay when the template adds `added`: [from, to).
 *
 * @throws EmbError "range" when the file's way to truncate cannot make the text short enough
 */
export function truncatedRange(name: string, fit: Fit, count: number, added: number): [number, number] {
  const { truncation } = fit;
  if (truncation === undefined) return [0, count];
  const room = truncation.most - added;
  if (room >= count) return [0, count];
  if (room < 0 || (truncation.needsPair && room > 0)) {
    throw new EmbError(
      'range',
      `${name}: "truncation.max_length" is ${truncation.most}, expected room for ${count} tokens and ${added} of the template`,
    );
  }
  return truncation.fromLeft ? [count - room, count] : [0, room];
}

/** How many padding tokens `count` tokens get. */
export function countPadding({ padding }: Fit, count: number): number {
  if (padding === undefined) return 0;
  const { multiple } = padding;
  let wanted = Math.max(padding.least, padding.least === 0 ? count : 0);
  if (multiple > 0 && wanted % multiple > 0) wanted += multiple - (wanted % multiple);
  return Math.max(0, wanted - count);
}

/** Adds the padding that tokens get. */
export function padTokens(fit: Fit, tokens: SpelledToken[]): void {
  const { padding } = fit;
  const more = countPadding(fit, tokens.length);
  if (padding === undefined || more === 0) return;
  const { id, text } = padding;
  const bytes = new TextEncoder().encode(text);
  const token = { id, text, value: text, bytes, start: 0, end: 0, special: true, stage: 'padding' as const };
  const padded = Array.from({ length: more }, () => ({ ...token }));
  if (padding.onLeft) tokens.unshift(...padded);
  else tokens.push(...padded);
}
