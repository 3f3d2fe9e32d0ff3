import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { type FileJson, openBytes, openOracle } from './tokenizer-json-oracle.ts';

const bytes = readFileSync(new URL('../../fixtures/tokenizers/llama3/tokenizer.json', import.meta.url));
const text = new TextDecoder().decode(bytes);

function changed(change: (file: FileJson) => void): FileJson {
  const file = JSON.parse(text);
  change(file);
  return file;
}

/** The error of opening a file and, when it opens, of encoding with it. */
function errorOf(file: FileJson | string | Uint8Array): EmbError | undefined {
  try {
    openBytes(file).encode('Hello world, it’s 12:30\n<|eot_id|>');
    return undefined;
  } catch (error) {
    if (!(error instanceof EmbError)) throw error;
    return error;
  }
}

/** A tiny BPE file, for cases that want to see all of it. */
function tiny(): FileJson {
  return {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] },
  };
}

test('the files that the cases below break are whole', () => {
  expect(errorOf(bytes)).toBeUndefined();
  expect(errorOf(tiny())).toBeUndefined();
});

test('a file cut at every 1/16 is corrupt', () => {
  for (let i = 0; i < 16; i++) {
    const error = errorOf(bytes.subarray(0, Math.floor((bytes.length * i) / 16)));
    expect(error).toMatchObject({ code: 'corrupt', message: expect.stringMatching(/^tokenizer.json: /) });
  }
});

test('a file with any byte made a quote, a brace or zero opens or is an EmbError', () => {
  for (let at = 0; at < bytes.length; at += 7) {
    for (const byte of [0x22, 0x7d, 0x00, 0xff]) {
      const broken = Uint8Array.from(bytes);
      broken[at] = byte;
      errorOf(broken);
    }
  }
});

test('deep nesting is refused, not followed', () => {
  for (const deep of [
    '['.repeat(20_000_000),
    '{"a":'.repeat(1_000_000),
    `{"model":${'['.repeat(1_000_000)}`,
  ]) {
    expect(errorOf(deep)?.code).toBe('corrupt');
  }
  expect(errorOf(`{"x":${'['.repeat(200)}${']'.repeat(200)}}`)?.message).toMatch(
    /"nesting" is deeper than 128/,
  );
});

