// emb neighbors of tables of two sizes against node -e 0 and NumPy, as whole processes; and without start-up.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { timeScans } from './neighbors-scans.mjs';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const python = process.env.PYTHON ?? 'python3';
const script = resolve('bench', 'neighbors_numpy.py');
const node = process.execPath;

/** Whole processes: goals against node -e 0 and against NumPy. */
const tables = [
  { rows: 50_257, dim: 768, dtype: 'f32', node: 1.6, numpy: 0.9 },
  { rows: 128_256, dim: 4096, dtype: 'bf16', node: 3.3, numpy: 0.2 },
];

/** A safetensors file of normal values; returns the offset of its weights. */
function writeTable(path, { rows, dim, dtype }) {
  const width = dtype === 'f32' ? 4 : 2;
  const header = JSON.stringify({
    'wte.weight': { dtype: dtype.toUpperCase(), shape: [rows, dim], data_offsets: [0, rows * dim * width] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 64) * 64 - 8));
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
  // A pool of values that every row starts in at another place: filling a gigabyte takes a second then.
  const pool = Float32Array.from({ length: 1 << 20 }, () => (uniform() + uniform() + uniform() - 1.5) * 0.3);
  const bits = new Uint32Array(pool.buffer);
  const stored = dtype === 'f32' ? pool : Uint16Array.from(bits, (value) => value >>> 16);
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(uniform() * (pool.length - dim));
    writeSync(file, new Uint8Array(stored.buffer, start * width, dim * width));
  }
  closeSync(file);
  return 8 + padded.length;
}

const hasNumpy = spawnSync(python, ['-c', 'import numpy']).status === 0;

function wholeProcesses(table, path, offset, rounds) {
  const { rows, dim, dtype } = table;
  const command = [emb, 'neighbors', '-m', path, '--ids', '1000', '-q', '-f', 'ids', '--keep-self'];
  const size = (statSync(path).size / 1e6).toFixed(0);
  const numpy = (how) => [script, path, offset, rows, dim, dtype, how].map(String);
  const cases = [
    { name: 'node -e 0', command: node, args: ['-e', '0'] },
    { name: 'emb neighbors', command: node, args: command },
    { name: 'emb neighbors --threads 1', command: node, args: [...command, '--threads', '1'] },
    ...(hasNumpy
      ? [
          { name: 'NumPy, memmap, as one writes it', command: python, args: numpy('whole') },
          { name: 'NumPy, memmap, in blocks', command: python, args: numpy('blocked') },
        ]
      : []),
  ];
  if (hasNumpy) {
    const ours = String(spawnSync(node, command).stdout).trim().split(/\s+/);
    const theirs = String(spawnSync(python, numpy('blocked')).stdout)
      .trim()
      .split(/\s+/);
    if (ours.join() !== theirs.join()) throw new Error(`answers differ: ${ours} and ${theirs}`);
  }
  const measured = timeProcesses(cases, rounds).map((row) => ({
    ...row,
    measured: `${row.ratio.toFixed(2)} x`,
  }));
  measured[1].goal = `<= ${table.node} x`;
  if (hasNumpy) {
    for (const [name, index] of [
      ['emb neighbors / NumPy as one writes it', 3],
      ['emb neighbors / NumPy in blocks', 4],
    ]) {
      const ratio = measured[1].against(index).toFixed(2);
      measured.push({ name, goal: index === 3 ? `<= ${table.numpy}` : '', measured: ratio });
    }
  }
  const memory = peakMemory(node, command);
  if (memory !== undefined)
    measured.push({ name: 'peak memory', goal: '<= 120 MB', measured: `${memory.toFixed(0)} MB` });
  return report(
    `Scans: ten nearest of one row, ${rows.toLocaleString('en-US')} x ${dim} ${dtype}, ${size} MB`,
    measured,
  );
}

export async function run(rounds = 11) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const reports = [];
    for (const table of tables) {
      const path = join(work, `${table.dtype}.safetensors`);
      const offset = writeTable(path, table);
      reports.push(wholeProcesses(table, path, offset, rounds));
      if (table !== tables[0]) continue;
      const halves = { ...table, dtype: 'bf16' };
      const halvesPath = join(work, 'halves.safetensors');
      writeTable(halvesPath, halves);
      const numpy = hasNumpy ? [python, script] : undefined;
      reports.push(await timeScans([path, halvesPath], [offset, table.rows, table.dim], numpy, rounds));
    }
    return reports.join('\n');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
