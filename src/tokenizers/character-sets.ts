import {
  accentRuns,
  controlRuns,
  extenderRuns,
  markRuns,
  prependedRuns,
  scriptRuns,
} from './character-runs.ts';

/** BertNormalizer removes it. */
export const controlFlag = 1;
/** BertNormalizer strips it as an accent. */
export const accentFlag = 2;
/** StripAccents removes it. */
export const markFlag = 4;
/** It belongs to the character before it. */
export const extenderFlag = 8;
/** It belongs to the character after it. */
export const prependedFlag = 16;

const codePoints = 0x110000;

function numbersOf(runs: string): number[] {
  return runs.split(' ').map((word) => Number.parseInt(word, 36));
}

function addFlag(flags: Uint8Array, runs: string, flag: number): void {
  const numbers = numbersOf(runs);
  let at = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    at += numbers[i];
    for (const end = at + numbers[i + 1]; at < end; at++) flags[at] |= flag;
  }
}

let flags: Uint8Array | undefined;

/** The flags above of every code point. Cost: a millisecond and 1.1 MB for the first call. */
export function characterFlags(): Uint8Array {
  if (flags !== undefined) return flags;
  flags = new Uint8Array(codePoints);
  addFlag(flags, controlRuns, controlFlag);
  addFlag(flags, accentRuns, accentFlag);
  addFlag(flags, markRuns, markFlag);
  addFlag(flags, extenderRuns, extenderFlag);
  addFlag(flags, prependedRuns, prependedFlag);
  return flags;
}

let scripts: Uint8Array | undefined;

/** A number for the script of every code point, 0 for those of any; Han, Hiragana and Katakana are one. */
export function characterScripts(): Uint8Array {
  if (scripts !== undefined) return scripts;
  scripts = new Uint8Array(codePoints);
  const numbers = numbersOf(scriptRuns);
  let at = 0;
  for (let i = 0; i < numbers.length; i += 3) {
    at += numbers[i];
    scripts.fill(numbers[i + 2] + 1, at, at + numbers[i + 1]);
    at += numbers[i + 1];
  }
  return scripts;
}
