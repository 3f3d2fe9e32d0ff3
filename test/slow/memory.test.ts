import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { peakHook } from '../support/peak.ts';

/** Rows of 8 KiB: the table is larger than a process may become. */
const [rows, dim] = [32_768, 4096];

/** Units: MB, of 10^6 bytes. */
const mostMegabytes = 120;

let folder: string;
let hook: ReturnType<typeof peakHook>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'emb-memory-'));
  hook = peakHook(folder);
  const bytes = rows * dim * 2;
  const header = JSON.stringify({
    'wte.weight': { dtype: 'BF16', shape: [rows, dim], data_offsets: [0, bytes] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(join(folder, 'table.safetensors'), 'w');
  writeSync(file, length);
  writeSync(file, padded);
  // Every row stands there four times.
  const row = new Uint16Array(dim);
  for (let index = 0; index < rows; index++) {
    let state = (index >> 2) + 1;
    for (let i = 0; i < dim; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      row[i] = ((state >>> 16) & 0x83ff) | 0x3c00;
    }
    writeSync(file, row);
  }
  closeSync(file);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Units: MB. */
function peakOf(args: string[]): number {
  const line = ['bin/emb.js', ...args, '-m', join(folder, 'table.safetensors'), '-q', '-f', 'jsonl'];
  const run = spawnSync(process.execPath, [hook.option, ...line], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(run.status).toBe(0);
  return hook.megabytes(run.stderr);
}

test.each([
  [['stats']],
  [['stats', '--quantiles', '--duplicates']],
  [['audit']],
  [['doctor']],
  [['neighbors', '--ids', '5']],
  [['neighbors', '--ids', '0-63']],
  [['neighbors', '--ids', '5', '-k', '10000']],
])(
  '%j stays below 120 MB',
  (args) => {
    expect(peakOf(args)).toBeLessThan(mostMegabytes);
  },
  120_000,
);
