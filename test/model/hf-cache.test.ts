import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { cachedRepos, findSnapshot, isComplete } from '../../src/model/hf-cache.ts';
import { parseHubRef, parseHubUrl } from '../../src/model/hub-ref.ts';
import { readHubSettings } from '../../src/model/hub-settings.ts';

interface Expected {
  settings: {
    env: Record<string, string>;
    endpoint: string;
    cache: string;
    offline: boolean;
    token: string | null;
  }[];
  names: Record<string, boolean>;
  references: Record<string, { repo: string; revision: string | null; file: string | null } | null>;
  layout: Record<string, { link?: string; text?: string }>;
}

const expected = JSON.parse(readFileSync('fixtures/hub/expected.json', 'utf8')) as Expected;
const commit = '0123456789abcdef0123456789abcdef01234567';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'emb-hf-'));
  for (const [path, { link, text }] of Object.entries(expected.layout)) {
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true });
    if (link === undefined) writeFileSync(place, text!, 'latin1');
    else symlinkSync(link, place);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what the environment says, as huggingface_hub reads it', () => {
  test.each(expected.settings)('$env', ({ env, endpoint, cache, offline, token }) => {
    const home = mkdtempSync(join(folder, 'home-'));
    writeFileSync(join(home, 'token'), 'hf_file\n');
    writeFileSync(join(home, 'other'), 'hf_other');
    const real = Object.fromEntries(
      Object.entries(env).map(([key, value]) => [key, value.replace('FOLDER', home)]),
    );
    const settings = readHubSettings({ HOME: '/home/me', ...real });
    expect(settings.endpoint).toBe(endpoint);
    expect(settings.cacheFolders[0]!.replace(home, 'FOLDER')).toBe(cache);
    expect(settings.isOffline).toBe(offline);
    expect(settings.authorization).toBe(token === null ? undefined : `Bearer ${token}`);
  });

  test('the cache of old versions of transformers is looked at too', () => {
    const { cacheFolders } = readHubSettings({
      HF_HUB_CACHE: '/new',
      TRANSFORMERS_CACHE: '~/old',
      HOME: '/home/me',
    });
    expect(cacheFolders).toEqual(['/new', '/home/me/old']);
  });

  test('a token that no header takes is refused and not shown', () => {
    let error: unknown;
    try {
      readHubSettings({ HF_TOKEN: 'hf_se\ncret', HOME: folder });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EmbError);
    expect((error as EmbError).message).toBe('HF_TOKEN: holds a character that no token has');
  });
});

