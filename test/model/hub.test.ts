import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { openHubFiles } from '../../src/model/hub.ts';
import { parseHubRef } from '../../src/model/hub-ref.ts';
import { openModel } from '../../src/model/open.ts';
import { openRemote } from '../../src/model/remote.ts';
import type { Environment } from '../../src/types.ts';
import { commit, HubServer, refuse, send, virtualSafetensors } from '../support/hub-server.ts';

let server: HubServer;
let folder: string;
let env: Environment;
let notes: string[];
const note = (message: string) => notes.push(message);

beforeAll(async () => {
  server = await HubServer.start();
  folder = mkdtempSync(join(tmpdir(), 'emb-hub-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.reset();
  notes = [];
  const home = mkdtempSync(join(folder, 'home-'));
  env = { HOME: home, EMB_CACHE: join(home, 'emb'), HF_ENDPOINT: server.url, EMB_HTTP_TIMEOUT: '2' };
});

const files = (ref: string, more: Environment = {}) =>
  openHubFiles(parseHubRef(ref), { ...env, ...more }, note);

async function refusal(work: Promise<unknown>): Promise<EmbError> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(EmbError);
  return error as EmbError;
}

const small = virtualSafetensors(10, 4, 'embeddings.word_embeddings.weight', 8);

/** A model as the hub has most: small files, and one table in a large one. */
function addModel(repo = 'org/name'): void {
  server.add(repo, 'config.json', '{"hidden_size": 4, "vocab_size": 10}');
  server.add(repo, 'README.md', '# name');
  server.add(repo, 'model.safetensors', small, true);
}

/** A snapshot in the Hugging Face cache. */
function cache(names: Record<string, string | Uint8Array>, repo = 'org--name', ref = 'main'): string {
  const root = join(env.HOME!, '.cache', 'huggingface', 'hub', `models--${repo}`);
  const snapshot = join(root, 'snapshots', commit);
  for (const path of [join(root, 'refs'), join(root, 'blobs'), snapshot])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(root, 'refs', ref), commit);
  for (const [index, [name, bytes]] of Object.entries(names).entries()) {
    writeFileSync(join(root, 'blobs', `${index}`), bytes);
    symlinkSync(join('..', '..', 'blobs', `${index}`), join(snapshot, name));
  }
  return snapshot;
}

/** Routes that were asked for. */
const asked = () =>
  server.seen.map(({ origin, path }) =>
    origin === 'cdn' ? 'cdn' : path.replace(/\?.*/, '').replace(commit, 'COMMIT'),
  );

describe('two rows of a model of 16 GB', () => {
  const dim = 4096;
  const rows = 128_256;
  const addLarge = () => {
    const names = Array.from({ length: 4 }, (_, index) => `model-0000${index + 1}-of-00004.safetensors`);
    const weightMap: Record<string, string> = { 'model.embed_tokens.weight': names[0]! };
    for (const [index, name] of names.entries()) {
      const tensor = index === 0 ? 'model.embed_tokens.weight' : `model.layers.${index}.weight`;
      const content =
        index === 0 ? virtualSafetensors(rows, dim, tensor, 3e9) : virtualSafetensors(10, dim, tensor, 4.6e9);
      weightMap[tensor] = name;
      server.add('org/large', name, content, true);
    }
    server.add(
      'org/large',
      'config.json',
      JSON.stringify({ model_type: 'llama', hidden_size: dim, vocab_size: rows }),
    );
    server.add(
      'org/large',
      'model.safetensors.index.json',
      JSON.stringify({ metadata: {}, weight_map: weightMap }),
    );
    server.add('org/large', 'tokenizer.json', '{}');
  };
  const look = async () => {
    const model = await openModel('org/large', { env, note });
    const table = await model.table();
    const { data } = await table.gather(Uint32Array.of(5, 128_000));
    await model.close();
    return data;
  };

  test('cost the list, config and index, one header and two ranges; the second time only the list and the ranges', async () => {
    addLarge();
    const data = await look();
    expect(data[0]).toBe(5);
    expect(data[1]).toBe(5 + 1 / 1024);
    expect(data[dim]).toBe(128_000);
    expect(data[2 * dim - 1]).toBe(Math.fround(128_000 + 4095 / 1024));
    const shard = '/org/large/resolve/COMMIT/model-00001-of-00004.safetensors';
    expect(asked()).toEqual([
      '/api/models/org/large/revision/main',
      '/org/large/resolve/COMMIT/config.json',
      '/org/large/resolve/COMMIT/model.safetensors.index.json',
      shard,
      'cdn',
      'cdn',
      'cdn',
    ]);
    expect(server.sent).toBeLessThan(64 * 1024 + 2 * dim * 4 + 3000);
    server.seen.length = 0;
    expect(await look()).toEqual(data);
    expect(asked()).toEqual(['/api/models/org/large/revision/main', shard, 'cdn', 'cdn']);
    expect(server.sent).toBeLessThan(2 * dim * 4 + 3000);
  });

  test('by its commit nothing but the rows is asked for the second time', async () => {
    addLarge();
    const get = async () => {
      const model = await openModel(`hf:org/large@${commit}`, { env, note });
      await (await model.table()).gather(Uint32Array.of(7));
      await model.close();
    };
    await get();
    server.seen.length = 0;
    await get();
    expect(asked()).toEqual(['/org/large/resolve/COMMIT/model-00001-of-00004.safetensors', 'cdn']);
  });

  test('from one file of the repository cost its header and the rows', async () => {
    addLarge();
    const model = await openModel('hf:org/large/model-00001-of-00004.safetensors', { env, note });
    const table = await model.table();
    expect((await table.gather(Uint32Array.of(9))).data[0]).toBe(9);
    await model.close();
    expect(server.sent).toBeLessThan(64 * 1024 + dim * 4 + 3000);
  });
});

