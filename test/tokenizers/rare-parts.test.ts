import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { type FileJson, openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

const words = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, ab: 1, x: 2, y: 3, z: 4 } };

function file(parts: FileJson): FileJson {
  return { version: '1.0', added_tokens: [], model: words, ...parts };
}

async function expectAgreement(parts: FileJson, texts: readonly string[]): Promise<void> {
  const [ours, theirs] = [openBytes(file(parts)), openOracle(file(parts))];
  for (const text of texts) {
    for (const template of [true, false]) {
      const wanted = await theirAnswer(theirs, text, template);
      expect([text, ourAnswer(ours, text, template)]).toEqual([text, wanted]);
      const sink = createIdSink();
      ours.encodeIds(text, sink, { template });
      expect([text, [...sink.ids.subarray(0, sink.length)]]).toEqual([text, wanted[0]]);
    }
  }
}

const template = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: 'x', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: 'y', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: {
    x: { id: 'x', ids: [2], tokens: ['x'] },
    y: { id: 'y', ids: [3, 2], tokens: ['y', 'x'] },
  },
};
const bert = { type: 'BertProcessing', cls: ['z', 4], sep: ['x', 2] };
const roberta = {
  type: 'RobertaProcessing',
  cls: ['z', 4],
  sep: ['y', 3],
  trim_offsets: true,
  add_prefix_space: true,
};
const trim = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

describe('what follows a template in a sequence does its work on each piece of the template', () => {
  test.each([
    ['bert', [template, bert]],
    ['roberta', [template, roberta]],
    ['a trim between', [template, trim, bert, roberta]],
    ['a sequence within', [{ type: 'Sequence', processors: [template] }, bert]],
    ['before it', [bert, roberta, trim, template]],
    ['no template', [roberta, bert, trim, bert]],
  ])('%s', async (_, processors) => {
    await expectAgreement(
      {
        pre_tokenizer: { type: 'WhitespaceSplit' },
        post_processor: { type: 'Sequence', processors },
      },
      ['', 'ab', ' ab  ab c'],
    );
  });
});

describe.each(['BPE', 'WordLevel'])(
  'a ByteLevel after another writes the bytes of its letters: %s',
  (type) => {
    test.each([false, true])('prefix space and pattern: %s', async (flag) => {
      const level = { type: 'ByteLevel', add_prefix_space: flag, trim_offsets: false, use_regex: flag };
      const vocab: Record<string, number> = { '?': 0 };
      for (const letter of [...'abĠÄÃâ', 'Ł', 'ł', 'Ń', 'ĠÄł', 'a', 'ÄłÄł'])
        vocab[letter] ??= Object.keys(vocab).length;
      await expectAgreement(
        {
          model:
            type === 'BPE' ? { type, unk_token: '?', vocab, merges: [] } : { type, unk_token: '?', vocab },
          pre_tokenizer: { type: 'Sequence', pretokenizers: [level, level] },
        },
        ['a', ' a', 'a  b', '\u200b', 'é b'],
      );
    });
  },
);

test.each(['first', 'always'])(
  'a Metaspace after a ByteLevel adds a character of its own: %s',
  async (scheme) => {
    const vocab = Object.fromEntries(['?', ...'▁abĠÃ©', '▁a', 'Ġb'].map((piece, i) => [piece, i]));
    const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: false };
    await expectAgreement(
      {
        model: {
          type: 'BPE',
          unk_token: '?',
          vocab,
          merges: [
            ['▁', 'a'],
            ['Ġ', 'b'],
          ],
        },
        pre_tokenizer: { type: 'Sequence', pretokenizers: [level, metaspace] },
      },
      ['a', 'ab', 'a b', 'é  a b', ' a'],
    );
  },
);

test('a word of many characters has room for the bytes of its prefixes and suffixes', async () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  const vocab = Object.fromEntries(
    ['?', ...bytes.map((byte) => `<0x${byte}>`)].map((piece, i) => [piece, i]),
  );
  for (const [prefix, suffix] of [
    ['##', null],
    [null, '</w>'],
    ['##', '</w>'],
  ]) {
    const model = { type: 'BPE', unk_token: '?', byte_fallback: true, vocab, merges: [] };
    const parts = {
      model: { ...model, continuing_subword_prefix: prefix, end_of_word_suffix: suffix },
    };
    const text = 'q'.repeat(300);
    const wanted = await theirAnswer(openOracle(file(parts)), text);
    expect(ourAnswer(openBytes(file(parts)), text)[0]).toEqual(wanted[0]);
  }
});

test.each([
  { type: 'BPEDecoder', suffix: '' },
  { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '', cleanup: true },
])('an empty text to replace stands around whole characters: %j', async (decoder) => {
  const parts = { decoder, model: { ...words, vocab: { '?': 0, '😀a': 1 } } };
  const decoded = new TextDecoder().decode(openBytes(file(parts)).decodeBytes([1, 0, 1]));
  expect(decoded).toBe(await openOracle(file(parts)).decode([1, 0, 1], false));
});

test.each([
  {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  { type: 'NFD' },
  { type: 'Lowercase' },
])(
  'added tokens with punctuation within are found in normalized text, spans or not: %j',
  async (normalizer) => {
    const token = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
    const vocab = Object.fromEntries(
      ['?', 'a', 'covid', '-', '19', '<', 'x', '>'].map((piece, i) => [piece, i]),
    );
    const contents = ['covid-19', '<x>', '-a', 'ovi'];
    for (const picked of [contents, contents.slice(0, 1), contents.slice(3)]) {
      await expectAgreement(
        {
          normalizer,
          pre_tokenizer: { type: 'BertPreTokenizer' },
          added_tokens: picked.map((content, i) => ({ ...token, content, id: 8 + i })),
          model: {
            type: 'WordPiece',
            unk_token: '?',
            continuing_subword_prefix: '##',
            max_input_chars_per_word: 100,
            vocab,
          },
        },
        ['a covid-19 a', 'Covid-19,a', 'a<x>a -a-a', 'covid - 19 covid', '你<x>好 covid-19你'],
      );
    }
  },
);