const cases: Record<string, [change: (file: FileJson) => void, code: string, message: RegExp]> = {
  'an unknown model': [
    (f) => (f.model.type = 'Transducer'),
    'unsupported',
    /"model.type" is "Transducer", expected BPE/,
  ],
  'no model': [(f) => delete f.model, 'corrupt', /"model" is missing/],
  'a model of the wrong type': [(f) => (f.model = []), 'corrupt', /expected '\{'/],
  'no vocabulary': [(f) => delete f.model.vocab, 'corrupt', /"model.vocab" is missing/],
  'no merges': [(f) => delete f.model.merges, 'corrupt', /"model.merges" is missing/],
  'a vocabulary of the wrong type': [
    (f) => (f.model.vocab = 'a'),
    'corrupt',
    /"model.vocab" to be an object/,
  ],
  'a text for an id': [(f) => (f.model.vocab.a = 'x'), 'corrupt', /expected an id, a whole number/],
  'a negative id': [(f) => (f.model.vocab.a = -1), 'corrupt', /expected an id, a whole number/],
  'a fractional id': [(f) => (f.model.vocab.a = 1.5), 'corrupt', /expected/],
  'an id that no file of this size has': [
    (f) => (f.model.vocab.a = 4e9),
    'corrupt',
    /has id 4000000000, expected at most/,
  ],
  'an id that is no integer of JavaScript': [(f) => (f.model.vocab.a = 1e300), 'corrupt', /expected/],
  'an id given twice': [(f) => (f.model.vocab.b = 0), 'corrupt', /has id 0 twice/],
  'a merge of an unknown token': [(f) => f.model.merges.push('a x'), 'corrupt', /has "x" in merge 1/],
  'a merge into an unknown token': [(f) => f.model.merges.push('b a'), 'corrupt', /has "ba" in merge 1/],
  'a pair with an unknown token': [
    (f) =>
      (f.model.merges = [
        ['a', 'b'],
        ['y', 'b'],
      ]),
    'corrupt',
    /has "y" in merge 1/,
  ],
  'a merge without a space': [(f) => f.model.merges.push('ab'), 'corrupt', /"ab" with 0 spaces, expected 1/],
  'a merge with two spaces': [
    (f) => f.model.merges.push('a b b'),
    'corrupt',
    /"a b b" with 2 spaces, expected 1/,
  ],
  'a merge of three': [(f) => (f.model.merges = [['a', 'b', 'a']]), 'corrupt', /expected '\]'/],
  'a number for a merge': [(f) => (f.model.merges = [1]), 'corrupt', /expected '\['/],
  'merges of the wrong type': [(f) => (f.model.merges = { a: 'b' }), 'corrupt', /expected '\['/],
  'a dropout': [(f) => (f.model.dropout = 0.1), 'unsupported', /"model.dropout" is 0.1/],
  'a dropout of the wrong type': [(f) => (f.model.dropout = 'x'), 'corrupt', /"model.dropout"/],
  'a flag of the wrong type': [(f) => (f.model.ignore_merges = 1), 'corrupt', /"ignore_merges" is 1/],
  'an unknown token that is none': [
    (f) => (f.model.unk_token = '<unk>'),
    'corrupt',
    /"model.unk_token" is "<unk>"/,
  ],
  'an unknown normalizer': [
    (f) => (f.normalizer = { type: 'Zalgo' }),
    'unsupported',
    /"normalizer" is "Zalgo", which is unknown/,
  ],
  'a map of characters that is cut short': [
    (f) => (f.normalizer = { type: 'Precompiled', precompiled_charsmap: 'AAEAAAAA' }),
    'corrupt',
    /"precompiled_charsmap" is 6 bytes, expected a trie of 256/,
  ],
  'a map of characters that is no base64': [
    (f) => (f.normalizer = { type: 'Precompiled', precompiled_charsmap: '!' }),
    'corrupt',
    /"precompiled_charsmap" is "!", expected base64/,
  ],
  'a normalizer of the wrong type': [
    (f) => (f.normalizer = 'NFC'),
    'corrupt',
    /"normalizer" is "NFC", expected an object/,
  ],
  'a normalizer without a type': [(f) => (f.normalizer = {}), 'corrupt', /"normalizer.type" is missing/],
  'an unknown pre-tokenizer': [
    (f) => (f.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'X' }] }),
    'unsupported',
    /"pre_tokenizer" is "X"/,
  ],
  'a Metaspace without its character': [
    (f) => (f.pre_tokenizer = { type: 'Metaspace' }),
    'corrupt',
    /"replacement" is missing, expected a character/,
  ],
  'a Metaspace that contradicts itself': [
    (f) =>
      (f.pre_tokenizer = {
        type: 'Metaspace',
        replacement: '_',
        add_prefix_space: false,
        prepend_scheme: 'first',
      }),
    'corrupt',
    /"pre_tokenizer.prepend_scheme" is "first", expected "never"/,
  ],
  'pieces of no length': [
    (f) => (f.pre_tokenizer = { type: 'FixedLength', length: 0 }),
    'corrupt',
    /"pre_tokenizer.length" is 0, expected a count/,
  ],
  'a prefix of the wrong type': [
    (f) => (f.model.continuing_subword_prefix = 1),
    'corrupt',
    /"model.continuing_subword_prefix" is 1/,
  ],
  'an unknown token outside the vocabulary': [
    (f) => {
      f.pre_tokenizer = null;
      f.model.unk_token = '<none>';
    },
    'unsupported',
    /"<none>" is no token of the vocabulary/,
  ],
  'a word that nothing stands for': [
    (f) => (f.model = { type: 'WordLevel', vocab: { a: 0 }, unk_token: '<unk>' }),
    'unsupported',
    /"<unk>" is no token of the vocabulary/,
  ],
  'a Unigram without scores': [
    (f) => (f.model = { type: 'Unigram', vocab: { a: 0 } }),
    'corrupt',
    /"model.vocab" is \{\}, expected a list of \["piece", score\]/,
  ],
  'a Unigram that lacks a character': [
    (f) => (f.model = { type: 'Unigram', vocab: [['a', 0]], unk_id: null }),
    'unsupported',
    /"unk_id" is missing/,
  ],
  'a Unigram whose unknown token is none': [
    (f) => (f.model = { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 }),
    'corrupt',
    /"model.unk_id" is 1, expected an id below 1/,
  ],
  'a truncation without a length': [
    (f) => (f.truncation = { strategy: 'LongestFirst' }),
    'corrupt',
    /"truncation.max_length" is missing/,
  ],
  'a padding that fills memory': [
    (f) => (f.padding = { strategy: { Fixed: 2 ** 30 }, pad_id: 0, pad_token: 'x' }),
    'corrupt',
    /"padding.Fixed" is 1073741824, expected at most/,
  ],
  'a pattern without a counterpart': [
    (f) =>
      (f.pre_tokenizer = {
        type: 'Split',
        pattern: { Regex: '(?~abc)' },
        behavior: 'Isolated',
        invert: false,
      }),
    'unsupported',
    /"\(\?~abc\)" with \(\?~/,
  ],
  'a broken pattern': [
    (f) =>
      (f.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a' }, behavior: 'Isolated', invert: false }),
    'unsupported',
    /a group without end/,
  ],
  'an unknown behavior': [
    (f) => (f.pre_tokenizer = { type: 'Split', pattern: { String: 'a' }, behavior: 'Exploded' }),
    'corrupt',
    /"pre_tokenizer.behavior" is "Exploded", expected Removed/,
  ],
  'a pattern of the wrong type': [
    (f) => (f.pre_tokenizer = { type: 'Split', pattern: 1, behavior: 'Isolated' }),
    'corrupt',
    /expected \{"String"/,
  ],
  'an unknown post-processor': [
    (f) => (f.post_processor = { type: 'X' }),
    'unsupported',
    /"post_processor" is "X"/,
  ],
  'a template that names no token': [
    (f) =>
      (f.post_processor = {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: 'x' } }],
        special_tokens: {},
      }),
    'corrupt',
    /expected sequence A or one of "special_tokens"/,
  ],
  'a template with an id that is none': [
    (f) =>
      (f.post_processor = {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: 'x' } }],
        special_tokens: { x: { ids: ['y'] } },
      }),
    'corrupt',
    /"post_processor.special_tokens.x" is "y", expected an id/,
  ],
  'a template with an id outside the vocabulary': [
    (f) => (f.post_processor = { type: 'BertProcessing', sep: ['x', 99], cls: ['x', 99] }),
    'corrupt',
    /"post_processor" adds id 99/,
  ],
  'added tokens of the wrong type': [
    (f) => (f.added_tokens = { a: 1 }),
    'corrupt',
    /"added_tokens" is .*, expected a list/,
  ],
  'an added token without content': [
    (f) => f.added_tokens.push({ id: 9 }),
    'corrupt',
    /"content" is missing, expected a text/,
  ],
  'an added token without id': [
    (f) => f.added_tokens.push({ content: 'x' }),
    'corrupt',
    /"added_tokens\[0\].id" is missing/,
  ],
  'an added token with a huge id': [
    (f) => f.added_tokens.push({ content: 'x', id: 4e9 }),
    'corrupt',
    /is 4000000000, expected a whole number/,
  ],
  'an added token with the id of another': [
    (f) => f.added_tokens.push({ content: 'x', id: 1 }),
    'corrupt',
    /gives id 1 to "x", expected "b"/,
  ],
  'an added token with half a surrogate pair': [
    (f) => f.added_tokens.push({ content: '\ud83d', id: 9 }),
    'corrupt',
    /surrogate/,
  ],
  'an added token that is a novel': [
    (f) => f.added_tokens.push({ content: 'x'.repeat(5000), id: 9 }),
    'unsupported',
    /is 5000 characters, expected at most/,
  ],
  'an unknown version': [(f) => (f.version = '2.0'), 'unsupported', /"version" is "2.0", expected "1.0"/],
};

