// Keeps the machine code of dist/bin/*.cjs in dist/bin/code-cache.bin: runs what people run, then asks V8 for what it compiled.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pageBytes } from '../bin/load.js';

const lines = [
  ['params', '--vocab', '50000', '--dim', '768'],
  ['params', 'gpt2', '-f', 'json'],
  ['tokenize', 'Hello world'],
  ['tokenize', 'Hello world', '-m', 'cl100k_base', '-f', 'jsonl'],
  ['tokenize', 'Hello world', '-m', 'o200k_base', '-f', 'ids'],
  ['embed', 'Hello world', '--dim', '768'],
  ['embed', 'Hello world', '--dim', '768', '-f', 'torch'],
  ['embed', 'Hello world', '--pool', 'mean', '-f', 'jsonl'],
  ['embed', '-m', 'fixtures/model/gpt2-tiny', 'Hello', '-f', 'csv'],
  ['embed', '-m', 'fixtures/model/gpt2-tiny', '--ids', '1,2', '-f', 'f32'],
  ['embed', '-m', 'fixtures/formats/f4-le-C.npy', '--ids', 'all', '-f', 'npy'],
  ['stats', '--vocab', '100', '--dim', '8'],
  ['stats', '-m', 'fixtures/model/gpt2-tiny', '-f', 'json'],
  ['info', 'fixtures/model/gpt2-tiny'],
  ['neighbors', '-m', 'fixtures/model/gpt2-tiny', 'Hello', '-k', '3'],
  ['neighbors', '-m', 'fixtures/model/gpt2-tiny', '--ids', '1', '-f', 'jsonl', '--threads', '2'],
];

/** Milliseconds for which a file must not have changed before emb keeps what it read from it, see src/bytes/side-files.ts. */
const rest = 2100;

/** A tokenizer.json that is large enough for that: GPT-2's parts, and every word of three letters and many of four. */
function writeTokenizer(path) {
  const letters = 'abcdefghijklmnopqrstuvwxyzHĠ'.split('');
  const merges = [];
  const grow = (words) =>
    words.flatMap((word) =>
      letters.map((letter) => {
        merges.push(`${word} ${letter}`);
        return word + letter;
      }),
    );
  const pairs = grow(letters);
  const triples = grow(pairs);
  const words = [...letters, ...pairs, ...triples, ...grow(triples.slice(0, 1000))];
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
  const file = { version: '1.0', added_tokens: [], pre_tokenizer: bytes, decoder: bytes };
  writeFileSync(path, JSON.stringify({ ...file, model: { type: 'BPE', vocab, merges } }));
}

/** Chunk → the largest cache that any line gave: it holds the most functions. Ranks are one long string: nothing to compile. */
export function keepCode(folder) {
  const work = mkdtempSync(join(tmpdir(), 'emb-code-'));
  try {
    const tokenizer = join(work, 'tokenizer.json');
    writeTokenizer(tokenizer);
    const written = Date.now();
    const largest = new Map();
    // The first reads the file and keeps its tables, then opens them: one cache of every chunk has the code of both.
    const others = [
      ['tokenize', 'Hello world', '--compare', `${tokenizer},${tokenizer}`],
      ['tokenize', 'Hello world', '-m', tokenizer],
    ];
    for (const [index, line] of [...lines, ...others].entries()) {
      const into = join(work, String(index));
      if (index >= lines.length) pause(written + rest - Date.now());
      const run = spawnSync(process.execPath, ['scripts/record-code.cjs', into, ...line], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, EMB_CACHE: join(work, 'cache'), EMB_TOKENIZER_CACHE: '1' },
      });
      if (run.status !== 0) throw new Error(`emb ${line.join(' ')}: exit ${run.status}\n${run.stderr}`);
      for (const name of readdirSync(into).filter((chunk) => !chunk.startsWith('ranks-'))) {
        const data = readFileSync(join(into, name));
        if (data.length > (largest.get(name)?.length ?? 0)) largest.set(name, data);
      }
    }
    const ranges = {};
    let end = 0;
    for (const [name, data] of largest) {
      ranges[name] = [end, end + data.length];
      end += data.length;
    }
    const page = Buffer.alloc(pageBytes);
    const index = JSON.stringify({ v8: process.versions.v8, ranges });
    if (index.length >= pageBytes)
      throw new Error(`the index takes ${index.length} bytes, its page has ${pageBytes}`);
    page.write(index, 'latin1');
    writeFileSync(join(folder, 'code-cache.bin'), Buffer.concat([page, ...largest.values()]));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function pause(milliseconds) {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
