import { EmbError } from '../errors.ts';
import { type WordRule, wordRules } from './gguf-words.ts';
import { type Scanner, wholeTextScanner } from './scanner.ts';
import { createCl100kScanner } from './scanner-cl100k.ts';
import { gpt2Scanner } from './scanner-gpt2.ts';
import type { TextPattern } from './tokenizer-json-pattern.ts';
import { type SplitStep, splitBy, splitByScanner } from './tokenizer-json-split.ts';

/** Patterns that are loops over bytes. They take 'ſ for 's, as the models' own tokenizers do and llama.cpp does not. */
const scanners: Record<string, () => Scanner> = {
  gpt2: () => gpt2Scanner,
  llama3: () => createCl100kScanner({ maxDigits: 3 }),
  qwen2: () => createCl100kScanner({ maxDigits: 1 }),
  qwen35: () => createCl100kScanner({ maxDigits: 1, marksInWords: true }),
};

/** The rule of a name; undefined for one that nobody knows. */
export function wordRuleNamed(name: string): WordRule | undefined {
  return wordRules.find(({ names }) => names.split(' ').includes(name));
}

/** How a rule cuts texts: by the splits one after the other, and what they leave by the scanner. */
export interface Cuts {
  readonly splits: readonly SplitStep[];
  readonly scanner: Scanner;
}

/** Name: as errors call the file. */
export function cutsOf(name: string, rule: WordRule): Cuts {
  const last = rule.patterns.at(-1) as string;
  const scanner = Object.hasOwn(scanners, last) ? scanners[last]() : undefined;
  const rest = scanner === undefined ? rule.patterns : rule.patterns.slice(0, -1);
  return { splits: rest.map((pattern) => splitOf(name, pattern)), scanner: scanner ?? wholeTextScanner };
}

function splitOf(name: string, pattern: string): SplitStep {
  if (Object.hasOwn(scanners, pattern)) return splitByScanner(scanners[pattern]());
  if (pattern === 'grouped digits') return splitBy({ find: groupedDigits }, false, 'Isolated');
  if (pattern === 'digits from the right') return splitBy({ find: digitsFromTheRight }, false, 'Isolated');
  return splitBy(compile(name, pattern), false, 'Isolated');
}

/** White space beyond ASCII, which llama.cpp shows its patterns as a vertical tab: no range of characters has it. */
const otherSpace = /[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;

/** Sets with `--` are of the newer syntax of regular expressions. White space is Unicode's, not JavaScript's. */
function compile(name: string, pattern: string): TextPattern {
  const source = pattern.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}');
  const expression = new RegExp(source, source.includes('--') ? 'gv' : 'gu');
  return {
    find(original) {
      const text = original.replace(otherSpace, '\v');
      const bounds: number[] = [];
      expression.lastIndex = 0;
      try {
        for (let found = expression.exec(text); found !== null; found = expression.exec(text)) {
          bounds.push(found.index, expression.lastIndex);
        }
      } catch (error) {
        // What backtracks too deep overflows the stack of the regular expression engine.
        if (!(error instanceof RangeError)) throw error;
        throw new EmbError(
          'range',
          `${name}: its word pattern needs too much memory on a text of ${text.length} characters, expected a shorter one`,
        );
      }
      return bounds;
    },
  };
}

/**
 * Numbers end where groups of three from the right do; what stands before a number stays with its first group.
 *
 * Source: unicode_regex_split_custom_afmoe in llama.cpp's src/unicode.cpp.
 */
function groupedDigits(text: string): number[] {
  const bounds: number[] = [];
  let done = 0;
  for (const { index, 0: run } of text.matchAll(/\p{N}+/gu)) {
    const digits = [...run];
    let at = index;
    for (let i = 0; i < digits.length; i++) {
      at += digits[i].length;
      const left = digits.length - i - 1;
      if (left % 3 !== 0) continue;
      bounds.push(done, at);
      done = at;
    }
  }
  return bounds;
}

/** Empty matches before every group of three digits from the right. */
function digitsFromTheRight(text: string): number[] {
  const bounds: number[] = [];
  for (const { index, 0: run } of text.matchAll(/[0-9]+/g)) {
    for (let at = index + (run.length % 3); at < index + run.length; at += 3) bounds.push(at, at);
  }
  return bounds;
}
