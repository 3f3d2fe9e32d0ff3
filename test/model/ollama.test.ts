import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOllamaModel } from '../../src/model/ollama.ts';

const hex = 'ab'.repeat(32);
let store: string;

/** As `ollama pull` writes it (server/images.go of Ollama). */
function manifest(layers: unknown): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: `sha256:${'cd'.repeat(32)}`,
      size: 485,
    },
    layers,
  });
}

const model = { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${hex}`, size: 4 };
const license = {
  mediaType: 'application/vnd.ollama.image.license',
  digest: `sha256:${'ef'.repeat(32)}`,
  size: 9,
};

function put(path: string, text: string): void {
  mkdirSync(dirname(join(store, path)), { recursive: true });
  writeFileSync(join(store, path), text);
}

beforeAll(() => {
  store = mkdtempSync(join(tmpdir(), 'emb-ollama-'));
  put(`blobs/sha256-${hex}`, 'GGUF');
  const library = 'manifests/registry.ollama.ai/library';
  put(`${library}/llama3.2/latest`, manifest([license, model]));
  put(`${library}/llama3.2/1b`, manifest([model]));
  put('manifests/registry.ollama.ai/me/mine/q4', manifest([model]));
  put('manifests/hf.co/bartowski/Llama-3.2-1B-GGUF/Q4_K_M', manifest([model]));
  put('manifests/localhost:5000/me/mine/latest', manifest([model]));
  put(`${library}/broken/digest`, manifest([{ ...model, digest: 'sha256:../../../etc/passwd' }]));
  put(`${library}/broken/size`, manifest([{ ...model, size: 5 }]));
  put(`${library}/broken/blob`, manifest([{ ...model, digest: `sha256:${'12'.repeat(32)}` }]));
  put(`${library}/broken/layers`, '{"layers": 4}');
  put(`${library}/broken/list`, '{"layers": [null, 3, {}]}');
  put(`${library}/broken/json`, '{"layers"');
  put(`${library}/broken/null`, 'null');
  put(
    `${library}/other/latest`,
    manifest([{ mediaType: 'application/vnd.ollama.image.tensor', digest: 'x', size: 1 }]),
  );
});
afterAll(() => rmSync(store, { recursive: true }));

const find = (ref: string) => findOllamaModel(ref, { OLLAMA_MODELS: store });

describe('a model in the store of Ollama', () => {
  test.each([
    'ollama:llama3.2',
    'ollama:llama3.2:latest',
    'ollama:llama3.2:1b',
    'ollama:LLAMA3.2:1B',
    'ollama:library/llama3.2',
    'ollama:registry.ollama.ai/library/llama3.2:1b',
    'ollama:me/mine:q4',
    'ollama:hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M',
    'ollama:hf.co/bartowski/llama-3.2-1b-gguf:q4_k_m',
    'ollama:localhost:5000/me/mine',
    'ollama://llama3.2',
  ])('%s is its blob', (ref) => {
    expect(find(ref)).toBe(join(store, 'blobs', `sha256-${hex}`));
  });

  test('blobs of old versions have a colon in their name', () => {
    const old = mkdtempSync(join(store, 'old-'));
    mkdirSync(join(old, 'blobs'));
    mkdirSync(join(old, 'manifests/registry.ollama.ai/library/a'), { recursive: true });
    writeFileSync(join(old, 'manifests/registry.ollama.ai/library/a/latest'), manifest([model]));
    writeFileSync(join(old, 'blobs', `sha256:${hex}`), 'GGUF');
    expect(findOllamaModel('ollama:a', { OLLAMA_MODELS: old })).toBe(join(old, 'blobs', `sha256:${hex}`));
  });

  test('the store is in the home folder unless OLLAMA_MODELS names it', () => {
    const home = mkdtempSync(join(store, 'home-'));
    mkdirSync(join(home, '.ollama'), { recursive: true });
    expect(() => findOllamaModel('ollama:a', { HOME: home })).toThrow(
      `ollama:a: there is no store of Ollama in ${home}/.ollama/models`,
    );
  });

  test.each([
    ['ollama:llama3.1', /is not among the \d+ models in .*/, 'did you mean ollama:llama3.2'],
    ['ollama:llama3.2:3b', /is not among/, 'did you mean ollama:llama3.2:1b'],
    ['ollama:mine:q4', /is not among/, 'ollama'],
    ['ollama:broken:digest', /"digest" is "sha256:\.\.\/.*expected sha256/, undefined],
    ['ollama:broken:size', /its blob is 4 bytes, expected 5/, 'ollama pull broken:size'],
    ['ollama:broken:blob', /its blob sha256-12.* is not in .*blobs/, 'ollama pull broken:blob'],
    ['ollama:broken:layers', /has no "layers"/, undefined],
    ['ollama:broken:list', /has no layer of type application\/vnd.ollama.image.model/, undefined],
    ['ollama:broken:json', /is no valid JSON/, undefined],
    ['ollama:broken:null', /has no "layers"/, undefined],
    ['ollama:other', /has no layer of type .*, expected a GGUF/, 'application/vnd.ollama.image.tensor'],
    ['ollama:', /is no name of an Ollama model/, undefined],
    ['ollama:../../x', /is no name of an Ollama model/, undefined],
    ['ollama:a/b/c/d', /is no name of an Ollama model/, undefined],
    ['ollama:a:', /is no name of an Ollama model/, undefined],
    [`ollama:a:${'x'.repeat(300)}`, /is no name of an Ollama model/, undefined],
  ])('%s is refused', (ref, message, hint) => {
    let error: { message?: string; hint?: string; name?: string } = {};
    try {
      find(ref);
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error.name).toBe('EmbError');
    expect(error.message).toMatch(message);
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });
});