describe('a file is refused with', () => {
  test.each(Object.keys(cases))('%s', (name) => {
    const [change, code, message] = cases[name];
    const file = tiny();
    change(file);
    expect(errorOf(file)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([
    ['nothing in it', ''],
    ['a token that stands twice', '{"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}}'],
    ['text after its end', `${text} x`],
    ['a comma too many', text.replace('{"version"', '{,"version"')],
    ['an escape that is none', text.replace('"version"', '"ver\\qion"')],
    ['a line break in a token', text.replace('"vocab":{"!"', '"vocab":{"\n"')],
    ['half a surrogate pair in a token', text.replace('"vocab":{"!"', '"vocab":{"\\ud800"')],
    ['an id with a leading zero', text.replace('"vocab":{"!":0', '"vocab":{"!":00')],
    ['a pointer of git-lfs', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'],
  ])('%s', (_, broken) => {
    expect(errorOf(broken)).toMatchObject({ code: 'corrupt' });
  });

  test('bytes that are no UTF-8', () => {
    const broken = Uint8Array.from(bytes);
    broken[text.indexOf('Ġ')] = 0xff;
    expect(errorOf(broken)).toMatchObject({ code: 'corrupt', message: expect.stringContaining('UTF-8') });
  });
});

test('what cannot be encoded with still names its tokens', () => {
  const tokenizer = openBytes(changed((file) => (file.model.dropout = 0.5)));
  expect(tokenizer.tokenOf(tokenizer.idOf('<|eot_id|>') as number)).toBe('<|eot_id|>');
  expect(tokenizer.vocabSize).toBe(openBytes(text).vocabSize);
  expect(() => tokenizer.encode('a')).toThrow(/dropout/);
});

test('what cannot be decoded with encodes, and says so when it decodes', () => {
  const tokenizer = openBytes(changed((file) => (file.decoder = { type: 'X' })));
  expect(tokenizer.encode('a').length).toBeGreaterThan(0);
  expect(() => tokenizer.decodeBytes([0])).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('"decoder" is "X"') }),
  );
});

test('members may stand in any order, and white space anywhere', () => {
  const sorted = (value: FileJson): FileJson =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .map((key) => [key, sorted(value[key])]),
        )
      : value;
  const ids = openBytes(text)
    .encode('Hello world')
    .map((token) => token.id);
  for (const file of [
    JSON.stringify(sorted(JSON.parse(text))),
    JSON.stringify(JSON.parse(text), null, '\t'),
  ]) {
    expect(
      openBytes(file)
        .encode('Hello world')
        .map((token) => token.id),
    ).toEqual(ids);
  }
  const escaped = text.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  expect(
    openBytes(escaped)
      .encode('né ')
      .map((token) => token.id),
  ).toEqual(
    openBytes(text)
      .encode('né ')
      .map((token) => token.id),
  );
});

