// emb audit of GPT-2 sized models, one with one table and one with two, against node -e 0, as whole processes.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const node = process.execPath;
const [rows, dim] = [50_257, 768];

/** A folder of a config and tables of normal values. */
function writeModel(folder, names, config) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const bytes = rows * dim * 4;
  const header = JSON.stringify(
    Object.fromEntries(
      names.map((name, i) => [
        name,
        { dtype: 'F32', shape: [rows, dim], data_offsets: [i * bytes, (i + 1) * bytes] },
      ]),
    ),
  );
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 64) * 64 - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, length);
  writeSync(file, padded);
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  // A pool of values that every row starts in at another place.
  const pool = Float32Array.from({ length: 1 << 20 }, () => (uniform() + uniform() + uniform() - 1.5) * 0.3);
  for (let row = 0; row < rows * names.length; row++) {
    const start = Math.floor(uniform() * (pool.length - dim));
    writeSync(file, new Uint8Array(pool.buffer, start * 4, dim * 4));
  }
  closeSync(file);
}

export async function run(rounds = 11) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const [one, two] = [join(work, 'tied'), join(work, 'untied')];
    writeModel(one, ['wte.weight'], { model_type: 'gpt2', tie_word_embeddings: true });
    writeModel(two, ['model.embed_tokens.weight', 'lm_head.weight'], {
      model_type: 'llama',
      tie_word_embeddings: false,
    });
    const audit = (...more) => [emb, 'audit', ...more, '--tokenizer', 'gpt2', '-q'];
    const cases = [
      { name: 'node -e 0', command: node, args: ['-e', '0'] },
      { name: 'emb audit, the tokenizer alone', command: node, args: audit() },
      { name: 'emb audit, one table', command: node, args: audit(one), goal: '<= 12 x' },
      { name: 'emb audit, two tables', command: node, args: audit(two), goal: '<= 12 x' },
      { name: 'emb audit -f jsonl, two tables', command: node, args: audit(two, '-f', 'jsonl') },
    ];
    const measured = timeProcesses(cases, rounds).map((row, index) => ({
      ...row,
      goal: cases[index].goal,
      measured: `${row.ratio.toFixed(2)} x`,
    }));
    const memory = peakMemory(node, audit(two));
    if (memory !== undefined)
      measured.push({ name: 'peak memory', goal: '<= 120 MB', measured: `${memory.toFixed(0)} MB` });
    return report(`Audit: 50,257 tokens, ${rows.toLocaleString('en-US')} x ${dim} f32`, measured);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
