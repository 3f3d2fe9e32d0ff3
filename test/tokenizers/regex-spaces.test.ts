import { expect, test } from 'vitest';
import { compileRegex } from '../../src/tokenizers/tokenizer-json-pattern.ts';
import { matchesBetweenSpaces } from '../../src/tokenizers/tokenizer-json-regex-spaces.ts';
import { seededRandom } from './fuzz-text.ts';

const independent = [
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  '\\S+',
  "(?i:'s)|\\w{1,3}|[^\\s\\w]++",
  '(?>ab|a)b?|\\p{L}\\u00a0?',
  'a(b|c)*?d?',
];

const dependent = [
  ' ?\\p{L}+',
  '\\S+|\\s+',
  '[^a]+',
  '.',
  'a*',
  '\\p{L}+(?!\\S)',
  '(?<=x)a',
  '\\bab',
  '^a+',
  'a$',
  '\\Aa',
  '(a)\\1',
  '\\R',
  'a\\tb',
  'a|',
];

test('patterns without spaces, empty matches and conditions match between spaces', () => {
  for (const pattern of independent)
    expect([pattern, matchesBetweenSpaces(pattern)]).toEqual([pattern, true]);
  for (const pattern of dependent) expect([pattern, matchesBetweenSpaces(pattern)]).toEqual([pattern, false]);
});

test('what such a pattern matches in a text is what it matches in the parts of it', () => {
  const random = seededRandom(5);
  const alphabet = [..."abcdx'sS19!|<>\u00a0é😀", ' ', '\n', '\t', '\r', '  '];
  const letter = () => alphabet[Math.floor(random() * alphabet.length)] as string;
  for (const pattern of independent) {
    const { find } = compileRegex('x', 'pattern', pattern);
    const matches = (text: string) => {
      const bounds = find(text);
      return bounds.flatMap((start, i) => (i % 2 === 0 ? [text.slice(start, bounds[i + 1])] : []));
    };
    for (let i = 0; i < 300; i++) {
      const text = Array.from({ length: 20 }, letter).join('');
      expect([pattern, text, text.split(/[ \n\t\r]+/).flatMap(matches)]).toEqual([
        pattern,
        text,
        matches(text),
      ]);
    }
  }
});
