// One tokenizer in a fresh process: node bench/tokenize-one.mjs LIBRARY ENCODING FILE → { ms, bytes, count, ids (a hash) } as JSON.
// Timed is the first call that turns the text into ids; loading is not.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [library, encoding, path, tokenizerJson] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');

const openers = {
  async emb() {
    const { openEncoding } = await import('../dist/lib/tokenizers/tiktoken.js');
    const tokenizer = await openEncoding(encoding);
    return () => {
      const sink = { ids: new Uint32Array(256), length: 0 };
      tokenizer.encodeIds(text, sink);
      return sink.ids.subarray(0, sink.length);
    };
  },
  async 'gpt-tokenizer'() {
    const { encode } = await import(`gpt-tokenizer/encoding/${encoding === 'gpt2' ? 'r50k_base' : encoding}`);
    return () => encode(text, { disallowedSpecial: new Set() });
  },
  async tiktoken() {
    const { get_encoding } = await import('tiktoken');
    const oracle = get_encoding(encoding);
    return () => oracle.encode(text, [], []);
  },
  async tokenizers() {
    const { Tokenizer } = await import('tokenizers');
    const tokenizer = Tokenizer.fromFile(tokenizerJson);
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
