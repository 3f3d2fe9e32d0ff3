// Tokenizers of every kind, as large as real ones, made from o200k_base: what it lists as text becomes pieces in the order of its ranks.

/** How many merges Llama 2 has; WordPiece and Unigram get about as many pieces as multilingual BERT and XLM-R's smaller relatives. */
const merges = 31_000;
const pieces = 60_000;

const spaced = (text) => text.replaceAll(' ', '▁');

/** Entries of o200k_base that are whole characters, and its merges among them. Spaces stand first or alone, as in all word pieces. */
async function textEntries() {
  const { openRanks } = await import('../dist/lib/tokenizers/tiktoken-encodings.js');
  const { RankBytes } = await import('../dist/lib/tokenizers/ranks-bytes.js');
  const ranks = await openRanks('o200k_base');
  const spelled = new RankBytes(ranks);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const texts = new Map();
  for (let id = 0; id <= ranks.highest; id++) {
    try {
      const text = decoder.decode(spelled.of(id));
      if (/^ *[^ \p{Cc}\ufeff]*$/u.test(text) && text !== '') texts.set(id, text);
    } catch {
      // A part of a character.
    }
  }
  return { texts, list: ranks.list() };
}

/** Every character of the entries. */
const charactersOf = (texts) => [...new Set([...texts].join(''))].sort();

const byteNames = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

const shell = (parts) =>
  JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
  });

/** The pieces of Llama 2's order, and the pairs that make them. */
async function characterMerges() {
  const { texts, list } = await textEntries();
  const pairs = [];
  const made = new Set();
  const byRank = [...list.merged.keys()].sort((a, b) => list.merged[a] - list.merged[b]);
  for (const at of byRank) {
    const id = list.merged[at];
    const [left, right] = [texts.get(list.lefts[at]), texts.get(list.rights[at])];
    if (!texts.has(id) || left === undefined || right === undefined) continue;
    const isKnown = (text) => [...text].length === 1 || made.has(text);
    if (!isKnown(left) || !isKnown(right)) continue;
    made.add(texts.get(id));
    pairs.push([spaced(left), spaced(right)]);
    if (pairs.length === merges) break;
  }
  const characters = charactersOf(pairs.flat()).filter((each) => each !== '▁');
  const names = [
    '<unk>',
    '<s>',
    '</s>',
    ...byteNames,
    ...[...made].map(spaced),
    '▁',
    ...characters.filter((each) => !made.has(each)),
  ];
  return { pairs, names: [...new Set(names)] };
}

/** Byte pairs over characters with a normalizer and nothing that cuts, as Llama 2 and Gemma have it. */
async function characterJson() {
  const { pairs, names } = await characterMerges();
  return shell({
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: pairs,
    },
  });
}

/** BERT's, uncased. */
async function wordPieceJson() {
  const { texts } = await textEntries();
  const characters = charactersOf(texts.values());
  const names = new Set(['[PAD]', '[UNK]']);
  for (const each of characters) {
    for (const letter of each.toLowerCase().normalize('NFD')) names.add(letter).add(`##${letter}`);
  }
  for (const text of texts.values()) {
    if (names.size >= pieces) break;
    const word = text
      .trimStart()
      .toLowerCase()
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '');
    if (/^[\p{L}\p{N}]+$/u.test(word)) names.add(text.startsWith(' ') ? word : `##${word}`);
  }
  return shell({
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries([...names].map((name, id) => [name, id])),
    },
  });
}

/** Pieces with scores, best first. */
async function scoredPieces() {
  const { texts } = await textEntries();
  const names = new Set(['<unk>', '▁']);
  for (const text of texts.values()) if (names.size < pieces) names.add(spaced(text.normalize('NFKC')));
  for (const each of charactersOf(texts.values())) names.add(spaced(each.normalize('NFKC')));
  return [...names].map((name, rank) => [name, rank === 0 ? 0 : -Math.log((rank + 10) * 10)]);
}

/** As ALBERT's and T5's, but for their table of characters. */
async function unigramJson() {
  return shell({
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Nmt' },
        { type: 'NFKC' },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 0,
      byte_fallback: false,
      vocab: await scoredPieces(),
    },
  });
}

const varint = (value) => {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
};
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const message = (field, ...parts) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const float = (field, value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
};

/** The same pieces as a SentencePiece .model of type bpe, as Llama 2 has it. */
async function sentencePieceModel() {
  const { names } = await characterMerges();
  const types = { '<unk>': 2, '<s>': 3, '</s>': 3 };
  return Buffer.concat([
    ...names.map((name, id) =>
      message(
        1,
        message(1, name),
        float(2, id < 259 ? 0 : 259 - id),
        number(3, types[name] ?? (id < 259 ? 6 : 1)),
      ),
    ),
    message(2, number(3, 2), number(35, 1), number(40, 0), number(41, 1), number(42, 2)),
    message(3, message(1, 'identity'), number(3, 1), number(4, 0), number(5, 1)),
  ]);
}

/** The same pieces as a SentencePiece .model of type unigram; characters stay as they are. */
async function unigramModel() {
  const scored = await scoredPieces();
  return Buffer.concat([
    ...scored.map(([name, score], id) =>
      message(1, message(1, name), float(2, score), number(3, id === 0 ? 2 : 1)),
    ),
    message(2, number(3, 1), number(40, 0)),
    message(3, message(1, 'identity'), number(3, 1), number(4, 1), number(5, 1)),
  ]);
}

/** The bytes of a tokenizer of each kind. */
export const vocabularies = {
  'characters.json': characterJson,
  'wordpiece.json': wordPieceJson,
  'unigram.json': unigramJson,
  'pairs.model': sentencePieceModel,
  'unigram.model': unigramModel,
};
