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

/** Chunk → the largest cache that any line gave: it holds the most functions. Ranks are one long string: nothing to compile. */
export function keepCode(folder) {
  const work = mkdtempSync(join(tmpdir(), 'emb-code-'));
  try {
    const largest = new Map();
    for (const [index, line] of lines.entries()) {
      const into = join(work, String(index));
      const run = spawnSync(process.execPath, ['scripts/record-code.cjs', into, ...line], {
        stdio: ['ignore', 'ignore', 'pipe'],
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
