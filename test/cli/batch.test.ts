import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { emb, embBytes, shell, start } from '../support/emb.ts';

/** Lines of every kind. */
const lines = Array.from({ length: 60_000 }, (_, i) => {
  const kinds = [
    `line ${i} of the corpus, "quoted", with words`,
    '',
    `naïve café ${i} 日本語 😀`,
    `tab\t${i}\r`,
    ' ',
  ];
  return kinds[i % kinds.length]!;
});
const sentence = 'The quick brown fox jumps over the lazy dog. ';
/** More than one thread goes through alone, by its bytes; the last line is without its end. */
const corpus = `${sentence.repeat(60_000)}\n${lines.join('\n')}`;
/** The same by the time that it takes where every token is a row. */
const smallCorpus = `${sentence.repeat(3000)}\n${lines.slice(0, 15_000).join('\n')}`;
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('texts that threads share', () => {
  test.each([
    ['ids', corpus, ['-f', 'ids']],
    ['csv', smallCorpus, ['-f', 'csv']],
    ['tsv', smallCorpus, ['-f', 'tsv', '--spans', 'bytes']],
    ['counts', corpus, ['--count']],
    ['two tokenizers', smallCorpus, ['--compare', 'gpt2,cl100k_base', '-f', 'csv']],
    ['another tokenizer', corpus, ['-m', 'fixtures/model/bert-tiny', '-f', 'ids', '--truncate', '4']],
    ['texts that end with NUL', corpus.replaceAll('\n', '\0'), ['-f', 'ids', '--null']],
  ])('are answered as by one: %s', (_, input, args) => {
    const alone = embBytes(['tokenize', '-q', ...args, '--threads', '1'], input);
    expect(alone.length).toBeGreaterThan(100_000);
    for (const threads of ['2', '3']) {
      const shared = embBytes(['tokenize', '-q', ...args, '--threads', threads], input);
      expect(digest(shared)).toBe(digest(alone));
    }
  });

  test('json lines have their numbers', () => {
    const { stdout } = emb(['tokenize', '-q', '-f', 'jsonl', '--threads', '2'], { input: corpus });
    const last = JSON.parse(stdout.slice(stdout.lastIndexOf('\n', stdout.length - 2) + 1));
    // The last line is a space: text 60,000 after the long one.
    expect(last).toMatchObject({ row: 60_000, text: ' ', index: 0 });
  });

  test('what is odd in a later part is said, once', () => {
    const bytes = Buffer.concat([Buffer.from(corpus), Buffer.from('\nbad \xff line\nand \xfe\n', 'latin1')]);
    const { stdout, stderr, code } = emb(['tokenize', '-f', 'ids', '--threads', '2'], { input: bytes });
    expect(code).toBe(0);
    expect(stderr.match(/not all UTF-8/g)).toHaveLength(1);
    expect(stdout.split('\n')).toHaveLength(60_004);
    const cut = emb(['tokenize', '-f', 'ids', '--threads', '2', '--truncate', '10'], {
      input: `${'a b c '.repeat(500_000)}\n${'x\n'.repeat(9)}${'d e f '.repeat(20)}`,
    });
    expect(cut.stderr).toMatch(/text 10 has \d+ tokens, cut to 10/);
  });

  test('a reader that goes away ends it', () => {
    const { stdout, code } = shell(
      `yes "hello world this is" | emb tokenize -f ids -q --threads 2 | head -200000 | tail -1`,
    );
    expect(code).toBe(0);
    expect(stdout).toBe('31373 995 428 318\n');
  });

  test('a writer that pauses has its answers', async () => {
    const child = start(['tokenize', '-f', 'ids', '-q', '--threads', '2']);
    let received = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      received += chunk.filter((byte) => byte === 10).length;
    });
    child.stdin.write(`${'hello\n'.repeat(500_000)}`);
    await expect.poll(() => received, { timeout: 20_000 }).toBe(500_000);
    child.stdin.write('one more\n');
    await expect.poll(() => received, { timeout: 20_000 }).toBe(500_001);
    child.stdin.end();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });
});
