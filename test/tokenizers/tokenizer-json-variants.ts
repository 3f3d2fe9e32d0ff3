import { readFileSync } from 'node:fs';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
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
    readFileSync(
      new URL(
        name.startsWith('more/')
          ? `../../fixtures/tokenizers/${name}.json`
          : `../../fixtures/tokenizers/${name}/tokenizer.json`,
        import.meta.url,
      ),
      'utf8',
    ),
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

/** The normalizers, the pattern and the bytes of openai/clip-vit-base-patch32, with a token that is found in normalized text. */
function asOpenAi(file: FileJson): void {
  normalize(
    { type: 'NFC' },
    { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
    { type: 'Lowercase' },
  )(file);
  cut(
    split(
      {
        Regex:
          "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
      },
      'Removed',
      true,
    ),
    { ...byteLevel, use_regex: true },
  )(file);
  const { vocab } = file.model;
  for (let byte = 0; byte < 256; byte++) {
    for (const suffix of ['', '</w>']) {
      const letter = String.fromCharCode(unitOf(byte)) + suffix;
      vocab[letter] ??= Object.keys(vocab).length;
    }
  }
  vocab['<|startoftext|>'] = Object.keys(vocab).length;
  vocab['<|endoftext|>'] = Object.keys(vocab).length;
  for (const content of ['<|startoftext|>', '<|endoftext|>'])
    file.added_tokens.push({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: content === '<|endoftext|>',
      special: true,
    });
  file.decoder = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
}

/** GPT-2's letter for a byte: printable ones stand for themselves, the others follow from U+0100 on. */
function unitOf(byte: number): number {
  const isPrinted = (each: number) =>
    (each >= 0x21 && each <= 0x7e) || (each >= 0xa1 && each !== 0xad && each <= 0xff);
  if (isPrinted(byte)) return byte;
  return 0x100 + Array.from({ length: byte }, (_, each) => each).filter((each) => !isPrinted(each)).length;
}

const changes: Record<string, [fixture: string, change: (file: FileJson) => unknown]> = {
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

const cleaned = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: false };
const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const spellings = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };

