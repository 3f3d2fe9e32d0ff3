import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { executable, type Outcome } from '../support/emb.ts';
import { HubServer, refuse, send, serveRange, virtualSafetensors } from '../support/hub-server.ts';

let server: HubServer;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await HubServer.start();
  folder = mkdtempSync(join(tmpdir(), 'emb-cli-hub-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.reset();
  const home = mkdtempSync(join(folder, 'home-'));
  env = {
    PATH: process.env.PATH,
    HOME: home,
    HF_ENDPOINT: server.url,
    EMB_HTTP_TIMEOUT: '0.5',
    HF_TOKEN: 'hf_sesame',
  };
});

/** The hub is in this process, so the executable runs beside it, not instead of it. */
function emb(args: readonly string[], more: NodeJS.ProcessEnv = {}, onStart?: (stop: () => void) => void) {
  return new Promise<Outcome & { signal: string | null; milliseconds: number }>((resolve) => {
    const started = Date.now();
    const run = spawn(process.execPath, [executable, ...args], {
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    run.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    run.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    run.on('close', (code, signal) => {
      resolve({ stdout, stderr, code: code ?? -1, signal, milliseconds: Date.now() - started });
    });
    onStart?.(() => run.kill('SIGINT'));
  });
}

const dim = 4096;
const tensor = 'model.embed_tokens.weight';

function addLarge(): void {
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  server.add('org/large', names[0]!, virtualSafetensors(128_256, dim, tensor, 8e9), true);
  server.add('org/large', names[1]!, virtualSafetensors(10, dim, 'lm_head.weight', 6e9), true);
  server.add(
    'org/large',
    'config.json',
    JSON.stringify({ model_type: 'llama', hidden_size: dim, vocab_size: 128_256 }),
  );
  const weightMap = { [tensor]: names[0], 'lm_head.weight': names[1] };
  server.add('org/large', 'model.safetensors.index.json', JSON.stringify({ weight_map: weightMap }));
}

const rows = ['embed', '-m', 'org/large', '--ids', '5,128000', '-f', 'jsonl'];
const vectorsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { vector: number[] }).vector);

