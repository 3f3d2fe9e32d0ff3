import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/open.ts';
import { openTokenizerJson } from '../../src/tokenizers/tokenizer-json.ts';
import { openTables } from '../../src/tokenizers/tokenizer-json-kept.ts';
import { openAt, openThrice, outcome, tokenizersIn } from './kept-answers.ts';
import { manyMerges } from './many-merges.ts';

let root: string;
let cache: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'emb-kept-'));
  cache = join(root, 'cache');
});
afterAll(() => rmSync(root, { recursive: true }));

describe('a tokenizer.json whose tables were kept gives what it gave', () => {
  test.each(tokenizersIn('fixtures'))('%s', async (path) => {
    expect(await openThrice(cache, path)).toBe(true);
  });

  test.each(Object.keys(manyMerges))('thousands of merges, %s', async (form) => {
    const path = join(root, `${form.replaceAll(' ', '-')}.json`);
    writeFileSync(path, manyMerges[form]());
    expect(await openThrice(cache, path)).toBe(true);
  });
});

describe('tables that were kept', () => {
  const small = (piece: string) =>
    JSON.stringify({
      added_tokens: [],
      model: { type: 'WordLevel', unk_token: 'x', vocab: { x: 0, [piece]: 1 } },
      pre_tokenizer: { type: 'Whitespace' },
    });
  const idsAt = async (path: string, text: string) =>
    (await openAt(cache, path)).encode(text).map(({ id }) => id);

  test('are those of a file that was changed since only once it is read again', async () => {
    const path = join(root, 'changes.json');
    writeFileSync(path, small('ab'));
    expect([await idsAt(path, 'ab cd'), await idsAt(path, 'ab cd')]).toEqual([
      [1, 0],
      [1, 0],
    ]);
    writeFileSync(path, small('cd'));
    expect([await idsAt(path, 'ab cd'), await idsAt(path, 'ab cd')]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('heed a tokenizer_config.json that came later', async () => {
    const folder = mkdtempSync(join(root, 'config-'));
    writeFileSync(join(folder, 'tokenizer.json'), small('ab'));
    expect(await idsAt(folder, 'ab <s>')).toEqual([1, 0, 0, 0]);
    const config = { added_tokens_decoder: { 2: { content: '<s>', special: true } } };
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    expect(await idsAt(folder, 'ab <s>')).toEqual([1, 2]);
  });

  test('are not kept of small files, without an env, or with EMB_TOKENIZER_CACHE=0', async () => {
    rmSync(cache, { recursive: true, force: true });
    const path = tokenizersIn('fixtures')[0]!;
    const limits = { total: 1 << 28, rest: 0 };
    for (const options of [
      {},
      { env: { EMB_CACHE: cache } },
      { cache: { env: { EMB_CACHE: cache, EMB_TOKENIZER_CACHE: '0' }, least: 0, limits } },
    ]) {
      await (await openModel(path, options)).tokenizer();
      expect(existsSync(cache)).toBe(false);
    }
  });

  test('are not kept of a file whose vocabulary stands twice', async () => {
    const bytes = Buffer.from(small('ab').replace('"vocab"', '"vocab":{"x":0},"vocab"'));
    let count = 0;
    const tokenizer = await openTokenizerJson({ name: 'x', bytes, keep: () => count++ });
    expect([tokenizer.vocabSize, count]).toEqual([2, 0]);
  });

  test('do not open when they are not as long as they say', async () => {
    const path = tokenizersIn('fixtures')[0]!;
    let tables = Buffer.alloc(0);
    const keep = (parts: readonly Uint8Array[]) => {
      tables = Buffer.concat(parts);
    };
    await openTokenizerJson({ name: 'x', bytes: readFileSync(path), keep });
    const aligned = (bytes: Uint8Array) => new Uint8Array(bytes);
    expect(openTables('x', aligned(tables))?.modelType).toBeDefined();
    for (const length of [0, 8, 39, 40, 48, tables.length - 8, tables.length - 1])
      expect(openTables('x', aligned(tables.subarray(0, length)))).toBeUndefined();
    for (let number = 0; number < 9; number++) {
      for (const value of [0xffffffff, 0x7fffffff, 12345678]) {
        const damaged = aligned(tables);
        new DataView(damaged.buffer).setUint32(4 * number, value, true);
        // limit, hashStart and whether there are scores do not say how long anything is.
        if (number < 4 || number > 6) expect(outcome(() => openTables('x', damaged)?.name)).toBeUndefined();
      }
    }
  });
});
