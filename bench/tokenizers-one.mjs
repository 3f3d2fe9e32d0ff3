// One tokenizer file in a fresh process: node bench/tokenizers-one.mjs emb|tokenizers MODEL TEXT → { ms, bytes, count, ids (a hash) } as JSON.
// Timed is the first call that turns the text into ids, of a .model line by line; loading is not.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [library, path, textPath] = process.argv.slice(2);
const text = readFileSync(textPath, 'utf8');

const openers = {
  async emb() {
    const bytes = readFileSync(path);
    const sink = { ids: new Uint32Array(256), length: 0 };
    if (path.endsWith('.model')) {
      const { openSentencePiece } = await import('../dist/lib/tokenizers/sentencepiece-tokenizer.js');
      const tokenizer = openSentencePiece(path, bytes);
      const lines = text.split('\n');
      return () => {
        for (const line of lines) tokenizer.encodeIds(line, sink);
        return sink.ids.subarray(0, sink.length);
      };
    }
    const { openTokenizerJson } = await import('../dist/lib/tokenizers/tokenizer-json.js');
    const tokenizer = await openTokenizerJson({ name: path, bytes });
    return () => {
      tokenizer.encodeIds(text, sink);
      return sink.ids.subarray(0, sink.length);
    };
  },
  async tokenizers() {
    const { Tokenizer } = await import('tokenizers');
    const tokenizer = Tokenizer.fromFile(path);
    return async () => (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
  },
};

const encode = await openers[library]();
const started = process.hrtime.bigint();
const ids = await encode();
const ms = Number(process.hrtime.bigint() - started) / 1e6;
const hash = createHash('md5')
  .update(Buffer.from(Uint32Array.from(ids).buffer))
  .digest('hex');
process.stdout.write(JSON.stringify({ ms, bytes: Buffer.byteLength(text), count: ids.length, ids: hash }));