describe('a repository on the hub', () => {
  test('lists its files, and opens those that it has', async () => {
    addModel();
    const hub = await files('org/name');
    expect(await hub.list()).toEqual(['README.md', 'config.json', 'model.safetensors']);
    expect(await hub.open('tokenizer.json')).toBeUndefined();
    await expect(hub.open('../secret')).rejects.toThrow('points outside');
    const source = (await hub.open('config.json'))!;
    expect(source.name).toBe('org/name/config.json');
    expect(source.byteLength).toBe(36);
    expect(Buffer.from(await source.read(0, 36)).toString()).toContain('hidden_size');
    expect(asked()).toEqual(['/api/models/org/name/revision/main', '/org/name/resolve/COMMIT/config.json']);
  });

  test.each(['v1', 'refs/pr/1', commit])('at revision %s is asked for at that', async (revision) => {
    addModel();
    const hub = await files(`hf:org/name@${revision}`);
    await (await hub.open('config.json'))!.read(0, 5);
    expect(server.seen[0]!.path).toBe(
      `/api/models/org/name/revision/${encodeURIComponent(revision)}?blobs=true`,
    );
    expect(server.seen[1]!.path).toBe(`/org/name/resolve/${commit}/config.json`);
  });

  test('names with signs and folders are asked for as they are', async () => {
    addModel();
    server.add('org/name', 'a b/c#d?.json', '{}');
    const source = await (await files('org/name')).open('a b/c#d?.json');
    expect(Buffer.from(await source!.read(0, 2)).toString()).toBe('{}');
    expect(server.seen[1]!.path).toContain('/a%20b/c%23d%3F.json');
  });

  test('gpt2 is openai-community/gpt2', async () => {
    addModel('openai-community/gpt2');
    expect((await (await files('hf:gpt2')).list()).length).toBe(3);
    expect(asked()).toEqual(['/api/models/openai-community/gpt2/revision/main']);
  });

  test('the token goes to the hub and not to the host of its files', async () => {
    addModel();
    const source = await (await files('org/name', { HF_TOKEN: 'hf_secret' })).open('model.safetensors');
    await source!.read(0, 10);
    expect(server.seen.map(({ origin, headers }) => [origin, headers.authorization])).toEqual([
      ['hub', 'Bearer hf_secret'],
      ['hub', 'Bearer hf_secret'],
      ['cdn', undefined],
    ]);
  });

  test('that lists names which lead outside has no such files', async () => {
    server.fault = (_, response) => {
      const siblings = ['../../x', '/etc/passwd', 'a\\b', 'ok.json', '', 5, null].map((rfilename) => ({
        rfilename,
        size: 3,
      }));
      send(response, 200, {}, JSON.stringify({ sha: commit, siblings: [...siblings, null, 'x'] }));
      return true;
    };
    expect(await (await files('org/name')).list()).toEqual(['ok.json']);
  });

  test.each(['[]', 'null', '{"siblings": 3}', '{"siblings"', '<html>'])(
    'whose list is %s is refused',
    async (body) => {
      server.fault = (_, response) => {
        send(response, 200, {}, body);
        return true;
      };
      expect((await refusal(files('org/name'))).code).toBe('corrupt');
    },
  );

  test('whose sizes are not true is refused', async () => {
    addModel();
    const hub = await files('org/name');
    server.add('org/name', 'config.json', 'longer'.repeat(100));
    const error = await refusal((await hub.open('config.json'))!.read(0, 5));
    expect(error.message).toContain('changed while it was read: it has 600 bytes, expected 36');
  });

  test('whose file is of another commit is refused', async () => {
    addModel();
    const hub = await files('org/name');
    server.fault = (_, response) => {
      send(
        response,
        206,
        { 'x-repo-commit': 'f'.repeat(40), 'content-range': 'bytes 0-35/36' },
        'x'.repeat(36),
      );
      return true;
    };
    const error = await refusal((await hub.open('config.json'))!.read(0, 5));
    expect(error.message).toContain(`it is of commit ${'f'.repeat(40)}, expected ${commit}`);
  });

  test('whose list has no sizes and no commit is opened all the same, at one commit', async () => {
    addModel();
    server.fault = (_, response, { path }) => {
      if (!path.startsWith('/api')) return false;
      send(
        response,
        200,
        {},
        '{"siblings": [{"rfilename": "config.json"}, {"rfilename": "model.safetensors"}]}',
      );
      return true;
    };
    const hub = await files('org/name');
    expect((await hub.open('config.json'))!.byteLength).toBe(36);
    expect((await hub.open('model.safetensors'))!.byteLength).toBe(small.byteLength);
    expect(asked().slice(1, 3)).toEqual([
      '/org/name/resolve/main/config.json',
      '/org/name/resolve/COMMIT/model.safetensors',
    ]);
  });
});

