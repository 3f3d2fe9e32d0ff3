// Whole processes against `node -e 0`: what a shell user waits for.
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeGguf } from './gguf.mjs';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const world = resolve(process.env.EMB_WORLD ?? join('..', 'shared', 'world'));

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
    const tokenizer = join(world, 'pykeio+ort', 'gpt2', 'tokenizer.json');
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
    if (existsSync(tokenizer)) {
      cases.push({
        name: 'two rows of 4 GB by text, GPT-2 tokenizer.json',
        goal: 1.7,
        args: [emb, 'embed', '-m', large, '--tokenizer', tokenizer, 'Hello world', '-f', 'f32'],
      });
      cases.push({
        name: 'emb tokenize, GPT-2 tokenizer.json',
        goal: 1.7,
        args: [emb, 'tokenize', '-m', tokenizer, 'Hello world'],
      });
    }
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
