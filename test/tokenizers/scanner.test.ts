import { expect, test } from 'vitest';
import { Utf8Text } from '../../src/tokenizers/bpe-text.ts';
import type { Scanner } from '../../src/tokenizers/scanner.ts';
import { createCl100kScanner } from '../../src/tokenizers/scanner-cl100k.ts';
import { otherClass, unpackClasses } from '../../src/tokenizers/scanner-classes.ts';
import { gpt2Scanner } from '../../src/tokenizers/scanner-gpt2.ts';
import { o200kScanner } from '../../src/tokenizers/scanner-o200k.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { nodeClass, wordClasses } from './oracle.ts';

const contraction = "'(?:[sSſtTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])";
const cl100k = (words: string, digits: string) =>
  `${contraction}|[^\\r\\n\\p{L}\\p{N}]?[${words}]+|\\p{N}${digits}| ?[^\\s${words}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';

/** Every scanner and the pattern that it stands for, where \s and \S are those of Rust. */
const scanners: [string, Scanner, string][] = [
  ['gpt2', gpt2Scanner, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
  ['cl100k', createCl100kScanner({ maxDigits: 3 }), cl100k('\\p{L}', '{1,3}')],
  ['Qwen2', createCl100kScanner({ maxDigits: 1 }), cl100k('\\p{L}', '')],
  ['Qwen3.5', createCl100kScanner({ maxDigits: 1, marksInWords: true }), cl100k('\\p{L}\\p{M}', '')],
  [
    'o200k',
    o200kScanner,
    [
      `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+(?:${contraction})?`,
      `[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*(?:${contraction})?`,
      '\\p{N}{1,3}',
      ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
      '\\s*[\\r\\n]+',
      '\\s+(?!\\S)',
      '\\s+',
    ].join('|'),
  ],
];

function asPattern(source: string): RegExp {
  const white = '\\p{White_Space}';
  return new RegExp(
    source.replaceAll('[^\\s', `[^${white}`).replaceAll('\\S', `[^${white}]`).replaceAll('\\s', white),
    'gu',
  );
}

/** Characters that this Node.js classes differently, because its Unicode tables are newer or older. */
const differing = new Set<number>();
const classes = new Uint8Array(0x110000);
unpackClasses(classes);
wordClasses.forEach((pattern, i) => {
  const node = nodeClass(pattern);
  classes.forEach((bits, code) => {
    const bit = bits ^ otherClass;
    if (code >= 0xd800 && code < 0xe000) return;
    if ((bit === 2 << i || (bit === 128 && i === 5)) !== node.has(code)) differing.add(code);
  });
});

/** The words of a text by a scanner that gives at most `most` at a time. */
function scan(scanner: Scanner, text: Utf8Text, most: number): string[] {
  const ends = new Int32Array(most);
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const count = scanner.scan(text.bytes, at, text.length, ends);
    expect(count).toBeGreaterThan(0);
    for (const end of ends.subarray(0, count)) {
      words.push(Buffer.from(text.bytes.subarray(at, end)).toString('utf8'));
      at = end;
    }
  }
  return words;
}

test.each(scanners)(
  'the words of %s are those of its pattern, in batches of any size',
  (_, scanner, source) => {
    const pattern = asPattern(source);
    const random = seededRandom(30);
    const text = new Utf8Text();
    for (let i = 0; i < 1500; i++) {
      const valid = Buffer.from(fuzzText(random)).toString('utf8');
      if (Array.from(valid).some((character) => differing.has(character.codePointAt(0)!))) continue;
      text.set(valid);
      expect(scan(scanner, text, 1 + (i % 40))).toEqual(valid.match(pattern));
    }
  },
);

test('white space has U+0085 and lacks U+FEFF', () => {
  const text = new Utf8Text();
  const words = (value: string) => {
    text.set(value);
    return scan(gpt2Scanner, text, 8);
  };
  expect(words('a\u0085\u0085b')).toEqual(['a', '\u0085', '\u0085', 'b']);
  expect(words('a\ufeff\ufeffb')).toEqual(['a', '\ufeff\ufeff', 'b']);
});
