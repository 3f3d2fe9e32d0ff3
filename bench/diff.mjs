// emb diff of two GPT-2 sized tables, and emb doctor of one, as whole processes, against a process that only reads both files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { peakMemory, report, timeProcesses } from './processes.mjs';
import { writeTables } from './tables.mjs';

const emb = resolve('bin', 'emb.js');
const node = process.execPath;

/** Reads whole files in pieces of 1 MiB. */
const reading = `const { openSync, readSync } = require('node:fs');
const buffer = Buffer.alloc(1 << 20);
for (const path of process.argv.slice(1)) for (const file = openSync(path); readSync(file, buffer) > 0; );`;

export async function run(rounds = 11) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const path = (name) => join(work, `${name}.safetensors`);
    const write = (name, shape, mean) => writeTables(path(name), ['wte.weight'], shape, mean);
    write('a', [50_257, 768]);
    write('same', [50_257, 768]);
    write('changed', [50_257, 768], 1e-3);
    write('long', [128_256, 64]);
    write('longer', [128_256, 64], 1e-3);
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
