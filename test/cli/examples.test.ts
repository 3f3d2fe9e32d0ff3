import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/commands/index.ts';
import { shell } from '../support/emb.ts';

/** Folders that examples speak of, and the fixtures that stand for them. */
const standIns: Record<string, string> = {
  './gpt2': 'fixtures/model/gpt2-tiny',
  './bert': 'fixtures/model/bert-tiny',
  'model-folder': 'fixtures/model/gpt2-tiny',
  'model.safetensors': 'fixtures/model/gpt2-tiny/model.safetensors',
  'emb.lock': 'fixtures/lock/gpt2-tiny.lock',
  'x.npy': 'fixtures/formats/f4-le-C.npy',
  'corpus.txt': 'README.md',
  'questions.txt': 'fixtures/words-eval/analogies.txt',
  'pairs.tsv': 'fixtures/words-eval/pairs.tsv',
  'vectors.txt': 'fixtures/words-eval/vectors.txt',
};

const onFixtures = (line: string) => {
  let result = line;
  for (const [name, fixture] of Object.entries(standIns)) {
    result = result.replace(
      new RegExp(`(^|\\s)${name.replaceAll('.', '\\.')}(?=\\s|$)`, 'g'),
      `$1${fixture}`,
    );
  }
  return result;
};

/** What the format says of every output; other formats are no text, or free of form. */
function expectFormat(line: string, stdout: string): void {
  const last = line.split('|').at(-1)!;
  const format = /\semb\s|^emb\s/.test(last) ? /\s-f (\w+)/.exec(last)?.[1] : undefined;
  const lines = stdout.trimEnd().split('\n');
  if (format === 'json') JSON.parse(stdout);
  if (format === 'jsonl') for (const one of lines) JSON.parse(one);
  if (format === 'ids') for (const id of stdout.trim().split(/[\s,]+/)) expect(id).toMatch(/^\d+$/);
  if (format === 'svg') expect(stdout).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  if (format === 'npy') expect(stdout.slice(1, 6)).toBe('NUMPY');
  if (format === 'torch') expect(stdout).toMatch(/^tensor\(/);
  if (format === 'csv') expect(lines[0]).toMatch(/^[\w.]+(,[\w.]+)*$/);
}

for (const [name, entry] of Object.entries(commands)) {
  const { examples } = await entry.load();
  describe(`examples of emb ${name} --help`, () => {
    test.each(examples.map((example) => example.line))('%s', (line) => {
      const { stdout, stderr, code } = shell(onFixtures(line));
      expect(code, stderr).toBe(0);
      expect(stdout.length).toBeGreaterThan(0);
      expect(stderr).not.toMatch(/^emb: (?!note:|warning:)/m);
      expectFormat(line, stdout);
    });
  });
}

describe('commands of the README', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
    (match) => match[1]!,
  );
  const lines = blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').replace(/^npm ci && npx /, ''))
    .filter((line) => line !== '' && !line.startsWith('npm ci'))
    .map((line) => line.replace(/ > \S+$/, ' > /dev/null'));

  test.each(lines)('%s', (line) => {
    const { stderr, code } = shell(onFixtures(line));
    expect(code, stderr).toBe(0);
  });
});
