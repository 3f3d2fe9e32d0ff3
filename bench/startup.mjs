// Whole processes against `node -e 0`: what a shell user waits for.
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { writeGguf } from './gguf.mjs';
import { peakMemory, report, timeProcesses } from './processes.mjs';
import { tokenizerJson } from './tokenize.mjs';

const emb = resolve('bin', 'emb.js');

/** Folder, what its tokenizer.json is, the encoding that it is made from, spaces that it is indented by, times `node -e 0`. */
const tokenizers = [
  ['gpt2', "GPT-2's tokenizer.json, 1.4 MB", 'gpt2', 0, 1.7],
  ['gpt2-indented', 'the same, indented, 2.1 MB', 'gpt2', 2, 1.7],
  [
    'cl100k-splits',
    'one of 100,000 tokens with all 233,000 merges, as Llama 3 has them, 7.1 MB',
    'cl100k_base',
    2,
    3,
  ],
  ['o200k', 'one of 200,000 tokens, indented, 9.7 MB', 'o200k_base', 2, 3],
];

/** All pairs of tokens that make a token, by its id, then by theirs. */
function everySplit(vocab) {
  const ids = new Map(Object.entries(vocab));
  const merges = [];
  for (const piece of [...ids.keys()].sort((a, b) => ids.get(a) - ids.get(b))) {
    const pairs = Array.from(piece, (_, at) => [piece.slice(0, at), piece.slice(at)]);
    const known = pairs.filter(([left, right]) => ids.has(left) && ids.has(right));
    known.sort((a, b) => ids.get(a[0]) - ids.get(b[0]) || ids.get(a[1]) - ids.get(b[1]));
    merges.push(...known);
  }
  return merges;
}

/** Writes the files, with merges as lines. */
async function writeTokenizers(work) {
  for (const [folder, , encoding, indent] of tokenizers) {
    const file = JSON.parse(await tokenizerJson(encoding));
    const merges = folder.endsWith('splits') ? everySplit(file.model.vocab) : file.model.merges;
    file.model.merges = merges.map((pair) => pair.join(' '));
    mkdirSync(join(work, folder));
    writeFileSync(join(work, folder, 'tokenizer.json'), JSON.stringify(file, null, indent));
  }
}

/** The first call finds nothing kept and keeps what it read, the second opens that. */
function tokenizerCases(work, large) {
  const env = (cache) => ({ EMB_CACHE: join(work, cache), EMB_TOKENIZER_CACHE: '1' });
  const emptied = {
    env: env('emptied'),
    before: () => rmSync(join(work, 'emptied'), { recursive: true, force: true }),
  };
  const calls = (name, goal, args) => [
    { name: `${name}, first call`, args: [emb, ...args], ...emptied },
    { name: 'second call', goal, args: [emb, ...args], env: env('kept') },
  ];
  const gpt2 = join(work, 'gpt2', 'tokenizer.json');
  return [
    ...tokenizers.flatMap(([folder, name, , , goal]) =>
      calls(`emb tokenize, ${name}`, goal, ['tokenize', '-m', join(work, folder), 'Hello world']),
    ),
    ...calls('two rows of 4 GB by text, that of GPT-2', 1.7, [
      ...['embed', '-m', large, '--tokenizer', gpt2],
      ...['Hello world', '-f', 'f32'],
    ]),
  ];
}

/** A safetensors file of one F32 table whose data is a hole in the file: its size is real, its blocks are not. */
function sparseTable(path, rows, dim) {
  const header = JSON.stringify({
    'wte.weight': { dtype: 'F32', shape: [rows, dim], data_offsets: [0, rows * dim * 4] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, length);
  writeSync(descriptor, padded);
  ftruncateSync(descriptor, 8 + padded.length + rows * dim * 4);
  closeSync(descriptor);
  return path;
}

export async function run() {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const small = sparseTable(join(work, 'small.safetensors'), 2_560, 4_096);
    const large = sparseTable(join(work, 'large.safetensors'), 262_144, 4_096);
    const gguf = writeGguf(join(work, 'vocabulary.gguf'), 150_000, 1_024);
    const node = process.execPath;
    const cases = [
      { name: 'node -e 0', args: ['-e', '0'] },
      { name: 'emb --version', goal: 1.1, args: [emb, '--version'] },
      {
        name: 'emb params --vocab 50000 --dim 768',
        goal: 1.2,
        args: [emb, 'params', '--vocab', '50000', '--dim', '768'],
      },
      { name: 'emb tokenize "Hello world"', goal: 1.3, args: [emb, 'tokenize', 'Hello world'] },
      {
        name: 'the same, cl100k_base',
        goal: 1.3,
        args: [emb, 'tokenize', '-m', 'cl100k_base', 'Hello world'],
      },
      { name: 'the same, o200k_base', args: [emb, 'tokenize', '-m', 'o200k_base', 'Hello world'] },
      {
        name: 'emb embed "Hello world" --dim 768',
        goal: 1.6,
        args: [emb, 'embed', 'Hello world', '--dim', '768'],
      },
      {
        name: 'two rows by --ids of 40 MB',
        goal: 1.2,
        args: [emb, 'embed', '-m', small, '--ids', '7,1999', '-f', 'f32'],
      },
      {
        name: 'two rows by --ids of 4 GB',
        goal: 1.2,
        args: [emb, 'embed', '-m', large, '--ids', '7,199999', '-f', 'f32'],
      },
      {
        name: '10,000 rows of 4 GB as f32',
        goal: 2,
        args: [emb, 'embed', '-m', large, '--ids', '100000-109999', '-f', 'f32'],
      },
      {
        name: 'two rows by --ids of a GGUF with 150,000 tokens',
        goal: 1.4,
        args: [emb, 'embed', '-m', gguf, '--ids', '7,1999', '-f', 'f32'],
      },
      {
        name: 'the same by text',
        goal: 2.2,
        args: [emb, 'embed', '-m', gguf, 'Hello world', '-f', 'f32'],
      },
    ];
    await writeTokenizers(work);
    cases.push(...tokenizerCases(work, large));
    // A file that changed just now is not kept.
    await setTimeout(2100);
    const times = timeProcesses(cases.map((entry) => ({ ...entry, command: node })));
    const rows = times.map((time, index) => ({
      ...time,
      goal: cases[index].goal ? `<= ${cases[index].goal} x` : '',
      measured: `${time.ratio.toFixed(2)} x`,
    }));
    for (const [name, file, input, goal] of [
      ['40 MB', small, ['--ids', '7,1999'], 65],
      ['4 GB', large, ['--ids', '7,199999'], 65],
      ['the GGUF, by text', gguf, ['Hello world'], 120],
    ]) {
      const memory = peakMemory(node, [emb, 'embed', '-m', file, ...input, '-f', 'f32']);
      rows.push({
        name: `peak memory, two rows of ${name}`,
        goal: `<= ${goal} MB`,
        measured: memory === undefined ? 'no /usr/bin/time' : `${memory.toFixed(1)} MB`,
      });
    }
    return report('Whole processes against `node -e 0`', rows);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
