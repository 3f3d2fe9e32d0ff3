// emb tokenize of many lines by one thread and by all cores, as whole processes, and the memory of much and of four times as much.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { englishText } from './corpus.mjs';
import { peakMemory, report, timeProcesses } from './processes.mjs';

const emb = resolve('bin', 'emb.js');
const megabyte = 1_000_000;

/** A text as lines of about 60 characters. */
const linesOf = (text) => text.replace(/([^\n]{50,70}) /g, '$1\n');

export async function run(rounds = 5) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const [much, more] = [join(work, 'much.txt'), join(work, 'more.txt')];
    const text = linesOf(englishText(20 * megabyte));
    writeFileSync(much, text);
    writeFileSync(more, text.repeat(4));
    const args = (file, format, ...rest) => [emb, 'tokenize', '-q', '--file', file, '-f', format, ...rest];
    const cores = availableParallelism();
    const measured = [];
    for (const format of ['ids', 'jsonl']) {
      const cases = [
        {
          name: `-f ${format}, --threads 1`,
          command: process.execPath,
          args: args(much, format, '--threads', '1'),
        },
        { name: `-f ${format}, ${cores} cores`, command: process.execPath, args: args(much, format) },
      ];
      const found = timeProcesses(cases, rounds);
      measured.push(...found.map((row) => ({ ...row, measured: `${row.ratio.toFixed(2)} x` })));
    }
    for (const [name, file] of [
      ['20 MB', much],
      ['80 MB', more],
    ]) {
      const memory = peakMemory(process.execPath, args(file, 'ids'));
      if (memory !== undefined)
        measured.push({ name: `peak memory, ${name}, ${cores} cores`, measured: `${memory.toFixed(0)} MB` });
    }
    return report('emb tokenize of 20 MB of lines, gpt2', measured);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
