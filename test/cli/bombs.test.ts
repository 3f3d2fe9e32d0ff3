import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { gguf, u32, u64 } from '../formats/gguf-bytes.ts';
import { safetensors } from '../formats/tables.ts';
import { emb } from '../support/emb.ts';
import { peakHook } from '../support/peak.ts';

const folder = mkdtempSync(join(tmpdir(), 'emb-bombs-'));
afterAll(() => rmSync(folder, { recursive: true }));
const hook = peakHook(folder);

/**
 * Units: MB. A process whose heap grows beyond this one ends by a signal.
 *
 * By one thread: at the end of a process whose heap is full, Node.js 24.22 waits for a thread that compiles, which waits for memory.
 */
const node = ['--max-old-space-size=64', '--single-threaded', hook.option];

/** Units: MB. Of the whole process, what lies outside of the heap included; not measured off Linux. */
const most = 160;

/** What `emb info` says of a file, with little memory. */
function info(name: string, bytes: Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const { stdout, stderr, code } = emb(['info', path], { node });
  return { code, stdout, stderr, peak: hook.megabytes(stderr) };
}

describe('pickles that are bombs are refused in a small heap', () => {
  const megabyte = 1_000_000;
  const pickle = (text: string) => Buffer.from(`\x80\x04${text}.`, 'latin1');
  const refused = (bytes: Uint8Array, message: string) => {
    const { code, stderr, peak } = info('bomb.pkl', bytes);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(peak).not.toBeGreaterThan(most);
  };

  const objects = 'it has more than 265536 objects';
  const none = 'is a pickle without tensors';
  test.each([
    ['dictionaries', '}', objects],
    ['lists', ']', objects],
    ['dictionaries of one', '}NNs', none],
    ['lists of one', ']Na', objects],
    ['marks', '(', 'the stack is empty'],
    ['memo entries', 'N\x94', none],
    ['globals', '\x8c\x05torch\x8c\x04Size\x93', none],
    ['nested lists', ']\x94h\x00a', none],
  ])('%s', (_, part, message) => {
    refused(pickle(part.repeat(Math.floor(megabyte / part.length))), message);
  });

  test('nested tuples', () => {
    refused(pickle(`N${'\x85'.repeat(megabyte)}`), objects);
  });

  /** A list of the list before, twice: 2^levels paths through the memo. */
  const doubled = (first: string, levels: number) => {
    let text = `${first}\x94`;
    for (let level = 0; level < levels; level++) {
      const index = String.fromCharCode(level);
      text += `]h${index}ah${index}a\x94`;
    }
    return pickle(text);
  };

  test('lists that double through the memo', () => {
    refused(doubled('}', 100), none);
  });

  test('lists that double through the memo, of a tensor', () => {
    const storage = '(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x00tQ';
    refused(
      doubled(`ctorch._utils\n_rebuild_tensor\n(${storage}K\x00K\x00\x85K\x01\x85tR`, 100),
      'names more tensors than',
    );
  });

  test('a list of pairs that becomes a dictionary again and again', () => {
    const pairs = `](${'NN\x86'.repeat(100_000)}e\x940ccollections\nOrderedDict\n\x940`;
    refused(
      pickle(`${pairs}${'h\x01h\x00\x85R0'.repeat(1000)}N`),
      'copies more than 1048576 pairs and items',
    );
  });
});

describe('headers that are deep or wide', () => {
  test('a GGUF array of 2,000,000 arrays', () => {
    const inner = Buffer.alloc(12 * 2_000_000);
    for (let i = 0; i < 2_000_000; i++) inner.writeUInt32LE(4, 12 * i);
    const array = Buffer.concat([u32(9), u32(9), u64(2_000_000), inner]);
    const { code, peak } = info('wide.gguf', gguf({ keys: [['k', array]] }));
    expect(code).toBe(0);
    expect(peak).not.toBeGreaterThan(most);
  });

  test.each([
    ['20 MB of open arrays', `{"a":${'['.repeat(20_000_000)}`, 'expected an object'],
    ['18 MB of arrays of objects', `{"a":{"x":${'[{"a":'.repeat(3_000_000)}`, 'nested deeper than 128'],
  ])('JSON of %s', (_, header, message) => {
    const { code, stderr, peak } = info('deep.safetensors', safetensors(header, 0));
    expect(peak).not.toBeGreaterThan(most);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('what a few bytes blow up to is refused with little memory', () => {
  test.each([
    ['short rows', 'a 1 2\n'.repeat(25_000_000), 'rows'],
    ['a line without end', `a 1 2\n${'1'.repeat(150_000_000)}`, 'is longer than 1048576 bytes'],
    ['zeros', Buffer.alloc(150_000_000), 'decompress'],
    ['rows that are long', `a${' 1'.repeat(1000)}\n`.repeat(75_000), 'decompress to more than'],
  ])('%s', (_, content, message) => {
    const { code, stderr, peak } = info('packed.txt.gz', gzipSync(content));
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(peak).not.toBeGreaterThan(most);
  });
});