describe('what the hub refuses', () => {
  const refusing = (status: number, code?: string, from = '/api') => {
    server.fault = (_, response, { path }) => {
      if (!path.startsWith(from)) return false;
      refuse(response, status, code);
      return true;
    };
  };
  const token = { HF_TOKEN: 'hf_secret' };
  test.each([
    [
      401,
      'GatedRepo',
      {},
      /org\/name: is gated: 127.* answers 401/,
      /accept its terms at http.*\/org\/name, then set HF_TOKEN/,
    ],
    [
      403,
      'GatedRepo',
      token,
      /is gated: .* answers 403/,
      /accept its terms .* the account of the token in HF_TOKEN/,
    ],
    [401, 'RepoNotFound', {}, /has no such model, or it is private \(401\)/, /set HF_TOKEN/],
    [
      404,
      'RepoNotFound',
      token,
      /has no such model, or it is private \(404\)/,
      /check the name, and the token in HF_TOKEN/,
    ],
    [404, undefined, {}, /has no such model/, /check the name/],
    [401, undefined, token, /does not take the token \(401\)/, /check the token in HF_TOKEN/],
    [403, undefined, token, /does not give it to us \(403\)/, /may lack the right/],
    [403, undefined, {}, /does not give it to us \(403\)/, /set HF_TOKEN/],
    [404, 'RevisionNotFound', {}, /has no revision "main"/, undefined],
    [403, 'DisabledRepo', {}, /is disabled/, undefined],
    [418, undefined, {}, /answers 418, expected 200/, undefined],
  ])('%i %s is explained', async (status, code, more, message, hint) => {
    refusing(status, code);
    const error = await refusal(files('org/name', more));
    expect(error.code).toBe('missing');
    expect(error.message).toMatch(message);
    if (hint !== undefined) expect(error.hint).toMatch(hint);
    expect(`${error.stack}${error.hint}`).not.toContain('hf_secret');
  });

  test('a gated file of a listed repository is explained too', async () => {
    addModel();
    refusing(403, 'GatedRepo', '/org');
    const source = await (await files('org/name')).open('config.json');
    expect((await refusal(source!.read(0, 3))).message).toContain('org/name/config.json: is gated');
  });

  test('an endpoint where nobody listens is said', async () => {
    const error = await refusal(files('org/name', { HF_ENDPOINT: 'http://127.0.0.1:9' }));
    expect(error.message).toBe('org/name: 127.0.0.1:9 refuses the connection');
  });
});

