import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emb, executable } from '../support/emb.ts';
import { manyMerges } from '../tokenizers/many-merges.ts';

let work: string;
let path: string;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'emb-kept-'));
  path = join(work, 'tokenizer.json');
  // White space makes it large enough to be kept.
  writeFileSync(path, manyMerges.lines!().padEnd(600_000));
  // A file that changed just now is not kept.
  await setTimeout(2100);
});
afterAll(() => rmSync(work, { recursive: true }));

const env = (cache: string) => ({ EMB_CACHE: cache, EMB_TOKENIZER_CACHE: '1' });
const args = () => ['tokenize', '-m', path, '-f', 'jsonl', 'what the first call reads', 'ab abc'];
const sideFiles = (cache: string) => readdirSync(join(cache, 'tokenizers'));

test('the second call of emb tokenize prints what the first did, from what was kept', () => {
  const cache = join(work, 'cache');
  const plain = emb(args());
  expect(plain.code).toBe(0);
  expect(emb(args(), { env: env(cache) })).toEqual(plain);
  const [name, ...more] = sideFiles(cache);
  expect(more).toEqual([]);
  expect(emb(args(), { env: env(cache) })).toEqual(plain);
  // One that is not whole is replaced.
  const whole = readFileSync(join(cache, 'tokenizers', name!));
  writeFileSync(join(cache, 'tokenizers', name!), whole.subarray(0, 5000));
  expect(emb(args(), { env: env(cache) })).toEqual(plain);
  expect(readFileSync(join(cache, 'tokenizers', name!)).length).toBe(whole.length);
});

test('a cache folder that cannot be made is nobody’s error, and none is made when that is asked for', () => {
  expect(emb(args(), { env: env('/dev/null/x') })).toEqual(emb(args()));
  emb(args(), { env: { EMB_CACHE: join(work, 'none'), EMB_TOKENIZER_CACHE: '0' } });
  expect(readdirSync(work)).not.toContain('none');
});

test('processes that read and keep at once all answer, and leave one side file', () => {
  const cache = join(work, 'shared');
  const line = `for i in 1 2 3 4 5 6; do "${process.execPath}" "${executable}" "$@" & done; wait`;
  const environment = { ...process.env, ...env(cache) };
  const stdout = execFileSync('sh', ['-c', line, 'sh', ...args(), '-q'], {
    env: environment,
    encoding: 'utf8',
  });
  const expected = emb(args()).stdout.split('\n').filter(Boolean);
  expect(stdout.split('\n').filter(Boolean).sort()).toEqual(Array(6).fill(expected).flat().sort());
  expect(sideFiles(cache)).toHaveLength(1);
});
