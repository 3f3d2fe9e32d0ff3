// Writes src/tokenizers/scanner-runs.ts: the class of every character by the Unicode tables of the Rust crate in the npm package tiktoken.
// Not part of the build, since the file is kept: node scripts/generate-classes.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { Tiktoken } from 'tiktoken';

/** From number 1 on; 0 is every other character. Line ends come last, because they are white space too. */
const patterns = [
  '[\\p{Lu}\\p{Lt}]',
  '\\p{Ll}',
  '[\\p{Lm}\\p{Lo}]',
  '\\p{M}',
  '\\p{N}',
  '\\p{White_Space}',
  '[\\r\\n]',
];

/** Characters of a class: an encoding of single bytes leaves out what its pattern does not match. */
function matched(pattern) {
  const bytes = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]).toString('base64')).join(' ');
  const encoding = new Tiktoken(`! 0 ${bytes}`, {}, pattern);
  let found = '';
  // In pieces: one text of all characters needs more memory than tiktoken has.
  for (let first = 0; first < 0x110000; first += 4096) {
    if (first >= 0xd800 && first < 0xe000) continue;
    let text = '';
    for (let code = first; code < first + 4096; code++) {
      if (code < 0xd800 || code > 0xdfff) text += String.fromCodePoint(code);
    }
    found += Buffer.from(encoding.decode(encoding.encode(text, [], []))).toString('utf8');
  }
  encoding.free();
  return found;
}

const classes = new Uint8Array(0x110000);
patterns.forEach((pattern, i) => {
  for (const character of matched(pattern)) classes[character.codePointAt(0)] = i + 1;
});

const packed = [];
for (let code = 0, end = 0; code < classes.length; code = end) {
  while (end < classes.length && classes[end] === classes[code]) end++;
  const length = end - code;
  packed.push(classes[code] | ((length & 15) << 3) | (length > 15 ? 128 : 0));
  for (let rest = length >> 4; rest > 0; rest >>= 7) packed.push((rest & 127) | (rest > 127 ? 128 : 0));
}

const { version } = JSON.parse(readFileSync('node_modules/tiktoken/package.json', 'utf8'));
const lines = Buffer.from(packed)
  .toString('base64')
  .match(/.{1,104}/g)
  .map((line) => `  '${line}'`);
writeFileSync(
  'src/tokenizers/scanner-runs.ts',
  `/**
 * Runs of characters of one class, from U+0000 to U+10FFFF, as base64: Unicode 16.0, as tiktoken's and Hugging Face's regular
 * expressions have it.
 *
 * Block: per run number | length << 3, whose lower four bits fit; the rest follows seven bits a byte, lowest first; 0x80 says that more
 * follows. 1 << number is the class in scanner-classes.ts.
 * Source: scripts/generate-classes.mjs, which asks the npm package tiktoken ${version} (Rust crate regex) for every character.
 */
export const classRuns =
${lines.join(' +\n')};
`,
);
