import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openModel } from '../../src/model/open.ts';
import type { Tokenizer } from '../../src/types.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';

/** Paths of the files below a folder that are a tokenizer.json by their names. */
export const tokenizersIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|\/)tokenizer[^/]*\.json$/.test(path) && !path.endsWith('tokenizer_config.json'))
    .map((path) => join(folder, path));

/** Opens as the command does, whatever the size and however new the file is. */
export async function openAt(cache: string, path: string): Promise<Tokenizer> {
  const model = await openModel(path, {
    cache: { env: { EMB_CACHE: cache }, least: 0, limits: { total: 1 << 28, rest: 0 } },
  });
  try {
    return await model.tokenizer();
  } finally {
    await model.close();
  }
}

export async function openPlain(path: string): Promise<Tokenizer> {
  const model = await openModel(path);
  try {
    return await model.tokenizer();
  } finally {
    await model.close();
  }
}

/** Side files by name, and which file each is: one that is written again is another. */
function kept(cache: string) {
  const folder = join(cache, 'tokenizers');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => [name, statSync(join(folder, name)).ino]);
}

/** What it gives or throws. */
export function outcome<T>(ask: () => T): T | string {
  try {
    return ask();
  } catch (error) {
    return String(error);
  }
}

const random = seededRandom(11);
const words = 'Hello world, naïve déjà vu 123 4567 <s> [CLS] don’t ▁x \u3000終わり 🙂\n\n  it’s\t';
const short = ['', ' ', words, ...Array.from({ length: 8 }, () => fuzzText(random, 12))];
/** Long enough for the tables and the twins that short texts do without. */
const long = `${words} ${Array.from({ length: 20 }, () => fuzzText(random, 30)).join(' ')} `.repeat(12);

function answersOf(tokenizer: Tokenizer) {
  const { kind, name, vocabSize, explains } = tokenizer;
  const ids = Array.from({ length: vocabSize + 2 }, (_, id) => id);
  const pieces = ids.map((id) => tokenizer.tokenOf(id));
  const some = pieces.filter((piece, id) => piece !== undefined && id % 97 === 0) as string[];
  return {
    said: { kind, name, vocabSize, explains },
    pieces,
    bytes: ids.filter((id) => id % 7 === 0).map((id) => tokenizer.bytesOf?.(id)),
    special: ids.filter((id) => tokenizer.isSpecial?.(id)),
    ids: [...some, 'nothing like it', ' world', '', '<0x0A>'].map((piece) => tokenizer.idOf(piece)),
    near: tokenizer.suggest?.('hello', 3),
    tokens: short.map((text) => outcome(() => tokenizer.encode(text))),
    bare: short.map((text) => outcome(() => tokenizer.encode(text, { template: false, fit: true }))),
    encoded: [...short, long].map((text) =>
      outcome(() => {
        const into = { ids: new Uint32Array(16), length: 0 };
        tokenizer.encodeIds(text, into, { allowSpecial: false });
        return Array.from(into.ids.subarray(0, into.length));
      }),
    ),
    texts: short.map((text) =>
      outcome(() => tokenizer.decodeBytes(tokenizer.encode(text).map(({ id }) => id))),
    ),
    explained: short.slice(2, 4).map((text) => outcome(() => [...(tokenizer.explain?.(text) ?? [])])),
  };
}

/** Opens a file three times: without a cache, with an empty one, with what was kept, and compares. Gives whether something was. */
export async function openThrice(cache: string, path: string): Promise<boolean> {
  rmSync(cache, { recursive: true, force: true });
  const plain = answersOf(await openPlain(path));
  expect(answersOf(await openAt(cache, path))).toEqual(plain);
  const files = kept(cache);
  expect(answersOf(await openAt(cache, path))).toEqual(plain);
  expect(kept(cache)).toEqual(files);
  return files.length > 0;
}
