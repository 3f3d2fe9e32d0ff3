import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/open.ts';
import { fixture, safetensors } from '../formats/tables.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'emb-model-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
function folder(files: Record<string, string | Uint8Array>, from?: string): string {
  const path = join(root, `m${count++}`);
  mkdirSync(path);
  if (from) cpSync(fixture(from), path, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

/** Tensors of U8 [rows, cols], filled with 1, 2, 3 ... */
function tensors(shapes: Record<string, number[]>): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'U8', shape, data_offsets: [end, end + size] };
    end += size;
  }
  return safetensors(
    header,
    Uint8Array.from({ length: end }, (_, index) => index + 1),
  );
}

async function failure(
  ref: string,
  use: (model: Awaited<ReturnType<typeof openModel>>) => unknown = (model) => model.table(),
) {
  try {
    const model = await openModel(ref);
    try {
      await use(model);
    } finally {
      await model.close();
    }
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError' });
    return error as { code: string; message: string; hint?: string };
  }
  throw new Error('was accepted');
}

describe('what a REF means', () => {
  test('a missing file is missing, with the name that was meant', async () => {
    const path = folder({ 'model.safetensors': tensors({ 'wte.weight': [2, 2] }) });
    const error = await failure(join(path, 'model.safetensor'));
    expect(error).toMatchObject({
      code: 'missing',
      hint: `did you mean ${join(path, 'model.safetensors')}?`,
    });
    expect(await failure('no-such-model')).toMatchObject({
      code: 'missing',
      message: 'no-such-model: no such file or folder',
    });
    expect(await failure('absent/model.gguf')).toMatchObject({ message: 'absent/model.gguf: no such file' });
    expect(await failure('')).toMatchObject({ code: 'usage' });
  });

  test.each(['hf:openai-community/gpt2', 'openai-community/gpt2'])(
    '%s is asked of the hub, which HF_HUB_OFFLINE turns off',
    async (ref) => {
      const env = { HF_HUB_OFFLINE: '1', HF_HOME: join(root, 'no-cache') };
      await expect(openModel(ref, { env })).rejects.toMatchObject({
        code: 'missing',
        message: expect.stringContaining('openai-community/gpt2'),
      });
    },
  );

  test('ollama: names what its store lacks, other schemes are refused', async () => {
    const env = { OLLAMA_MODELS: join(root, 'no-store') };
    await expect(openModel('ollama:llama3', { env })).rejects.toMatchObject({ code: 'missing' });
    expect(await failure('ftp://example.org/model.safetensors')).toMatchObject({ code: 'unsupported' });
  });

  test('a name in a folder that is here is a missing path, not a repository', async () => {
    expect(await failure('fixtures/gpt2')).toMatchObject({
      message: 'fixtures/gpt2: no such file or folder',
      hint: 'hf:fixtures/gpt2 asks the hub',
    });
    expect(await failure('absent/model.safetensors')).toMatchObject({
      message: 'absent/model.safetensors: no such file',
    });
  });

  test('devices, broken JSON and configs are refused', async () => {
    expect((await failure('/dev/null')).message).toContain('is a device');
    const path = folder({ 'config.json': '{}', 'x.safetensors.index.json': '{"weight_map": ' });
    expect(await failure(join(path, 'config.json'))).toMatchObject({ hint: `give its folder: ${path}` });
    expect((await failure(join(path, 'x.safetensors.index.json'))).message).toContain('is no valid JSON');
  });
});

