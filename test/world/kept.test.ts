import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAt, openPlain, openThrice, tokenizersIn } from '../tokenizers/kept-answers.ts';
import { hasWorld, world } from './manifest.ts';

let root: string;
let cache: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'emb-kept-'));
  cache = join(root, 'cache');
});
afterAll(() => rmSync(root, { recursive: true }));

describe.skipIf(!hasWorld)('a tokenizer.json of the world whose tables were kept gives what it gave', () => {
  test.each(hasWorld ? tokenizersIn(world) : [])('%s', async (path) => {
    const plain = await openPlain(path).catch((error: Error) => error);
    if (!(plain instanceof Error)) {
      expect(await openThrice(cache, path)).toBe(true);
      return;
    }
    // What does not open is not kept, and is refused again for the same reason.
    rmSync(cache, { recursive: true, force: true });
    for (let i = 0; i < 2; i++) await expect(openAt(cache, path)).rejects.toThrow(plain.message);
    expect(existsSync(cache)).toBe(false);
  });
});
