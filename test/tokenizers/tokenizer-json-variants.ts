import { readFileSync } from 'node:fs';
import { fuzzText } from './fuzz-text.ts';
import {
  type Answer,
  type FileJson,
  openBytes,
  openOracle,
  ourAnswer,
  theirAnswer,
} from './tokenizer-json-oracle.ts';

function fixture(name: string): FileJson {
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/tokenizers/${name}/tokenizer.json`, import.meta.url), 'utf8'),
  );
}

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const split = (pattern: object, behavior: string, invert = false) => ({
  type: 'Split',
  pattern,
  behavior,
  invert,
});

function cut(...pretokenizers: object[]) {
  return (file: FileJson) => {
    file.pre_tokenizer = { type: 'Sequence', pretokenizers };
  };
}

function normalize(...normalizers: object[]) {
  return (file: FileJson) => {
    file.normalizer = { type: 'Sequence', normalizers };
  };
}

const changes: Record<string, [fixture: string, change: (file: FileJson) => void]> = {
  gpt2: ['gpt2', () => {}],
  llama3: ['llama3', () => {}],
  qwen: ['qwen', () => {}],
  roberta: ['roberta', () => {}],
  added: ['added', () => {}],
  cuts: ['cuts', () => {}],
  'gpt2 with a prefix space, trimmed': [
    'gpt2',
    (file) => {
      file.pre_tokenizer.add_prefix_space = true;
      file.post_processor = {
        type: 'ByteLevel',
        add_prefix_space: true,
        trim_offsets: true,
        use_regex: true,
      };
    },
  ],
  'one word': ['gpt2', (file) => (file.pre_tokenizer = { ...byteLevel, add_prefix_space: true })],
  NFD: ['qwen', normalize({ type: 'NFD' })],
  NFKD: ['qwen', normalize({ type: 'NFKD' })],
  NFKC: ['gpt2', normalize({ type: 'NFKC' })],
  'lowercase, stripped': [
    'gpt2',
    normalize({ type: 'Lowercase' }, { type: 'Strip', strip_left: true, strip_right: true }),
  ],
  'replaced and prepended': [
    'gpt2',
    normalize(
      { type: 'Replace', pattern: { String: ' ' }, content: '▁x' },
      { type: 'Replace', pattern: { Regex: '\\p{Lu}{2,}|\\d' }, content: '' },
      { type: 'Prepend', prepend: 'p😀' },
    ),
  ],
  'decomposed and lowercase': ['gpt2', normalize({ type: 'NFD' }, { type: 'Lowercase' }, { type: 'NFC' })],
  'o200k as a regex': [
    'gpt2',
    cut(
      split(
        {
          Regex:
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        },
        'Isolated',
      ),
      byteLevel,
    ),
  ],
  o200k: [
    'gpt2',
    cut(
      split(
        {
          Regex:
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        },
        'Removed',
        true,
      ),
      byteLevel,
    ),
  ],
  'possessive cl100k': [
    'gpt2',
    cut(
      split(
        {
          Regex:
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
        },
        'Isolated',
      ),
      byteLevel,
    ),
  ],
  'regex, merged with previous': ['gpt2', cut(split({ Regex: '\\w+' }, 'MergedWithPrevious'), byteLevel)],
  'regex, merged with next': ['gpt2', cut(split({ Regex: '\\W' }, 'MergedWithNext'), byteLevel)],
  'regex, contiguous, inverted': ['gpt2', cut(split({ Regex: '\\b' }, 'Contiguous', true), byteLevel)],
  'regex, removed': ['gpt2', cut(split({ Regex: '^\\s*|[a-m&&[^c]]$' }, 'Removed'), byteLevel)],
  'pieces of three digits from the right': [
    'gpt2',
    cut(split({ Regex: '\\A\\p{Nd}{1,2}(?=\\p{Nd}{3}+\\z)|\\G\\p{Nd}{3}|\\d' }, 'Isolated'), byteLevel),
  ],
  'text, merged with next': ['gpt2', cut(split({ String: 'o' }, 'MergedWithNext'), byteLevel)],
  digits: ['gpt2', cut({ type: 'Digits', individual_digits: true }, byteLevel)],
  'runs of digits': ['gpt2', cut({ type: 'Digits', individual_digits: false }, byteLevel)],
  punctuation: ['gpt2', cut({ type: 'Punctuation', behavior: 'MergedWithPrevious' }, byteLevel)],
  whitespace: ['gpt2', cut({ type: 'Whitespace' }, byteLevel)],
  'split at white space': [
    'gpt2',
    cut({ type: 'WhitespaceSplit' }, { ...byteLevel, add_prefix_space: true }),
  ],
};

/** Files that differ in one thing each, from small fixtures; a name says what. */
export const variantNames = Object.keys(changes);

export function variant(name: string): FileJson {
  const [base, change] = changes[name];
  const file = fixture(base);
  change(file);
  return file;
}

const decorations = [
  '<|endoftext|>',
  ' <mask> ',
  '<s>',
  'NewWord',
  'LEFT',
  'RIGHT',
  '[SOLO]',
  ' hello',
  '<tool_call>',
  '<|im_',
  '   ',
  'e\u0301\u0323',
  '\u1100\u1161\u11a8',
  'ﬁ',
  'ΑΣ',
  'İ',
];

/** Characters of Unicode 17, which this Node may know and Hugging Face's Rust crates do not, by their code points. */
const newerThanOracle = new RegExp(
  `[${(
    '88f c5c cdc 1acf-1add 1ae0-1aeb 20c1 295 2b96 a7ce-a7cf a7d2 a7d4 a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce 10940-1095f ' +
      '10ec5-10ec7 10ed0-10ed8 10efa-10efb 11b60-11b67 11db0-11de9 16ea0-16ed3 16ff2-16ff6 187f8-187ff 18d09-18d1e ' +
      '18d80-18df2 1ccfa-1ccfc 1ceba-1cef0 1e6c0-1e6ff 1f6d8 1f777-1f77a 1f8d0-1f8d8 1fa54-1fa57 1fa8a-1fa8e 1fac8-1facf ' +
      '1faea-1faef 2b73a-2b73f 2cea2-2cead 323b0-3347f'
  ).replace(/([0-9a-f]+)(?:-([0-9a-f]+))? ?/g, (_, first, last) => `\\u{${first}}-\\u{${last ?? first}}`)}]`,
  'gu',
);

export function variantText(random: () => number): string {
  let text = fuzzText(random, 16);
  for (let n = Math.floor(random() * 3); n > 0; n--) {
    const at = Math.floor(random() * (text.length + 1));
    text = text.slice(0, at) + decorations[Math.floor(random() * decorations.length)] + text.slice(at);
  }
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(newerThanOracle, '?')
    .replace(/\p{Cn}/gu, '?');
}

/** Texts of a fuzz run that a variant encodes otherwise than Hugging Face, with both answers. */
export async function findVariantDifferences(
  name: string,
  random: () => number,
  count: number,
): Promise<[string, Answer, Answer][]> {
  const file = variant(name);
  const tokenizer = openBytes(file);
  const oracle = openOracle(file);
  const wrong: [string, Answer, Answer][] = [];
  for (let i = 0; i < count; i++) {
    const text = variantText(random);
    const ours = ourAnswer(tokenizer, text);
    const theirs = await theirAnswer(oracle, text);
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) wrong.push([text, ours, theirs]);
  }
  return wrong;
}
