// Tokenizing 10 MB on one thread, each run in a fresh process, against gpt-tokenizer, tiktoken (wasm) and Hugging Face's Rust tokenizers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { englishText, mixedText } from './corpus.mjs';
import { report } from './processes.mjs';

const megabyte = 1_000_000;
const encodings = ['gpt2', 'cl100k_base', 'o200k_base'];
/** Least times as fast as each. tokenizers gets 1 MB: it neither warms up nor keeps pace. */
const goals = {
  'gpt-tokenizer': { gpt2: 6, cl100k_base: 4, o200k_base: 4 },
  tiktoken: {},
  tokenizers: { gpt2: 25, cl100k_base: 15, o200k_base: 15 },
};

export const patterns = {
  cl100k_base:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  o200k_base: [
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    '\\p{N}{1,3}',
    ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
    '\\s*[\\r\\n]+',
    '\\s+(?!\\S)',
    '\\s+',
  ].join('|'),
};

/** The encoding as a tokenizer.json, for the Rust package. */
export async function tokenizerJson(encoding) {
  const { openRanks } = await import('../dist/lib/tokenizers/tiktoken-encodings.js');
  const { RankBytes, gpt2ByteOrder } = await import('../dist/lib/tokenizers/ranks-bytes.js');
  const ranks = await openRanks(encoding);
  const spelled = new RankBytes(ranks);
  // GPT-2's alphabet: the 188 printable bytes stand for themselves, the others for U+0100 and on.
  const letters = [];
  gpt2ByteOrder.forEach((byte, id) => {
    letters[byte] = String.fromCharCode(id < 188 ? byte : 256 + id - 188);
  });
  const vocab = {};
  const pieces = [];
  for (let id = 0; id <= ranks.highest; id++) {
    const bytes = spelled.of(id);
    if (bytes === undefined) continue;
    pieces[id] = Array.from(bytes, (byte) => letters[byte]).join('');
    vocab[pieces[id]] = id;
  }
  const { lefts, rights, merged } = ranks.list();
  const merges = Array.from(merged.keys())
    .sort((a, b) => merged[a] - merged[b])
    .map((i) => [pieces[lefts[i]], pieces[rights[i]]]);
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: encoding === 'gpt2',
  };
  const split = {
    type: 'Split',
    pattern: { Regex: patterns[encoding] },
    behavior: 'Isolated',
    invert: false,
  };
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: encoding === 'gpt2' ? byteLevel : { type: 'Sequence', pretokenizers: [split, byteLevel] },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  });
}

function timeOne(...args) {
  return JSON.parse(
    execFileSync(process.execPath, ['bench/tokenize-one.mjs', ...args], { encoding: 'utf8' }),
  );
}

const speed = ({ bytes, ms }) => bytes / ms / 1000;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Every library in turn, round by round; ids must be emb's. */
function compare(encoding, name, paths, json, rounds) {
  const libraries = Object.keys(goals);
  const own = [];
  const ratios = Object.fromEntries(libraries.map((library) => [library, []]));
  const short = timeOne('emb', encoding, paths.short);
  for (let round = 0; round < rounds; round++) {
    const ours = timeOne('emb', encoding, paths.long);
    own.push(ours);
    for (const library of libraries) {
      // No goal hangs on it, and it is slow.
      if (library === 'tiktoken' && round > 0) continue;
      const isShort = library === 'tokenizers';
      const theirs = timeOne(library, encoding, isShort ? paths.short : paths.long, json);
      if (theirs.ids !== (isShort ? short : ours).ids) {
        throw new Error(`${library} gives ${theirs.count} other ids of ${encoding} for ${name}`);
      }
      ratios[library].push(speed(ours) / speed(theirs));
    }
  }
  const times = own.map(({ ms }) => ms);
  return [
    {
      name: `${encoding}, ${name}`,
      measured: `${median(own.map(speed)).toFixed(1)} MB/s`,
      median: median(times),
      least: Math.min(...times),
    },
    ...libraries.map((library) => ({
      name: `against ${library}`,
      goal: goals[library][encoding] ? `>= ${goals[library][encoding]} x` : '',
      measured: `${median(ratios[library]).toFixed(1)} x`,
    })),
  ];
}

export async function run(rounds = 3) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const rows = [];
    const texts = {
      'English, 10 MB': englishText(10 * megabyte),
      'mixed scripts, 10 MB': mixedText(10 * megabyte),
    };
    for (const [name, text] of Object.entries(texts)) {
      const paths = { long: join(work, 'long.txt'), short: join(work, 'short.txt') };
      writeFileSync(paths.long, text);
      writeFileSync(
        paths.short,
        text.slice(0, Math.floor((text.length * megabyte) / Buffer.byteLength(text))),
      );
      for (const encoding of encodings) {
        const json = join(work, `${encoding}.json`);
        writeFileSync(json, await tokenizerJson(encoding));
        rows.push(...compare(encoding, name, paths, json, rounds));
      }
    }
    return report('Tokenizing, one thread, cold (ids identical)', rows);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