describe('the Hugging Face cache', () => {
  test('is used without a request when it has all', async () => {
    cache({
      'config.json': '{"hidden_size": 4}',
      'model.safetensors': small.read(0, small.byteLength),
      'tokenizer.json': '{}',
    });
    const model = await openModel('org/name', { env, note });
    expect((await (await model.table()).gather(Uint32Array.of(3))).data[0]).toBe(3);
    await model.close();
    expect(server.seen).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('gives what it has, and the hub the rest, of the same commit', async () => {
    addModel();
    cache({ 'config.json': '{"hidden_size": 4, "mine": 1}' });
    const hub = await files('org/name');
    expect(await hub.list()).toEqual(['README.md', 'config.json', 'model.safetensors']);
    expect((await hub.open('config.json'))!.byteLength).toBe(29);
    expect((await hub.open('model.safetensors'))!.byteLength).toBe(small.byteLength);
    expect(asked()).toEqual(['/api/models/org/name/revision/COMMIT']);
  });

  test('is looked at for a tag of a commit that it has under another name', async () => {
    addModel();
    cache({ 'config.json': '{"mine": 1}' });
    const hub = await files('org/name@v1');
    expect((await hub.open('config.json'))!.byteLength).toBe(11);
  });

  test('is all there is when the hub cannot be reached, which is said', async () => {
    cache({ 'config.json': '{}' });
    const hub = await files('org/name', { HF_ENDPOINT: 'http://127.0.0.1:9' });
    expect(await hub.list()).toEqual(['config.json']);
    expect(notes.join()).toBe(
      'org/name: 127.0.0.1:9 refuses the connection: there is only what the cache has',
    );
  });

  test('is all there is offline', async () => {
    cache({ 'config.json': '{}' });
    const hub = await files('org/name', { HF_HUB_OFFLINE: '1' });
    expect(await hub.list()).toEqual(['config.json']);
    expect(await hub.open('model.safetensors')).toBeUndefined();
    expect(notes.join()).toContain('HF_HUB_OFFLINE is set, so there is only what the cache has of it');
    expect(server.seen).toEqual([]);
  });

  test('offline, what it has not is a clear error', async () => {
    addModel();
    cache({ 'config.json': '{}' }, 'org--name');
    const error = await refusal(files('org/nam', { HF_HUB_OFFLINE: '1' }));
    expect(error.message).toMatch(/^org\/nam: is not in the cache .*\/hub, and HF_HUB_OFFLINE is set$/);
    expect(error.hint).toBe('did you mean org/name?');
    const other = await refusal(files('org/name@v9', { TRANSFORMERS_OFFLINE: '1' }));
    expect(other.message).toMatch(/revision "v9" is not in the cache .*, and TRANSFORMERS_OFFLINE is set$/);
    expect(server.seen).toEqual([]);
  });

  test('is never written to', async () => {
    addModel();
    await openModel('org/name', { env, note });
    const { existsSync } = await import('node:fs');
    expect(existsSync(join(env.HOME!, '.cache', 'huggingface'))).toBe(false);
    expect(existsSync(join(env.HOME!, 'emb', 'http'))).toBe(true);
  });
});

describe('a URL', () => {
  test.each(['blob', 'resolve', 'raw'])(
    'of the hub by /%s/ is its file, asked for as a file',
    async (route) => {
      addModel();
      const place = await openRemote(
        `${server.url}/org/name/${route}/main/model.safetensors?download=true`,
        env,
        note,
      );
      expect(place.kind).toBe('file');
      expect(asked()).toEqual(['/api/models/org/name/revision/main']);
      expect(await (place.kind === 'file' && place.files.list())).toContain('config.json');
    },
  );

  test('of a page of the hub is the repository', async () => {
    addModel();
    expect((await openRemote(`${server.url}/org/name/tree/v1`, env, note)).kind).toBe('files');
    expect(asked()).toEqual(['/api/models/org/name/revision/v1']);
  });

  test('of a file that is not there names a near one', async () => {
    addModel();
    const error = await refusal(openRemote('hf:org/name/model.safetensor', env, note));
    expect(error.message).toBe('org/name: has no file "model.safetensor"');
    expect(error.hint).toBe('did you mean model.safetensors?');
  });

  test('of any other host is one file; its query and password are shown nowhere', async () => {
    addModel();
    server.add('x/y', 'f.safetensors', small);
    const url = `${server.url.replace('//', '//me:sesame@')}/x/y/resolve/main/f.safetensors?X-Amz-Signature=secret`;
    const model = await openModel(url, {
      env: { ...env, HF_ENDPOINT: 'https://huggingface.co', HF_TOKEN: 'hf_secret' },
      note,
    });
    expect((await (await model.table()).gather(Uint32Array.of(3))).data[0]).toBe(3);
    const shown = [model.name, ...(await model.contents()).files, ...notes].join();
    expect(shown).not.toMatch(/sesame|secret/);
    expect(server.seen[0]!.path).toContain('X-Amz-Signature=secret');
    for (const { headers } of server.seen) expect(headers.authorization).not.toContain('hf_');
    await model.close();
  });

  test('of a tokenizer.json is a tokenizer', async () => {
    server.add(
      'x/y',
      'tokenizer.json',
      '{"model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"}}',
    );
    const url = `${server.url}/x/y/resolve/main/tokenizer.json`;
    const model = await openModel(url, { env: { ...env, HF_ENDPOINT: 'https://huggingface.co' }, note });
    const tokenizer = await model.tokenizer();
    expect(tokenizer.idOf('a')).toBe(0);
  });
});
