// The texts that tokenizers are timed on: made from what `npm ci` installs, so that every machine has the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function filesUnder(folder, wanted) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Read-mes come with translations, which are no English. */
const otherScript = /(?=\p{L})\P{Script=Latin}/u;

/** The sentences that people wrote into read-mes and documentation comments, each once. */
function proseLines() {
  const lines = new Set();
  for (const path of filesUnder('node_modules', /\.(md|d\.[cm]?ts)$/)) {
    const isMarkdown = path.endsWith('.md');
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const text = isMarkdown ? line : /^\s*(?:\*|\/\/) (.*)/.exec(line)?.[1];
      if (text !== undefined && text.length > 20 && !otherScript.test(text)) lines.add(text.trimEnd());
    }
  }
  return [...lines];
}

/**
 * English: the prose of node_modules, then sentences that go on from word to word as it does. One word in 60 is new, put
 * together from halves of others, since a vocabulary that does not grow would flatter every cache.
 */
export function englishText(byteLength) {
  const next = random(1);
  const below = (n) => Math.floor(next() * n);
  const lines = proseLines();
  const words = lines.join(' ').split(' ').filter(Boolean);
  const places = new Map();
  for (let i = 0; i + 1 < words.length; i++) {
    const known = places.get(words[i]);
    if (known) known.push(i + 1);
    else places.set(words[i], [i + 1]);
  }
  const half = (word, second) =>
    word.slice(second ? word.length >> 1 : 0, second ? undefined : (word.length + 1) >> 1);
  const out = [lines.join('\n')];
  let bytes = Buffer.byteLength(out[0]);
  let word = words[0];
  while (bytes < byteLength) {
    const sentence = [];
    for (let i = 5 + below(20); i > 0; i--) {
      const after = places.get(word) ?? [below(words.length)];
      word = words[after[below(after.length)]];
      sentence.push(below(60) > 0 ? word : half(word, false) + half(words[below(words.length)], true));
    }
    out.push(`${sentence.join(' ')}.`);
    bytes += Buffer.byteLength(out.at(-1)) + 1;
  }
  return cutTo(out.join('\n'), byteLength);
}

/** First and last letter, letters per word, whether words are spaced. */
const scripts = [
  [0x430, 0x44f, 9, true],
  [0x3b1, 0x3c9, 8, true],
  [0x627, 0x64a, 6, true],
  [0x5d0, 0x5ea, 6, true],
  [0x905, 0x939, 6, true],
  [0xe01, 0xe2e, 12, false],
  [0x3041, 0x3093, 6, false],
  [0x4e00, 0x62ff, 3, false],
  [0xac00, 0xbfff, 4, true],
  [0xe0, 0x17f, 7, true],
];

/** Ten scripts in turn, a quarter English, with numbers, emoji, punctuation and line ends between them. */
export function mixedText(byteLength) {
  const next = random(2);
  const below = (n) => Math.floor(next() * n);
  // As in a language, few letters do most of the work, and the n-th word comes up 1 / n times as often as the first.
  const skewed = (n) => Math.floor(n * next() ** 3);
  const zipf = (n) => Math.floor(n ** next()) - 1;
  const english = proseLines();
  const lexicons = scripts.map(([first, last, longest]) =>
    Array.from({ length: 20_000 }, () => {
      const letters = Array.from({ length: 1 + below(longest) }, () => first + skewed(last - first + 1));
      return String.fromCodePoint(...letters);
    }),
  );
  const emoji = ['😀', '👍🏽', '👩‍👩‍👧', '🇩🇪', '✨', '→', '€', '…'];
  const out = [];
  let bytes = 0;
  while (bytes < byteLength) {
    const which = below(scripts.length * 4);
    if (which % 4 === 0) out.push(english[below(english.length)]);
    else {
      const script = which >> 2;
      const words = Array.from({ length: 4 + below(12) }, () => lexicons[script][zipf(20_000)]);
      if (below(3) === 0) words.push(String(below(100_000)), emoji[below(emoji.length)]);
      // Scripts without spaces still have phrases.
      const spaced = (word) => (scripts[script][3] ? `${word} ` : below(3) ? word : `${word}、`);
      out.push(words.map(spaced).join('').trimEnd() + (below(2) ? '.' : '!\r'));
    }
    bytes += Buffer.byteLength(out.at(-1)) + 1;
  }
  return cutTo(out.join('\n'), byteLength);
}

/** At most so many bytes, in whole characters. */
function cutTo(text, byteLength) {
  const bytes = Buffer.from(text);
  let end = Math.min(byteLength, bytes.length);
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8');
}