describe('folders', () => {
  test('weights are model.safetensors, else the only safetensors file', async () => {
    const one = folder({ 'weights.safetensors': tensors({ 'wte.weight': [2, 3] }) });
    const model = await openModel(one);
    expect((await model.table()).rows).toBe(2);
    expect((await model.contents()).files).toEqual([join(one, 'weights.safetensors')]);
    await model.close();
    const two = folder({ 'a.safetensors': tensors({}), 'b.safetensors': tensors({}) });
    expect((await failure(two)).hint).toBe('name one of them: a.safetensors, b.safetensors');
    expect((await failure(folder({ 'pytorch_model.bin': 'x' }))).message).toContain('pytorch_model.bin: ');
    expect((await failure(folder({}))).message).toContain('has no weights');
  });

  test('a broken config is an error, an absent one is none', async () => {
    const weights = { 'model.safetensors': tensors({ 'wte.weight': [2, 3] }) };
    expect((await failure(folder({ ...weights, 'config.json': '{' }))).message).toContain(
      'config.json: is no valid JSON',
    );
    expect((await failure(folder({ ...weights, 'config.json': '[]' }))).message).toContain(
      'is no JSON object',
    );
    const model = await openModel(folder(weights));
    expect(model.config).toEqual({});
    await model.close();
  });

  test('a vocabulary without its merges is refused by name', async () => {
    const path = folder({ 'model.safetensors': tensors({ 'wte.weight': [2, 3] }), 'vocab.json': '{}' });
    const error = await failure(path, (model) => model.tokenizer());
    expect(error).toMatchObject({ code: 'unsupported', message: expect.stringContaining('vocab.json') });
    const none = await failure(folder({ 'model.safetensors': tensors({}) }), (model) => model.tokenizer());
    expect(none).toMatchObject({
      code: 'missing',
      message: expect.stringContaining('has no tokenizer.json'),
    });
  });

  test('a git-lfs pointer in place of the weights is said', async () => {
    const path = folder({
      'model.safetensors': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
    });
    expect(await failure(path)).toMatchObject({
      message: expect.stringContaining('git-lfs pointer'),
      hint: 'git lfs pull',
    });
  });
});

describe('shards', () => {
  const index = (map: Record<string, string>) =>
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });

  test('only the shard that holds the table is opened; contents() opens all', async () => {
    const path = folder({ 'model-00002-of-00003.safetensors': 'broken' }, 'model/llama-sharded');
    const model = await openModel(path);
    expect((await model.table()).rows).toBe(48);
    expect((await model.table('output')).tensorName).toBe('lm_head.weight');
    await expect(model.contents()).rejects.toThrow('model-00002-of-00003.safetensors');
    await model.close();
  });

  test.each([
    '../a.safetensors',
    '/etc/passwd',
    '..\\a.safetensors',
    'x/../../a',
    '%2e%2e/a',
    '%2e%2e%2fa',
    'C:\\a',
    'a\0b',
    '',
    './a',
    'a//b',
  ])('a shard named %j points outside', async (shard) => {
    const path = folder({ 'model.safetensors.index.json': index({ 'wte.weight': shard }) });
    expect(await failure(path)).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('points outside the folder'),
    });
  });

  test('a link out of the folder is followed, as the Hugging Face cache has it', async () => {
    const blobs = folder({ blob: tensors({ 'wte.weight': [3, 3] }) });
    const path = folder({ 'model.safetensors.index.json': index({ 'wte.weight': 'shard.safetensors' }) });
    symlinkSync(join(blobs, 'blob'), join(path, 'shard.safetensors'));
    const model = await openModel(path);
    expect((await model.table()).rows).toBe(3);
    await model.close();
  });

  test('what an index gets wrong is named', async () => {
    const missing = folder({ 'model.safetensors.index.json': index({ 'wte.weight': 'a.safetensors' }) });
    expect((await failure(missing)).message).toContain('a.safetensors: no such file');
    const other = folder({
      'model.safetensors.index.json': index({ 'wte.weight': 'a.safetensors' }),
      'a.safetensors': tensors({ b: [1, 1] }),
    });
    expect((await failure(other)).message).toContain(
      'tensor "wte.weight" is said to be in a.safetensors, which does not have it',
    );
    const twice = folder({ 'model.safetensors.index.json': '{"weight_map":{"a":"x","a":"y"}}' });
    expect((await failure(twice)).message).toContain('"a" stands twice');
    for (const wrong of [
      '{}',
      '{"weight_map":{}}',
      '{"weight_map":[]}',
      '{"weight_map":{"a":1}}',
      `{"weight_map":${'['.repeat(1e6)}`,
    ]) {
      expect((await failure(folder({ 'model.safetensors.index.json': wrong }))).code).toBe('corrupt');
    }
  });
});

