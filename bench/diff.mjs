// emb diff of two GPT-2 sized tables, and emb doctor of one, as whole processes, against a process that only reads both files.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const node = process.execPath;

/** Reads whole files in pieces of 1 MiB. */
const reading = `const { openSync, readSync } = require('node:fs');
const buffer = Buffer.alloc(1 << 20);
for (const path of process.argv.slice(1)) for (const file = openSync(path); readSync(file, buffer) > 0; );`;

/** A safetensors file of one table of normal-looking values; every value moved by `shift`. */
function writeTable(path, rows, dim, shift) {
  const header = JSON.stringify({
    'wte.weight': { dtype: 'F32', shape: [rows, dim], data_offsets: [0, rows * dim * 4] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 64) * 64 - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, padded]));
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  // A pool of values that every row starts in at another place.
  const pool = Float32Array.from(
    { length: 1 << 20 },
    () => (uniform() + uniform() + uniform() - 1.5) * 0.3 + shift,
  );
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(uniform() * (pool.length - dim));
    writeSync(file, new Uint8Array(pool.buffer, start * 4, dim * 4));
  }
  closeSync(file);
}

export async function run(rounds = 11) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const path = (name) => join(work, `${name}.safetensors`);
    writeTable(path('a'), 50_257, 768, 0);
    writeTable(path('same'), 50_257, 768, 0);
    writeTable(path('changed'), 50_257, 768, 1e-3);
    writeTable(path('long'), 128_256, 64, 0);
    writeTable(path('longer'), 128_256, 64, 1e-3);
    writeFileSync(join(work, 'read.cjs'), reading.replace('slice(1)', 'slice(2)'));
    const diff = (b, ...more) => [emb, 'diff', path('a'), path(b), '-q', ...more];
    const cases = [
      {
        name: 'node: only reading both files',
        command: node,
        args: [join(work, 'read.cjs'), path('a'), path('same')],
      },
      { name: 'emb diff, every row changed', command: node, args: diff('changed'), goal: '<= 3 x reading' },
      { name: 'emb diff, no row changed', command: node, args: diff('same'), goal: '<= 3 x reading' },
      { name: 'emb diff --quant, 256 rows looked up', command: node, args: diff('changed', '--quant') },
      { name: 'emb doctor of one', command: node, args: [emb, 'doctor', path('a'), '-q'] },
    ];
    const measured = timeProcesses(cases, rounds).map((row, index) => ({
      ...row,
      goal: cases[index].goal,
      measured: `${row.ratio.toFixed(2)} x`,
    }));
    const memories = [
      ['every row changed', diff('changed')],
      ['--quant', diff('changed', '--quant')],
      [
        '128,256 rows of 64 changed, --all',
        [emb, 'diff', path('long'), path('longer'), '-q', '--all', '-f', 'jsonl'],
      ],
      ['doctor', [emb, 'doctor', path('a'), '-q']],
    ];
    for (const [name, args] of memories) {
      const memory = peakMemory(node, args);
      if (memory !== undefined)
        measured.push({
          name: `peak memory, ${name}`,
          goal: '<= 120 MB',
          measured: `${memory.toFixed(0)} MB`,
        });
    }
    return report('Diff: two tables of 50,257 x 768 f32', measured);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
