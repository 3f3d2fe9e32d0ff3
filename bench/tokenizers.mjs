// Tokenizers of every kind from files, 10 MB on one thread, each run in a fresh process, against Hugging Face's Rust tokenizers from npm, and where
// python3 has them against the wheels `tokenizers`, `tiktoken` and `sentencepiece`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { englishText, mixedText } from './corpus.mjs';
import { report } from './processes.mjs';
import { patterns, tokenizerJson } from './tokenize.mjs';
import { vocabularies } from './vocabularies.mjs';

const megabyte = 1_000_000;
const python = process.env.PYTHON ?? 'python3';

/** File, what it is, times as fast as the package from npm that it shall be, and the wheels to compare with. */
const kinds = [
  ['bytes.json', 'byte-level pairs (GPT-2)', 25, ['tokenizers']],
  ['cl100k.json', 'byte-level pairs (cl100k_base)', 25, ['tiktoken']],
  ['characters.json', 'character-level pairs', 25, ['tokenizers']],
  ['wordpiece.json', 'WordPiece', 15, ['tokenizers']],
  ['unigram.json', 'Unigram', 8, ['tokenizers']],
  ['pairs.model', 'SentencePiece .model, pairs, by lines', undefined, ['sentencepiece']],
  ['unigram.model', 'SentencePiece .model, Unigram, by lines', undefined, ['sentencepiece']],
];

/** These take long texts as they come; the others get 1 MB: they neither warm up nor keep pace. */
const long = new Set(['tiktoken', 'sentencepiece']);

const timeOne = (library, model, text) =>
  JSON.parse(
    execFileSync(process.execPath, ['bench/tokenizers-one.mjs', library, model, text], { encoding: 'utf8' }),
  );

/** undefined where there is no such wheel. */
function timeWheel(library, model, text) {
  const run = spawnSync(python, ['bench/tokenizers_python.py', library, model, text], { encoding: 'utf8' });
  return run.status === 0 ? JSON.parse(run.stdout) : undefined;
}

const speed = ({ bytes, ms }) => bytes / ms / 1000;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function writeModels(work) {
  const { openRanks } = await import('../dist/lib/tokenizers/tiktoken-encodings.js');
  const { RankBytes } = await import('../dist/lib/tokenizers/ranks-bytes.js');
  for (const [file, make] of Object.entries(vocabularies)) writeFileSync(join(work, file), await make());
  writeFileSync(join(work, 'bytes.json'), await tokenizerJson('gpt2'));
  writeFileSync(join(work, 'cl100k.json'), await tokenizerJson('cl100k_base'));
  const ranks = await openRanks('cl100k_base');
  const spelled = new RankBytes(ranks);
  const lines = [];
  for (let id = 0; id <= ranks.highest; id++) {
    const bytes = spelled.of(id);
    if (bytes !== undefined) lines.push(`${Buffer.from(bytes).toString('base64')} ${id}\n`);
  }
  writeFileSync(join(work, 'cl100k.json.ranks'), lines.join(''));
  writeFileSync(join(work, 'cl100k.json.ranks.pattern'), patterns.cl100k_base);
}

/** Every library in turn, round by round; ids must be emb's. */
function compare([file, title, goal, wheels], name, model, paths, rounds) {
  const own = [];
  const npm = file.endsWith('.model') ? [] : ['tokenizers'];
  const others = [
    ...npm.map((library) => ({ label: `${library}, npm`, library, time: timeOne, ratios: [] })),
    ...wheels.map((library) => ({ label: `${library}, wheel`, library, time: timeWheel, ratios: [] })),
  ];
  const short = timeOne('emb', model, paths.short);
  for (let round = 0; round < rounds; round++) {
    const ours = timeOne('emb', model, paths.long);
    own.push(ours);
    for (const { label, library, time, ratios } of others) {
      const isLong = long.has(library);
      const ranks = library === 'tiktoken' ? `${model}.ranks` : model;
      const theirs = time(library, ranks, isLong ? paths.long : paths.short);
      if (theirs === undefined) continue;
      if (theirs.ids !== (isLong ? ours : short).ids) {
        throw new Error(`${label} gives ${theirs.count} other ids of ${file} for ${name}`);
      }
      ratios.push(speed(ours) / speed(theirs));
    }
  }
  const times = own.map(({ ms }) => ms);
  return [
    {
      name: `${title}, ${name}`,
      measured: `${median(own.map(speed)).toFixed(1)} MB/s`,
      median: median(times),
      least: Math.min(...times),
    },
    ...others
      .filter(({ ratios }) => ratios.length > 0)
      .map(({ label, time, ratios }) => ({
        name: `against ${label}`,
        goal: time === timeWheel ? '>= 2 x' : goal && `>= ${goal} x`,
        measured: `${median(ratios).toFixed(1)} x`,
      })),
  ];
}

export async function run(rounds = 3) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    await writeModels(work);
    const rows = [];
    for (const [name, text] of [
      ['English', englishText(10 * megabyte)],
      ['mixed scripts', mixedText(10 * megabyte)],
    ]) {
      const paths = { long: join(work, 'long.txt'), short: join(work, 'short.txt') };
      writeFileSync(paths.long, text);
      writeFileSync(
        paths.short,
        text.slice(0, Math.floor((text.length * megabyte) / Buffer.byteLength(text))),
      );
      for (const kind of kinds) rows.push(...compare(kind, name, join(work, kind[0]), paths, rounds));
    }
    return report('Other tokenizers, 10 MB, one thread, cold (ids identical)', rows);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
