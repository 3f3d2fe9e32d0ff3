import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

const work = mkdtempSync(join(tmpdir(), 'emb-bad-'));
const folder = join(work, 'model');
const weights = readFileSync('fixtures/model/gpt2-tiny/model.safetensors');
const tokenizer = readFileSync('fixtures/model/gpt2-tiny/tokenizer.json');
const npy = readFileSync('fixtures/formats/f4-le-C.npy');

afterAll(() => rmSync(work, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync('fixtures/model/gpt2-tiny', folder, { recursive: true });
});

/** One clear line, perhaps a hint, no stack, nothing on stdout, nothing written. */
function refused(args: string[], code = 1): string {
  const before = readdirSync(work, { recursive: true }).sort();
  const run = emb(args, { cwd: work });
  expect(run.stderr).toMatch(/^(emb: note: [^\n]+\n)*emb: [^\n]+\n(hint: [^\n]+\n)?$/);
  expect(run.code, run.stderr).toBe(code);
  expect(run.stdout).toBe('');
  expect(readdirSync(work, { recursive: true }).sort()).toEqual(before);
  return run.stderr;
}

/** A safetensors file of this header and so many bytes of data. */
function safetensors(header: string, bytes: number, length = Buffer.byteLength(header)): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([size, Buffer.from(header), Buffer.alloc(bytes)]);
}

const tensor = (shape: number[], offsets: [number, number], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe('files that are cut off', () => {
  const sixteenths = Array.from({ length: 16 }, (_, part) => part);

  test.each(sixteenths)('weights at %i/16', (part) => {
    writeFileSync(
      join(folder, 'model.safetensors'),
      weights.subarray(0, Math.floor((weights.length * part) / 16)),
    );
    expect(refused(['embed', '-m', folder, '--ids', '1'])).toContain('model.safetensors');
  });

  test.each(sixteenths)('a tokenizer at %i/16', (part) => {
    writeFileSync(
      join(folder, 'tokenizer.json'),
      tokenizer.subarray(0, Math.floor((tokenizer.length * part) / 16)),
    );
    expect(refused(['tokenize', '-m', folder, 'hello'])).toContain('tokenizer.json');
  });

  test.each(sixteenths)('an npy array at %i/16', (part) => {
    const path = join(work, 'cut.npy');
    writeFileSync(path, npy.subarray(0, Math.floor((npy.length * part) / 16)));
    expect(refused(['embed', '-m', path, '--ids', '0'])).toContain('cut.npy');
  });
});

describe('weights that do not fit their header', () => {
  const cases: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['a header longer than the file', safetensors('{}', 0, 1 << 20)],
    ['a header of 2^62 bytes', Buffer.concat([Buffer.from('0000000000000040', 'hex'), Buffer.from('{}')])],
    ['a header that is no JSON', safetensors('{"wte.weight": oops}', 16)],
    ['a header that is a list', safetensors('[1, 2]', 0)],
    ['offsets outside the file', safetensors(JSON.stringify({ 'wte.weight': tensor([2, 2], [0, 16]) }), 8)],
    [
      'offsets that run backwards',
      safetensors(JSON.stringify({ 'wte.weight': tensor([2, 2], [16, 0]) }), 16),
    ],
    [
      'a shape that is not the bytes',
      safetensors(JSON.stringify({ 'wte.weight': tensor([3, 2], [0, 16]) }), 16),
    ],
    [
      'a shape beyond 2^53',
      safetensors(JSON.stringify({ 'wte.weight': tensor([2 ** 40, 2 ** 40], [0, 16]) }), 16),
    ],
    ['a negative size', safetensors(JSON.stringify({ 'wte.weight': tensor([-2, -2], [0, 16]) }), 16)],
    [
      'overlapping tensors',
      safetensors(JSON.stringify({ a: tensor([2, 2], [0, 16]), b: tensor([2, 2], [8, 24]) }), 24),
    ],
    [
      'one name twice',
      safetensors(
        `{"a":${JSON.stringify(tensor([2, 2], [0, 16]))},"a":${JSON.stringify(tensor([2, 2], [16, 32]))}}`,
        32,
      ),
    ],
    ['a dtype of its own', safetensors(JSON.stringify({ 'wte.weight': tensor([2, 2], [0, 16], 'F33') }), 16)],
    ['a git-lfs pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 99\n')],
    ['text', Buffer.from('hello\n')],
  ];

  test.each(cases)('%s', (_, bytes) => {
    const path = join(work, 'model.safetensors');
    writeFileSync(path, bytes);
    expect(refused(['embed', '-m', path, '--ids', '0'])).toContain('model.safetensors');
  });

  test('a shard index that points outside its folder', () => {
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(work, 'secret.safetensors'), weights);
    for (const shard of [
      '../secret.safetensors',
      '%2e%2e/secret.safetensors',
      '/etc/passwd',
      '..\\secret.safetensors',
    ]) {
      const index = { metadata: {}, weight_map: { 'transformer.wte.weight': shard } };
      writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
      expect(refused(['embed', '-m', folder, '--ids', '0'])).toContain('outside the folder');
    }
  });
});

