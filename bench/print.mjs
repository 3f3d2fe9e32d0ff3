// Printing 10,000 x 768 float32 into a pipe, whole processes: against what one would write in a line of JavaScript or Python.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { report, timeProcesses } from './processes.mjs';

const rows = 10_000;
const dim = 768;
const emb = resolve('bin', 'emb.js');
const python = process.env.PYTHON ?? 'python3';

/** Normal values around 0 as an embedding has them, the same in every run. */
function values() {
  const table = new Float32Array(rows * dim);
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let index = 0; index < table.length; index++) {
    table[index] = 0.1 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  }
  return table;
}

function writeTable(path) {
  const data = values();
  const entry = { dtype: 'F32', shape: [rows, dim], data_offsets: [0, data.byteLength] };
  const header = Buffer.from(JSON.stringify({ 'wte.weight': entry }).padEnd(120));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, Buffer.from(data.buffer)]));
  return path;
}

/** Reads the same file, then prints each row with `expression`. */
function naive(path, expression) {
  const script = `const bytes = require('fs').readFileSync(process.argv[1]);
    const start = 8 + Number(bytes.readBigUInt64LE());
    const table = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
    let text = '';
    for (let at = 0; at < table.length; at += ${dim}) {
      const row = Array.from(table.subarray(at, at + ${dim}));
      text += ${expression} + '\\n';
      if (text.length > 1e6) { require('fs').writeSync(1, text); text = ''; }
    }
    require('fs').writeSync(1, text);`;
  return [process.execPath, '-e', script, path];
}

function numpy(path) {
  const script = `import sys, numpy as np
data = open(sys.argv[1], 'rb').read()
start = 8 + int.from_bytes(data[:8], 'little')
np.save(sys.stdout.buffer, np.frombuffer(data, '<f4', offset=start).reshape(${rows}, ${dim}))`;
  return [python, '-c', script, path];
}

/** A pipeline into cat: what a shell does, and no reader slows it down. */
function piped(name, words) {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return { name, command: 'sh', args: ['-c', `{ ${quoted} || kill $$; } | cat > /dev/null`] };
}

function compare(title, goal, reference, cases, rounds) {
  const times = timeProcesses([reference, ...cases], rounds);
  return times.map((time, index) => ({
    ...time,
    goal: index === 0 ? '' : `<= ${goal} x`,
    measured: index === 0 ? title : `${time.ratio.toFixed(2)} x`,
  }));
}

export async function run(rounds = 7) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const table = writeTable(join(work, 'table.safetensors'));
    const print = (format) =>
      piped(`emb embed -f ${format}`, [
        process.execPath,
        emb,
        'embed',
        '-m',
        table,
        '--ids',
        `0-${rows - 1}`,
        '-f',
        format,
      ]);
    const found = [
      ...compare('1', 0.4, piped("row.join(',')", naive(table, "row.join(',')")), [print('csv')], rounds),
      ...compare(
        '1',
        0.4,
        piped('JSON.stringify(row)', naive(table, 'JSON.stringify(row)')),
        [print('jsonl')],
        rounds,
      ),
    ];
    if (spawnSync(python, ['-c', 'import numpy']).status === 0) {
      found.push(...compare('1', 1.2, piped('np.save', numpy(table)), [print('npy')], rounds * 2));
    } else found.push({ name: 'npy against NumPy', goal: '<= 1.2 x', measured: 'no python3 with NumPy' });
    return report(`${rows.toLocaleString('en-US')} x ${dim} float32 into a pipe`, found);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
