// Word vectors as text, 400,000 x 100 as GloVe has them: loading all rows against pandas and gensim, and finding one word against only reading the file.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { report } from './processes.mjs';

const python = process.env.PYTHON ?? 'python3';
const script = resolve('bench', 'words_python.py');
const [rows, dim] = [400_000, 100];
const blockBytes = 1 << 20;

const wordOf = (row) => `${row.toString(36)}_${'aeiou'.slice(0, row % 6)}`;

/** Words of GloVe's lengths and numbers of its digits: -0.038194 and the like. */
function writeVectors(path) {
  const file = openSync(path, 'w');
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  let lines = [];
  for (let row = 0; row < rows; row++) {
    let line = wordOf(row);
    for (let i = 0; i < dim; i++) {
      const value = (uniform() + uniform() + uniform() + uniform() - 2) * 0.7;
      line += ` ${Number(value.toPrecision(5))}`;
    }
    lines.push(line);
    if (lines.length === 5000) {
      writeSync(file, `${lines.join('\n')}\n`);
      lines = [];
    }
  }
  closeSync(file);
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function cases(path) {
  const { claimBytes, releaseBytes } = await import('../dist/lib/kernels/arena.js');
  const { openFile } = await import('../dist/lib/bytes/file.js');
  const { openTextVectors } = await import('../dist/lib/formats/text-vectors.js');
  const wanted = Buffer.from(wordOf(250_000));
  return {
    reading: async () => {
      const file = openSync(path);
      const block = claimBytes(blockBytes);
      while (readSync(file, block) > 0);
      releaseBytes(block);
      closeSync(file);
    },
    finding: async () => {
      const file = await openTextVectors(openFile(path));
      const words = await file.vocabulary.open();
      const out = new Float32Array(dim);
      await file.tensors[0].reader().gather(Uint32Array.of(words.idOf(wanted)), out);
      await file.close();
      if (out[0] === 0) throw new Error('no vector');
    },
    loading: async () => {
      const file = await openTextVectors(openFile(path));
      const all = new Float32Array(rows * dim);
      for await (const { start, data } of file.tensors[0].reader().scan()) all.set(data, start * dim);
      await file.close();
      return all;
    },
  };
}

function loadWith(kind, path) {
  const run = spawnSync(python, [script, kind, path], { encoding: 'utf8', maxBuffer: 1 << 24 });
  return run.status === 0 ? JSON.parse(run.stdout) : undefined;
}

/** Rounds of emb's cases; the libraries, which take seconds, run once in every fourth. */
export async function run(rounds = 12) {
  const folder = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const path = join(folder, 'glove.txt');
    writeVectors(path);
    const bytes = statSync(path).size;
    const { reading, finding, loading } = await cases(path);
    const times = { reading: [], finding: [], loading: [], pandas: [], gensim: [] };
    const time = async (name, work) => {
      const start = performance.now();
      await work();
      times[name].push(performance.now() - start);
    };
    const sum = (await loading()).reduce((total, value) => total + value, 0);
    const versions = [];
    for (let round = 0; round < rounds; round++) {
      await time('reading', reading);
      await time('finding', finding);
      await time('loading', loading);
      if (round % 4 !== 0) continue;
      for (const kind of ['pandas', 'gensim']) {
        const loaded = loadWith(kind, path);
        if (loaded === undefined) continue;
        times[kind].push(loaded.ms);
        if (round === 0) versions.push(loaded.version);
        // pandas' default parser may be off by a unit in the last place of a double.
        if (Math.abs(loaded.sum - sum) > 1e-3) throw new Error(`${kind}: sum ${loaded.sum}, expected ${sum}`);
      }
    }
    const row = (name, key, goal, measured) => ({
      name,
      goal,
      measured,
      median: times[key].length > 0 ? median(times[key]) : undefined,
      least: times[key].length > 0 ? Math.min(...times[key]) : undefined,
    });
    const ratio = (a, b) =>
      times[b].length === 0 ? 'missing' : (median(times[b]) / median(times[a])).toFixed(1);
    const speed = (key) => `${(bytes / median(times[key]) / 1000).toFixed(0)} MB/s`;
    return report(
      `Word vectors as text, ${rows} x ${dim}, ${(bytes / 1e6).toFixed(0)} MB (${versions.join('; ')})`,
      [
        row('only reading, readSync', 'reading', '', speed('reading')),
        row(
          'open, find one word, its vector',
          'finding',
          '<= 3 x reading',
          `${(median(times.finding) / median(times.reading)).toFixed(2)} x`,
        ),
        row('open, all rows', 'loading', '', speed('loading')),
        row("pandas' C engine", 'pandas', '>= 4 x emb', `${ratio('loading', 'pandas')} x`),
        row('gensim load_word2vec_format', 'gensim', '>= 8 x emb', `${ratio('loading', 'gensim')} x`),
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