describe('emb on a model of the hub', () => {
  test('two rows of 16 GB: seven requests and 100 KB, then four requests and 35 KB', async () => {
    addLarge();
    const first = await emb(rows);
    expect(first.stderr).not.toContain('bug');
    expect(first.code).toBe(0);
    expect(vectorsOf(first.stdout).map((vector) => [vector.length, vector[0], vector[1]])).toEqual([
      [dim, 5, 5.0009766],
      [dim, 128_000, 128_000],
    ]);
    expect(server.seen).toHaveLength(7);
    expect(server.sent).toBeLessThan(100_000);
    server.seen.length = 0;
    const second = await emb(rows);
    expect(second.stdout).toBe(first.stdout);
    expect(server.seen).toHaveLength(4);
    expect(server.sent).toBeLessThan(35_000);
  });

  test('kept connections do not hold the process', async () => {
    addLarge();
    await emb(rows);
    expect((await emb(rows)).milliseconds).toBeLessThan(3000);
  });

  test('the token goes to the hub alone, and is printed nowhere', async () => {
    addLarge();
    const good = await emb([...rows, '--debug']);
    expect(server.seen.map(({ origin, headers }) => `${origin} ${headers.authorization}`).sort()).toEqual([
      ...Array(3).fill('cdn undefined'),
      ...Array(4).fill('hub Bearer hf_sesame'),
    ]);
    server.fault = (_, response, { path }) => {
      if (path.startsWith('/api')) refuse(response, 403, 'GatedRepo');
      return path.startsWith('/api');
    };
    const bad = await emb([...rows, '--debug']);
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('emb: org/large: is gated: ');
    expect(bad.stderr).toContain('hint: accept its terms at ');
    for (const { stdout, stderr } of [good, bad]) expect(stdout + stderr).not.toMatch(/sesame/);
  });

  test('the signature of a redirect is printed nowhere', async () => {
    addLarge();
    server.fault = (_, response, { origin }) => {
      if (origin === 'cdn') refuse(response, 403);
      return origin === 'cdn';
    };
    const { code, stdout, stderr } = await emb([...rows, '--debug']);
    expect(code).toBe(1);
    expect(stderr).toContain('does not give it to us (403)');
    expect(stdout + stderr).not.toMatch(/sesame|Signature/);
  });

  test('a 429 and a 503 on the way cost time only', async () => {
    addLarge();
    const left = [503, 429];
    server.fault = (_, response) => {
      const status = left.pop();
      if (status !== undefined) send(response, status, { 'retry-after': '1' });
      return status !== undefined;
    };
    const { code, stdout } = await emb(rows);
    expect(code).toBe(0);
    expect(vectorsOf(stdout)).toHaveLength(2);
  });

  test('a file that changes between its header and its rows is no answer', async () => {
    addLarge();
    server.fault = (request, response, { origin }) => {
      if (origin !== 'cdn' || request.headers.range?.startsWith('bytes=0-')) return false;
      delete request.headers['if-range'];
      const file = server.file('org/large', 'model-00001-of-00002.safetensors');
      serveRange({ ...file, etag: '"other"' }, request, response);
      return true;
    };
    const { code, stdout, stderr } = await emb(rows);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/changed while it was read: its tag is "other", expected /);
    expect(stderr).toContain('hint: run it again');
  });

  test('a server that ignores Range is left after the first bytes', async () => {
    addLarge();
    server.fault = (request) => {
      delete request.headers.range;
      return false;
    };
    const { code, stderr } = await emb(rows);
    expect(code).toBe(1);
    expect(stderr).toContain('expected byte ranges');
    expect(server.sent).toBeLessThan(20e6);
  });

  test('a server that stalls is given up, and Ctrl-C does not wait for that', async () => {
    server.fault = () => true;
    const stalled = await emb(rows, { EMB_HTTP_TIMEOUT: '0.1' });
    expect(stalled.code).toBe(1);
    expect(stalled.stderr).toMatch(/answers nothing for 0.1 s, tried 5 times/);
    const stopped = await emb(
      [...rows, '-o', join(env.HOME!, 'out.jsonl')],
      { EMB_HTTP_TIMEOUT: '60' },
      (stop) => {
        const wait = setInterval(() => {
          if (server.seen.length < 6) return;
          clearInterval(wait);
          stop();
        }, 20);
      },
    );
    expect(stopped.signal ?? stopped.code).toMatch(/SIGINT|130/);
    expect(stopped.milliseconds).toBeLessThan(5000);
  });

  test('offline it says what is missing', async () => {
    const { code, stderr } = await emb(rows, { HF_HUB_OFFLINE: '1' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/org\/large: is not in the cache .*, and HF_HUB_OFFLINE is set/);
    expect(server.seen).toEqual([]);
  });

  test('info and stats read what they need', async () => {
    server.add(
      'org/small',
      'config.json',
      JSON.stringify({ model_type: 'llama', hidden_size: 64, vocab_size: 9000 }),
    );
    server.add('org/small', 'model.safetensors', virtualSafetensors(9000, 64, tensor, 64), true);
    const info = await emb(['info', 'org/small', '-f', 'json']);
    expect(info.code).toBe(0);
    expect(info.stdout).toContain(tensor);
    expect(server.sent).toBeLessThan(70_000);
    server.seen.length = 0;
    const stats = await emb(['stats', '-m', 'org/small', '-f', 'json']);
    expect(stats.code).toBe(0);
    expect(JSON.stringify(JSON.parse(stats.stdout))).toContain('9000');
    expect(server.seen.length).toBeLessThan(8);
  });
});

describe('emb on other remote models', () => {
  test('one file by its URL, whose query is printed nowhere', async () => {
    server.add('x/y', 'f.safetensors', virtualSafetensors(100, 8, tensor, 8));
    const url = `${server.url}/x/y/resolve/main/f.safetensors?Signature=sesame`;
    const other = { HF_ENDPOINT: 'https://huggingface.co' };
    const { code, stdout, stderr } = await emb(['embed', '-m', url, '--ids', '7'], other);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('7.001');
    const info = await emb(['info', url, '--debug'], other);
    const missing = await emb(['info', url.replace('f.s', 'g.s'), '--debug'], other);
    expect(missing.code).toBe(1);
    for (const run of [{ stdout, stderr }, info, missing])
      expect(run.stdout + run.stderr).not.toContain('sesame');
  });

  test('a model of Ollama by its name', async () => {
    const store = join(env.HOME!, '.ollama', 'models');
    const manifests = join(store, 'manifests/registry.ollama.ai/library/tiny');
    const hex = '5'.repeat(64);
    for (const path of [manifests, join(store, 'blobs')]) mkdirSync(path, { recursive: true });
    copyFileSync('fixtures/gguf/v3.gguf', join(store, 'blobs', `sha256-${hex}`));
    const size = statSync('fixtures/gguf/v3.gguf').size;
    const layers = [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${hex}`, size }];
    writeFileSync(join(manifests, 'latest'), JSON.stringify({ layers }));
    const found = await emb(['info', 'ollama:tiny', '-f', 'json']);
    expect(found.code).toBe(0);
    expect(found.stdout.toLowerCase()).toContain('gguf');
    const near = await emb(['info', 'ollama:tini']);
    expect(near.code).toBe(1);
    expect(near.stderr).toContain('hint: did you mean ollama:tiny?');
  });
});