describe('JSON that is made to hurt', () => {
  test.each(['tokenizer.json', 'config.json'])(
    '200 MB of brackets in %s are refused within bounded memory',
    (name) => {
      writeFileSync(join(folder, name), Buffer.alloc(200 << 20, '['));
      const stderr = refused(['embed', '-m', folder, 'hello']);
      expect(stderr).toContain(name);
    },
  );

  test('200 MB of brackets as a safetensors header', () => {
    const path = join(work, 'deep.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(200 << 20));
    writeFileSync(path, Buffer.concat([length, Buffer.alloc(200 << 20, '[')]));
    expect(refused(['info', path])).toContain('deep.safetensors');
    rmSync(path);
  });

  test('a tokenizer of an unknown model', () => {
    const file = JSON.parse(tokenizer.toString('utf8')) as { model: { type: string } };
    file.model.type = 'Quantum';
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(file));
    expect(refused(['tokenize', '-m', folder, 'hello'])).toContain('Quantum');
  });
});

describe('wrong places', () => {
  test('a path that is not there gets the names that are', () => {
    expect(refused(['embed', '-m', 'model/model.safetensor', '--ids', '0'])).toContain(
      'did you mean model/model.safetensors?',
    );
    mkdirSync(join(work, 'empty'), { recursive: true });
    expect(refused(['embed', '-m', 'empty', '--ids', '0'])).toContain('has no weights');
    expect(refused(['embed', '-m', '/dev/zero', '--ids', '0'])).toContain('is a device');
  });

  test('an id beyond the table names both numbers', () => {
    expect(refused(['embed', '-m', folder, '--ids', '264'])).toContain(
      'id 264 is outside the table of 264 rows',
    );
  });

  test('a tensor that is not there gets a "did you mean"', () => {
    expect(refused(['embed', '-m', folder, '--tensor', 'transformer.wt.weight', '--ids', '0'])).toContain(
      'transformer.wte.weight',
    );
  });

  test('options of the scratch layer are refused beside a model', () => {
    expect(refused(['embed', '-m', folder, '--std', '2', '--ids', '0'], 2)).toContain(
      '--std is for the scratch layer',
    );
  });
});

describe('what is no path', () => {
  const long = 'a long sentence of plain English words '.repeat(130);

  test.each([300, 5_000])('a text of %i characters is a text', (length) => {
    const { stdout, stderr, code } = emb(['tokenize', long.slice(0, length), '-q', '--count']);
    expect(code, stderr).toBe(0);
    expect(Number(stdout)).toBeGreaterThan(length / 8);
    expect(
      emb(['embed', long.slice(0, length), '--pool', 'mean', '--dim', '4', '-q', '-f', 'f32']).code,
    ).toBe(0);
  });

  test('a name that is too long, or goes through a file, is one clear line', () => {
    for (const name of [long.slice(0, 300), 'model/config.json/x']) {
      refused(['embed', '-m', name, '--ids', '0']);
      refused(['info', name]);
      refused(['embed', '--file', name]);
      refused(['embed', 'x', '-f', 'csv', '-o', name]);
      refused(['embed', '-m', folder, '--ids', '0', '--projection', `${name}:w`]);
    }
  });

  test('a temporary folder that is none is said', () => {
    const run = emb(['embed', '--dim', '4', '-q', '-f', 'npy'], {
      input: 'hi\n',
      env: { TMPDIR: join(folder, 'config.json') },
    });
    expect(run.code, run.stderr).toBe(1);
    expect(run.stderr).toMatch(/^emb: temporary folder [^\n]+\n$/);
  });
});

describe('a vocabulary from a stranger', () => {
  const hostile = join('fixtures', 'tokenizers', 'hostile', 'tokenizer.json');
  const file = JSON.parse(readFileSync(hostile, 'utf8')) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  const ids = [...Object.values(file.model.vocab), ...file.added_tokens.map(({ id }) => id)];
  const drives = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

  test('holds what could drive a terminal', () => {
    expect(Object.keys(file.model.vocab).join('') + JSON.stringify(file.added_tokens)).toMatch(
      /\\u001b|\u202e|\\n|Ľ/,
    );
  });

  test.each(['table', 'md'])('and is shown escaped as %s', (format) => {
    const { stdout, stderr, code } = emb(['tokenize', '-m', hostile, '--ids', ids.join(','), '-f', format]);
    expect(code, stderr).toBe(0);
    expect(stdout.split('\n').length).toBeGreaterThan(ids.length);
    expect(stdout + stderr).not.toMatch(drives);
  });

  test('in error messages too', () => {
    const { stderr } = emb(['embed', '--token', '\x1b[31mred\u202e', '-m', folder]);
    expect(stderr).toContain('\\x1b[31mred\\u202e');
    expect(stderr).not.toMatch(drives);
  });
});