/** Files of other models than byte-level BPE. */
const others: typeof changes = {
  bert: ['more/bert', () => {}],
  'bert, cased': ['more/bert', (file) => (file.normalizer = cleaned)],
  'bert with accents, no spaces around ideographs': [
    'more/bert',
    (file) =>
      (file.normalizer = { ...cleaned, handle_chinese_chars: false, strip_accents: false, lowercase: true }),
  ],
  'bert, accents alone, nothing cleaned': [
    'more/bert',
    (file) => (file.normalizer = { ...cleaned, clean_text: false, strip_accents: true }),
  ],
  'bert of short words, contiguous punctuation': [
    'more/bert',
    (file) => {
      file.model.max_input_chars_per_word = 5;
      cut({ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Contiguous' })(file);
      file.post_processor = { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] };
    },
  ],
  'bert of runs of digits and scripts': [
    'more/bert',
    (file) => {
      normalize({ type: 'NFKD' }, { type: 'StripAccents' }, { type: 'Nmt' })(file);
      cut(
        { type: 'Whitespace' },
        { type: 'UnicodeScripts' },
        { type: 'Digits', individual_digits: true },
      )(file);
    },
  ],
  'bert of fixed lengths, cut at a character': [
    'more/bert',
    (file) => {
      cut({ type: 'CharDelimiterSplit', delimiter: 'l' }, { type: 'FixedLength', length: 3 })(file);
      file.decoder = {
        type: 'Sequence',
        decoders: [{ type: 'WordPiece', prefix: '##', cleanup: false }, { type: 'Fuse' }],
      };
    },
  ],
  'bert with added tokens in normalized text': [
    'more/bert',
    (file) => {
      ['NewWord', 'hello', '<mask>', 'LEFT', 'RIGHT'].forEach((content, i) => {
        file.added_tokens.push({
          id: file.model.vocab[content] ?? Object.keys(file.model.vocab).length + i - (i > 1 ? 1 : 0),
          content,
          single_word: i === 1,
          lstrip: i === 2 || i === 3,
          rstrip: i === 2 || i === 4,
          normalized: i !== 3,
          special: i === 2,
        });
      });
    },
  ],
  llama2: ['more/llama2', () => {}],
  'llama2 by a Metaspace': [
    'more/llama2',
    (file) => {
      file.normalizer = null;
      file.pre_tokenizer = { ...metaspace, prepend_scheme: 'first', split: false };
      file.decoder = { type: 'Sequence', decoders: [metaspace, { type: 'ByteFallback' }, { type: 'Fuse' }] };
    },
  ],
  'llama2 by a Metaspace that splits': [
    'more/llama2',
    (file) => {
      file.normalizer = null;
      file.pre_tokenizer = { ...metaspace, prepend_scheme: 'first' };
      file.decoder = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true };
    },
  ],
  'llama2 by an old Metaspace': [
    'more/llama2',
    (file) => {
      file.normalizer = null;
      file.pre_tokenizer = { type: 'Metaspace', replacement: '▁', str_rep: '▁', add_prefix_space: true };
      file.model.merges = file.model.merges
        .filter((pair: string[]) => !pair.join('').includes(' '))
        .map((pair: string[]) => pair.join(' '));
      delete file.model.type;
    },
  ],
  'llama2 without bytes': ['more/llama2', (file) => (file.model.byte_fallback = false)],
  'llama2 with unknown characters one by one': [
    'more/llama2',
    (file) => {
      file.model.byte_fallback = false;
      file.model.fuse_unk = false;
      file.model.ignore_merges = true;
      file.pre_tokenizer = {
        type: 'Split',
        pattern: { String: '▁' },
        behavior: 'MergedWithPrevious',
        invert: false,
      };
    },
  ],
  'llama2 with half of the bytes': [
    'more/llama2',
    (file) => {
      for (let byte = 0x90; byte < 256; byte++)
        delete file.model.vocab[`<0x${byte.toString(16).toUpperCase()}>`];
    },
  ],
  'llama2 over spelled bytes': [
    'more/llama2',
    (file) => {
      file.normalizer = { type: 'Sequence', normalizers: [{ type: 'ByteLevel' }] };
      file.decoder = { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, byteLevel] };
    },
  ],
  clip: ['more/clip', () => {}],
  'clip as OpenAI has it': ['more/clip', asOpenAi],
  'clip as OpenAI has it, with a prefix space': [
    'more/clip',
    (file) => {
      asOpenAi(file);
      file.pre_tokenizer.pretokenizers[1].add_prefix_space = true;
    },
  ],
  'clip with a trimmed template': [
    'more/clip',
    (file) => {
      file.post_processor = {
        type: 'RobertaProcessing',
        sep: ['<unk>', 0],
        cls: ['<unk>', 0],
        trim_offsets: true,
        add_prefix_space: false,
      };
      file.decoder = { type: 'CTC', pad_token: '<unk>', word_delimiter_token: '</w>', cleanup: true };
    },
  ],
  hashed: ['more/hashed', () => {}],
  t5: ['more/t5', () => {}],
  't5 with spans, bytes and white space split': [
    'more/t5',
    (file) => {
      for (let byte = 0; byte < 256; byte++) {
        file.model.vocab.push([`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, -20 - byte / 100]);
      }
      file.model.byte_fallback = true;
      file.added_tokens = [];
      cut({ type: 'WhitespaceSplit' }, metaspace)(file);
      file.decoder = {
        type: 'Sequence',
        decoders: [
          spellings,
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 1 },
        ],
      };
    },
  ],
  't5 unsplit': [
    'more/t5',
    (file) => (file.pre_tokenizer = { ...metaspace, prepend_scheme: 'first', split: false }),
  ],
  't5 without Metaspace': [
    'more/t5',
    (file) => {
      file.pre_tokenizer = null;
      file.normalizer.normalizers.splice(1, 2);
      delete file.model.type;
    },
  ],
  words: ['more/words', () => {}],
  'words over spelled bytes': [
    'more/words',
    (file) => {
      cut({ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true })(file);
      file.post_processor = {
        type: 'ByteLevel',
        add_prefix_space: true,
        trim_offsets: true,
        use_regex: true,
      };
      file.decoder = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
    },
  ],
};
Object.assign(changes, others);

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
  '<|startoftext|>',
  "It's",
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

/** What a tokenizer makes of a text: ids, spans, and the texts that the ids decode to with and without special tokens. */
type Outcome = [...Answer, whole: string, plain: string];

/** A known divergence: special tokens that the normalizer changes are not skipped by Hugging Face's decoder, which looks for what is left of them. */
const unskipped: Record<string, string[]> = { added: ['<mask>'] };

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Texts of a fuzz run that a variant encodes or decodes otherwise than Hugging Face, with both outcomes. */
export async function findVariantDifferences(
  name: string,
  random: () => number,
  count: number,
): Promise<[string, Outcome, Outcome][]> {
  const file = variant(name);
  const tokenizer = openBytes(file);
  const oracle = openOracle(file);
  const wrong: [string, Outcome, Outcome][] = [];
  for (let i = 0; i < count; i++) {
    const text = variantText(random);
    const ours = ourAnswer(tokenizer, text);
    const theirs = await theirAnswer(oracle, text);
    const isSkipped = (id: number) =>
      tokenizer.isSpecial(id) && !unskipped[name]?.includes(tokenizer.tokenOf(id) as string);
    const plain = ours[0].filter((id) => !isSkipped(id));
    const ourOutcome: Outcome = [
      ...ours,
      decoder.decode(tokenizer.decodeBytes(ours[0])),
      decoder.decode(tokenizer.decodeBytes(plain)),
    ];
    const theirOutcome: Outcome = [
      ...theirs,
      await oracle.decode(theirs[0], false),
      await oracle.decode(theirs[0], true),
    ];
    if (JSON.stringify(ourOutcome) !== JSON.stringify(theirOutcome)) {
      wrong.push([text, ourOutcome, theirOutcome]);
      continue;
    }
    const sink = createIdSink();
    tokenizer.encodeIds(text, sink);
    const ids = Array.from(sink.ids.subarray(0, sink.length));
    if (ids.join() !== ours[0].join()) wrong.push([`ids alone: ${text}`, [ids, [], '', ''], ourOutcome]);
  }
  return wrong;
}