describe('which tensor', () => {
  test('--tensor takes any two-dimensional tensor and names near ones', async () => {
    const path = folder({
      'model.safetensors': tensors({ 'wte.weight': [2, 3], other: [4, 5], bias: [3], cube: [1, 2, 3] }),
    });
    const model = await openModel(path, { tensor: 'other' });
    expect((await model.table()).dim).toBe(5);
    expect((await model.table('input', 'wte.weight')).dim).toBe(3);
    await expect(model.table('input', 'wte.weigth')).rejects.toMatchObject({
      hint: 'did you mean wte.weight?',
    });
    await expect(model.table('input', 'bias')).rejects.toThrow('has the shape [3], expected two dimensions');
    await expect(model.table('input', 'cube')).rejects.toThrow(
      'has the shape [1, 2, 3], expected two dimensions',
    );
    await model.close();
  });

  test('--tensor replaces the input table, not the tables beside it', async () => {
    const path = folder({
      'model.safetensors': tensors({ 'wte.weight': [2, 3], 'wpe.weight': [4, 3], other: [5, 3] }),
    });
    const model = await openModel(path, { tensor: 'other' });
    expect((await model.table('position')).tensorName).toBe('wpe.weight');
    expect((await model.table(undefined, undefined)).tensorName).toBe('other');
    expect((await model.roles())[0]).toEqual({
      layer: 'input',
      tensor: 'other',
      reason: 'named by --tensor',
    });
    await model.close();
    const wrong = await openModel(path, { tensor: 'othr' });
    await expect(wrong.roles()).rejects.toThrow('has no tensor "othr"');
    await wrong.close();
  });

  test('roles of an ambiguous file list every candidate', async () => {
    const path = folder({
      'model.safetensors': tensors({ 'a.embed_tokens.weight': [2, 3], 'b.embed_tokens.weight': [2, 3] }),
    });
    const model = await openModel(path);
    const reason = 'one of 2 that may be it: choose by --tensor';
    expect(await model.roles()).toEqual([
      { layer: 'input', tensor: 'a.embed_tokens.weight', reason },
      { layer: 'input', tensor: 'b.embed_tokens.weight', reason },
    ]);
    await model.close();
  });

  test('candidates are listed when names do not decide', async () => {
    const path = folder({
      'model.safetensors': tensors({ 'a.embed_tokens.weight': [2, 3], 'b.embed_tokens.weight': [2, 3] }),
    });
    expect(await failure(path)).toMatchObject({
      message: expect.stringContaining('2 tensors may be the input embedding'),
      hint: 'choose by --tensor: a.embed_tokens.weight, b.embed_tokens.weight',
    });
    const unknown = folder({ 'model.safetensors': tensors({ x: [2, 3], y: [4, 3], z: [3] }) });
    expect(await failure(unknown)).toMatchObject({ hint: 'choose by --tensor: x [2, 3], y [4, 3]' });
    expect((await failure(unknown, (model) => model.table('position'))).message).toContain(
      'the position embedding',
    );
  });

  test('the only two-dimensional tensor is taken, and said to be that', async () => {
    const model = await openModel(folder({ 'model.safetensors': tensors({ x: [2, 3], z: [3] }) }));
    expect(await model.roles()).toEqual([
      { layer: 'input', tensor: 'x', reason: 'the only two-dimensional tensor' },
    ]);
    await model.close();
  });

  test('a missing head of a model that is not tied is no input table', async () => {
    const path = folder({
      'model.safetensors': tensors({ 'model.embed_tokens.weight': [2, 3] }),
      'config.json': '{"tie_word_embeddings":false}',
    });
    expect((await failure(path, (model) => model.table('output'))).message).toContain(
      'not tied to the input',
    );
  });

  test('packed weights are refused', async () => {
    const path = folder({
      'model.safetensors': tensors({
        'model.embed_tokens.weight': [2, 3],
        'model.embed_tokens.scales': [2, 1],
      }),
    });
    expect((await failure(path)).message).toContain(
      'is quantized (unknown mode: U8 with model.embed_tokens.scales)',
    );
  });
});

