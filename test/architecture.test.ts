import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const source = resolve('src');

/** Folder → folders it may import values from; `root` is src/*.ts. docs/architecture.md draws the same. */
const allowed: Record<string, string[]> = {
  root: ['root', 'model', 'tokenizers'],
  text: [],
  kernels: ['root', 'generated'],
  bytes: ['root', 'kernels'],
  dtypes: ['root', 'text', 'kernels'],
  core: ['root', 'text', 'kernels'],
  render: ['root', 'text', 'kernels'],
  formats: ['root', 'bytes', 'dtypes', 'kernels'],
  tokenizers: ['root', 'bytes', 'text', 'kernels', 'generated'],
  model: ['root', 'bytes', 'dtypes', 'core', 'formats', 'text', 'tokenizers'],
  commands: ['root', 'text', 'core'],
  cli: ['root', 'bytes', 'commands', 'core', 'formats', 'model', 'render', 'text', 'tokenizers'],
  generated: [],
};

const packages: Record<string, string[]> = {
  cli: ['commander'],
  render: ['chalk', 'cli-table3'],
  core: ['ndarray'],
  model: ['ndarray'],
  text: ['fast-string-width'],
  commands: ['ndarray'],
};

const builtins: Record<string, string[]> = {
  bytes: [
    'node:buffer',
    'node:crypto',
    'node:fs',
    'node:http',
    'node:https',
    'node:net',
    'node:os',
    'node:path',
    'node:stream',
    'node:tls',
    'node:zlib',
  ],
  cli: ['node:fs', 'node:os', 'node:worker_threads'],
  core: ['node:crypto'],
  // A flag of the engine around the compiling of a kernel.
  kernels: ['node:v8'],
  model: ['node:path'],
  tokenizers: ['node:buffer'],
};

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(
    (path) =>
      path.endsWith('.ts') && !path.startsWith(join('kernels', 'assembly')) && !path.startsWith('generated'),
  )
  .map((path) => join(source, path));

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\s\S]*?\sfrom\s+)?'([^']+)';?$/gm)) {
    found.push({ from: file, to: match[2]!, typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\('([^']+)'\)/g))
    found.push({ from: file, to: match[1]!, typeOnly: false });
  return found;
}

const folderOf = (file: string) => {
  const path = relative(source, file);
  return path.includes(sep) ? path.split(sep)[0]! : 'root';
};

const imports = files.flatMap(importsOf);

describe('who may import whom', () => {
  test('the sources are found and import something', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(100);
  });

  test('folders import only what stands in their row', () => {
    const wrong = imports
      .filter(({ to }) => to.startsWith('.'))
      .filter(({ from, to, typeOnly }) => {
        const target = folderOf(resolve(dirname(from), to));
        const here = folderOf(from);
        return target !== here && !(typeOnly && target === 'root') && !allowed[here]!.includes(target);
      })
      .map(({ from, to }) => `${relative(source, from)} → ${to}`);
    expect(wrong).toEqual([]);
  });

  test('packages are imported only where they are allowed', () => {
    const wrong = imports
      .filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
      .filter(({ from, to, typeOnly }) => !typeOnly && !(packages[folderOf(from)] ?? []).includes(to))
      .map(({ from, to }) => `${relative(source, from)} → ${to}`);
    expect(wrong).toEqual([]);
  });

  test('the machine is touched only where it is allowed', () => {
    const wrong = imports
      .filter(({ to }) => to.startsWith('node:'))
      .filter(({ from, to }) => !(builtins[folderOf(from)] ?? []).includes(to))
      .map(({ from, to }) => `${relative(source, from)} → ${to}`);
    expect(wrong).toEqual([]);
  });

  test('only cli/main ends the process', () => {
    const wrong = files
      .filter((file) => /process\.exit\(/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(source, file));
    expect(wrong).toEqual([join('cli', 'main.ts')]);
  });
});

describe('sizes and names', () => {
  const data =
    /^(model\/(presets\/|embedding-names)|core\/random\/.*(tables|constants|polynomial)|text\/.*table)/;

  test('files stay under 300 lines, data tables excepted', () => {
    const long = files
      .map((file) => ({ file: relative(source, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ file, lines }) => lines > 301 && !data.test(file.split(sep).join('/')));
    expect(long).toEqual([]);
  });

  test('no file is named after nothing', () => {
    const empty = files.filter((file) =>
      /\b(utils?|helpers?|manager|handler|misc|common)\b/.test(relative(source, file)),
    );
    expect(empty).toEqual([]);
  });
});