test('merges may be lines or pairs, and a version line is none', () => {
  const lines = changed(
    (file) =>
      (file.model.merges = ['#version: 0.2', ...file.model.merges.map((pair: string[]) => pair.join(' '))]),
  );
  const sample = 'Embeddings are rows of a table';
  expect(openBytes(lines).encode(sample)).toEqual(openBytes(text).encode(sample));
});

test('added tokens of tokenizer_config.json count where tokenizer.json lacks them', () => {
  const config = {
    added_tokens_decoder: {
      '1': { content: 'b', special: true },
      '2': { content: 'stale', special: true },
      '7': { content: '<new>', special: true, lstrip: true },
    },
  };
  const tokenizer = openBytes(tiny(), config);
  expect(
    tokenizer.encode('ab <new>b').map(({ id, start, end, special }) => [id, start, end, special]),
  ).toEqual([
    [0, 0, 1, false],
    [1, 1, 2, true],
    [7, 2, 8, true],
    [1, 8, 9, true],
  ]);
  expect(tokenizer.vocabSize).toBe(8);
  expect(tokenizer.idOf('stale')).toBeUndefined();
});

/** Where emb reads on purpose what Hugging Face's reader does not, or otherwise. */
const knownDivergences: Record<
  string,
  { reason: string; change: (file: FileJson) => void; theirs: string | number }
> = {
  'missing flags of added tokens': {
    reason: 'files of other writers (swift-transformers) leave them out; false is what they mean',
    change: (file) => (file.added_tokens = [{ id: 3, content: '<s>' }]),
    theirs: 'single_word',
  },
  'an added token numbered past the vocabulary': {
    reason: 'Hugging Face ignores the number and counts on; the table is indexed by the number in the file',
    change: (file) =>
      (file.added_tokens = [
        {
          id: 9,
          content: '<s>',
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ]),
    theirs: 3,
  },
};

test.each(Object.keys(knownDivergences))('%s: emb differs from Hugging Face', (name) => {
  const file = {
    ...tiny(),
    truncation: null,
    padding: null,
    normalizer: null,
    post_processor: null,
    decoder: null,
  };
  const { change, theirs } = knownDivergences[name];
  change(file);
  expect(openBytes(file).idOf('<s>')).toBe(file.added_tokens[0].id);
  if (typeof theirs === 'string') expect(() => openOracle(file)).toThrow(theirs);
  else expect(openOracle(file).tokenToId('<s>')).toBe(theirs);
});

test('an empty vocabulary opens', () => {
  const file = tiny();
  file.model = { type: 'BPE', vocab: {}, merges: [] };
  const tokenizer = openBytes(file);
  expect(tokenizer.vocabSize).toBe(0);
  expect(tokenizer.encode('abc')).toEqual([]);
});