describe('lone files', () => {
  const notes: string[] = [];
  const note = (message: string) => notes.push(message);

  test('an npy file is a table by itself; a 1-D one is listed and refused', async () => {
    const model = await openModel(fixture('formats/f4-le-F.npy'));
    expect((await model.table()).rows).toBe(7);
    expect(await model.hasTokenizer()).toBe(false);
    await model.close();
    const flat = await openModel(fixture('formats/one-dimension.npy'));
    expect((await flat.contents()).tensors[0].shape).toEqual([6]);
    await expect(flat.table()).rejects.toThrow('has the shape [6], expected two dimensions');
    await flat.close();
  });

  test('model*.safetensors takes the config beside it; others only one that fits, with a note', async () => {
    const config = '{"model_type":"gpt2","n_embd":3}';
    const path = folder({
      'config.json': config,
      'model.safetensors': tensors({ 'wte.weight': [2, 3] }),
      'x.safetensors': tensors({ x: [2, 3] }),
      'y.safetensors': tensors({ y: [2, 4] }),
    });
    const read = async (name: string) => {
      notes.length = 0;
      const model = await openModel(join(path, name), { note });
      await model.close();
      return [model.config.model_type, notes.length];
    };
    expect(await read('model.safetensors')).toEqual(['gpt2', 0]);
    expect(await read('x.safetensors')).toEqual(['gpt2', 1]);
    expect(await read('y.safetensors')).toEqual([undefined, 0]);
  });

  test('the tokenizer beside a file counts when the file has a row for each of its ids', async () => {
    const json = readFileSync(fixture('model/gpt2-tiny/tokenizer.json'));
    const path = folder({
      'tokenizer.json': json,
      'x.safetensors': tensors({ x: [265, 1] }),
      'y.safetensors': tensors({ x: [200, 1] }),
    });
    notes.length = 0;
    const fitting = await openModel(join(path, 'x.safetensors'), { note });
    expect((await fitting.tokenizer()).vocabSize).toBe(264);
    await fitting.table();
    expect(notes).toEqual([
      `tokenizer: ${join(path, 'tokenizer.json')}, which lies beside the file`,
      'table has 265 rows, the tokenizer 264 ids: 1 padding row',
    ]);
    await fitting.close();
    const error = await failure(join(path, 'y.safetensors'), (model) => model.tokenizer());
    expect(error.message).toContain('has 264 ids, expected at most 200');
  });

  test('a header whose length reads as a brace is no JSON file', async () => {
    const entry = JSON.stringify({ w: { dtype: 'F32', shape: [1, 1], data_offsets: [0, 4] } });
    // 31,520 is 0x7b20: a space and a brace.
    const file = Buffer.concat([
      Buffer.from([0x20, 0x7b, 0, 0, 0, 0, 0, 0]),
      Buffer.from(entry.padEnd(0x7b20)),
      Buffer.alloc(4),
    ]);
    const model = await openModel(join(folder({ 'x.safetensors': file }), 'x.safetensors'));
    expect((await model.contents()).tensors.map(({ name }) => name)).toEqual(['w']);
    await model.close();
  });

  test('a lone shard opens alone', async () => {
    const model = await openModel(fixture('model/llama-sharded/model-00003-of-00003.safetensors'));
    expect((await model.contents()).tensors.map(({ name }) => name)).toEqual(['lm_head.weight']);
    await model.close();
  });
});
