// emb audit of GPT-2 sized models, one with one table and one with two, against node -e 0, as whole processes.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { peakMemory, report, timeProcesses } from './processes.mjs';
import { writeTables } from './tables.mjs';

const emb = resolve('bin', 'emb.js');
const node = process.execPath;
const [rows, dim] = [50_257, 768];

/** A folder of a config and tables of normal values. */
function writeModel(folder, names, config) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeTables(join(folder, 'model.safetensors'), names, [rows, dim]);
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
