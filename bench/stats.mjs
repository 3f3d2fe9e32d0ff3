// emb stats of a GPT-2 sized table against only reading the file and against NumPy, as whole processes and without start-up.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const python = process.env.PYTHON ?? 'python3';
const script = resolve('bench', 'stats_numpy.py');
const [rows, dim] = [50_257, 768];
const blockBytes = 1 << 20;

/** Reads a file into page-aligned memory, the fastest way there is from Node; as a program for a process of its own. */
const readerProgram = `
const { openSync, readSync } = require('node:fs');
const memory = new WebAssembly.Memory({ initial: 32, maximum: 32 });
const block = new Uint8Array(memory.buffer, 65536, ${blockBytes});
const file = openSync(process.argv[1]);
while (readSync(file, block) > 0);
`;

/** A safetensors file of normal values; returns the offset of its weights. */
function writeTable(path) {
  const header = JSON.stringify({
    'wte.weight': { dtype: 'F32', shape: [rows, dim], data_offsets: [0, rows * dim * 4] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, 'w');
  writeSync(file, length);
  writeSync(file, padded);
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const block = new Float32Array(dim);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < dim; i++) block[i] = (uniform() + uniform() + uniform() + uniform() - 2) * 0.24;
    writeSync(file, new Uint8Array(block.buffer));
  }
  closeSync(file);
  return 8 + padded.length;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Without start-up: one process, the cases in turn. */
async function timeCalls(path, rounds) {
  const { openModel } = await import('../dist/lib/index.js');
  const { measureTable } = await import('../dist/lib/core/table-stats.js');
  const { claimBytes, releaseBytes } = await import('../dist/lib/kernels/arena.js');
  const model = await openModel(path);
  const table = await model.table();
  const stats = (kernel, countAll) => () => measureTable(table.scan(), { dim, rows, kernel, countAll });
  const cases = [
    {
      name: 'only reading, readSync',
      run: async () => {
        const file = openSync(path);
        const block = claimBytes(blockBytes);
        while (readSync(file, block) > 0);
        releaseBytes(block);
        closeSync(file);
      },
    },
    {
      name: 'only reading, table.scan()',
      run: async () => {
        for await (const _ of table.scan());
      },
    },
    { name: 'stats', run: stats('simd', false) },
    { name: 'stats, every value in the histogram', run: stats('simd', true) },
    { name: 'stats --kernel ts', run: stats('ts', false) },
  ];
  const times = cases.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { run }] of cases.entries()) {
      const started = performance.now();
      await run();
      if (round >= 0) times[index].push(performance.now() - started);
    }
  }
  await model.close();
  return cases.map(({ name }, index) => ({
    name: `${name}, without start-up`,
    median: median(times[index]),
    least: Math.min(...times[index]),
    measured: `${median(times[index].map((time, round) => time / times[0][round])).toFixed(2)} x reading`,
  }));
}

const hasNumpy = () => spawnSync(python, ['-c', 'import numpy']).status === 0;

export async function run() {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const path = join(work, 'table.safetensors');
    const offset = writeTable(path);
    const node = process.execPath;
    const numpy = hasNumpy();
    const command = [emb, 'stats', '-m', path, '-q', '-f', 'json'];
    const processes = timeProcesses([
      { name: 'node: only reading the file', command: node, args: ['-e', readerProgram, path] },
      { name: 'emb stats', command: node, args: command },
      { name: 'emb stats --full-histogram', command: node, args: [...command, '--full-histogram'] },
      ...(numpy
        ? [{ name: 'NumPy, blocked', command: python, args: [script, path, offset, rows, dim].map(String) }]
        : []),
    ]);
    const [, stats] = processes;
    const measured = processes.map((row) => ({ ...row, measured: `${row.ratio.toFixed(2)} x reading` }));
    measured[1].goal = '<= 2 x reading';
    if (numpy) {
      measured.push({
        name: 'emb stats / NumPy',
        goal: '<= 0.6',
        measured: (stats.median / processes[3].median).toFixed(2),
      });
    }
    const memory = peakMemory(node, command);
    if (memory !== undefined) {
      measured.push({
        name: 'emb stats, peak memory',
        goal: '<= 120 MB',
        measured: `${memory.toFixed(0)} MB`,
      });
    }
    const size = (statSync(path).size / 1e6).toFixed(0);
    return report(`stats of ${rows.toLocaleString('en-US')} x ${dim} f32, ${size} MB`, [
      ...measured,
      ...(await timeCalls(path, 15)),
      ...(numpy ? [timeNumpy(path, offset)] : []),
    ]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function timeNumpy(path, offset) {
  const args = [script, path, offset, rows, dim, 12].map(String);
  const run = spawnSync(python, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const times = String(run.stderr).trim().split('\n').slice(1).map(Number);
  return { name: 'NumPy, without start-up', measured: '', median: median(times), least: Math.min(...times) };
}