describe('names of models on the hub', () => {
  test.each(Object.entries(expected.names))('"%s": huggingface_hub says %s', (name, isValid) => {
    const parse = () => parseHubRef(`hf:${name}`);
    // With a third part it is a file of the repository.
    if (isValid || name === 'a/b/c') expect(parse().repo).toBe(name.split('/').slice(0, 2).join('/'));
    else expect(parse).toThrow(/is no name of a model on the hub/);
  });

  test.each(Object.entries(expected.references))('%s', (reference, wanted) => {
    const read = () =>
      reference.startsWith('hf:')
        ? parseHubRef(reference)
        : parseHubUrl(new URL(reference), reference, ['https://huggingface.co', 'https://hf.co']);
    if (wanted === null && reference.startsWith('hf:')) expect(read).toThrow(EmbError);
    else if (wanted === null) expect(read()).toBeUndefined();
    else {
      expect(read()).toEqual({
        name: reference,
        repo: wanted.repo,
        revision: wanted.revision ?? undefined,
        file: wanted.file ?? undefined,
      });
    }
  });

  test('a revision may stand after the name without hf:', () => {
    expect(parseHubRef('org/name@v1')).toMatchObject({ repo: 'org/name', revision: 'v1' });
  });

  test('a hub below a path has its URLs there', () => {
    const url = new URL('http://localhost:8080/hf/org/name/blob/main/a.gguf');
    expect(parseHubUrl(url, 'x', ['http://localhost:8080/hf'])).toMatchObject({
      repo: 'org/name',
      file: 'a.gguf',
    });
    expect(parseHubUrl(url, 'x', ['http://localhost:8080/h'])).toBeUndefined();
  });

  test.each(['hf:datasets/org/name', 'hf:spaces/org/name', 'datasets/org/name@main'])(
    '%s is no model',
    (ref) => {
      expect(() => parseHubRef(ref)).toThrow(/is one of the hub's (datasets|spaces), expected a model/);
    },
  );

  test.each([
    'hf:org/name@',
    'hf:org/name@a b',
    'hf:org/name@..',
    'hf:org/name@%2e%2e',
    'hf:org/name/../x',
    `hf:org/name@${'x'.repeat(201)}`,
  ])('%s is refused', (ref) => {
    expect(() => parseHubRef(ref)).toThrow(EmbError);
  });
});

describe('a cache that huggingface_hub made', () => {
  test.each(['main', 'v1', 'refs/pr/1', commit])('has the snapshot of %s', (revision) => {
    expect(findSnapshot([join(folder, 'none'), folder], ['org/name'], revision)).toEqual({
      folder: join(folder, 'models--org--name', 'snapshots', commit),
      commit,
      names: ['1_Pooling/config.json', 'config.json', 'model.safetensors'],
    });
  });

  test.each(['dev', '..', '../../..', 'snapshots', `${commit}/1_Pooling`, '0123456'])(
    'has none of %s',
    (revision) => {
      expect(findSnapshot([folder], ['org/name', 'org/other'], revision)).toBeUndefined();
    },
  );

  test('a link to a blob that is gone is no file', () => {
    const gone = join(folder, 'models--org--name', 'snapshots', commit, 'tokenizer.json');
    symlinkSync('../../blobs/gone', gone);
    expect(findSnapshot([folder], ['org/name'], 'main')!.names).not.toContain('tokenizer.json');
    rmSync(gone);
  });

  test('a folder that leads into itself ends', () => {
    const snapshot = join(folder, 'models--org--name', 'snapshots', commit);
    symlinkSync('.', join(snapshot, 'loop'));
    expect(findSnapshot([folder], ['org/name'], 'main')!.names.length).toBeLessThan(30);
    rmSync(join(snapshot, 'loop'));
  });

  test('a ref that is no commit leads nowhere', () => {
    const refs = join(folder, 'models--org--name', 'refs');
    writeFileSync(join(refs, 'evil'), '../../../../etc');
    expect(findSnapshot([folder], ['org/name'], 'evil')).toBeUndefined();
  });

  test('names its repositories', () => {
    expect(cachedRepos([folder, join(folder, 'none')])).toEqual(['org/name']);
  });

  test.skipIf(process.getuid?.() === 0)('that may not be read says so', () => {
    const cache = join(folder, 'closed');
    mkdirSync(join(cache, 'models--a--b', 'refs'), { recursive: true });
    chmodSync(cache, 0);
    expect(() => findSnapshot([cache], ['a/b'], 'main')).toThrow('permission denied');
    chmodSync(cache, 0o700);
  });
});

describe('whether a snapshot has all that is needed', () => {
  const shards = (count: number) =>
    Array.from({ length: count }, (_, index) => `model-0000${index + 1}-of-00003.safetensors`);
  test.each([
    [['config.json', 'model.safetensors', 'tokenizer.json'], true],
    [['config.json', 'model.safetensors'], false],
    [['model.safetensors', 'tokenizer.json'], false],
    [['config.json', 'tokenizer.json'], false],
    [['x.Q4_K_M.gguf'], true],
    [['x-00001-of-00002.gguf'], false],
    [['config.json', 'vocab.txt', 'pytorch_model.bin'], true],
    [['config.json', 'vocab.json', 'merges.txt', 'model.safetensors.index.json', ...shards(3)], true],
    [['config.json', 'vocab.json', 'merges.txt', 'model.safetensors.index.json', ...shards(2)], false],
    [['config.json', 'vocab.json', 'model.safetensors.index.json'], false],
    [['config.json', 'vocab.json', 'a-00001-of-99999999.safetensors'], false],
    [['config.json', 'tokenizer_config.json', 'model.safetensors'], false],
    [[], false],
  ])('%j: %s', (names, isAll) => {
    expect(isComplete(names)).toBe(isAll);
  });
});
