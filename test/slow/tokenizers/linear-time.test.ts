import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../src/bytes/memory.ts';
import { openTensorFile } from '../../../src/formats/index.ts';
import { openGgufTokenizer } from '../../../src/tokenizers/gguf.ts';
import { createIdSink } from '../../../src/tokenizers/id-sink.ts';
import { openSentencePiece } from '../../../src/tokenizers/sentencepiece-tokenizer.ts';
import { openEncoding } from '../../../src/tokenizers/tiktoken.ts';
import type { Tokenizer } from '../../../src/types.ts';
import { seededRandom } from '../../tokenizers/fuzz-text.ts';

const runs: Record<string, string> = {
  'one letter': 'a',
  'one emoji': '😀',
  spaces: ' ',
  'one ideograph': '中',
};
const runBytes = 1_000_000;
const englishBytes = 250_000;

function writeEnglish(): string {
  const random = seededRandom(1);
  const words = 'the cat sat on a mat while it rained over all of the hills beyond'.split(' ');
  const letter = () => String.fromCharCode(97 + Math.floor(random() * 26));
  // One word in ten is new, as in a long text.
  const word = () =>
    random() < 0.1 ? Array.from({ length: 8 }, letter).join('') : words[Math.floor(random() * words.length)];
  return Array.from({ length: englishBytes / 3 }, word)
    .join(' ')
    .slice(0, englishBytes);
}

const english = writeEnglish();

/** Milliseconds, the best of two cold runs: others may use this machine. */
async function timeOf(open: () => Promise<Tokenizer>, text: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i++) {
    const tokenizer = await open();
    const started = performance.now();
    tokenizer.encodeIds(text, createIdSink());
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

function checkRuns(open: () => Promise<Tokenizer>): void {
  // Another process may have the machine for a while: what is quadratic fails every time.
  test.each(Object.keys(runs))(
    '1 MB of %s takes less than 10 times as long as English',
    { retry: 3 },
    async (kind) => {
      const text = runs[kind].repeat(Math.floor(runBytes / Buffer.byteLength(runs[kind])));
      const perByte = (await timeOf(open, english)) / englishBytes;
      const ratio = (await timeOf(open, text)) / Buffer.byteLength(text) / perByte;
      expect(ratio).toBeLessThan(10);
    },
  );
}

describe.each(['gpt2', 'cl100k_base', 'o200k_base'])('the encoding %s', (name) => {
  checkRuns(() => openEncoding(name));
});

const pieces = ['unigram', 'unigram-bytes', 'unigram-raw', 'bpe', 'bpe-bytes', 'bpe-suffix', 'word', 'char'];

describe.each(pieces)('the SentencePiece model %s', (kind) => {
  const packed = readFileSync(`fixtures/tokenizers-slow/${kind}.json.gz`);
  const model = Buffer.from(JSON.parse(gunzipSync(packed).toString()).model, 'base64');
  checkRuns(async () => openSentencePiece(`${kind}.model`, model));
});

const folder = 'fixtures/gguf/vocab';
const { kinds } = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as {
  kinds: Record<string, string>;
};

const files = Object.keys(kinds).filter((kind) => existsSync(`${folder}/${kind}.gguf`));

describe.each(files)('the GGUF vocabulary %s', (kind) => {
  checkRuns(async () => {
    const file = await openTensorFile(new MemorySource(kind, readFileSync(`${folder}/${kind}.gguf`)));
    return openGgufTokenizer(kind, file.metadata);
  });
});
