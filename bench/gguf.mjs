// A GGUF file of the size of a published model's: its vocabulary is written, its table is a hole in the file.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const types = { u32: 4, string: 8, array: 9, i32: 5 };

/** GPT-2's byte alphabet: printable bytes stand for themselves, the others for code points from 256 on. */
function byteAlphabet() {
  const isPlain = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPlain(byte) ? byte : next++));
}

/** Tokens and merges: bytes first, then every new token is two older ones, each pair once. */
function vocabulary(size) {
  const tokens = byteAlphabet();
  const known = new Set(tokens);
  const merges = [];
  let state = 1;
  const draw = (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  while (tokens.length < size) {
    const left = tokens[draw(Math.min(tokens.length, 20_000))];
    const right = tokens[draw(256)];
    if (left.length > 10 || known.has(left + right)) continue;
    known.add(left + right);
    tokens.push(left + right);
    merges.push(`${left} ${right}`);
  }
  return { tokens, merges };
}

const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};
const strings = (key, values) => [
  text(key),
  u32(types.array),
  u32(types.string),
  u64(values.length),
  ...values.map(text),
];

/** Writes version 3 with `rows` tokens and an F16 table [rows, dim]. */
export function writeGguf(path, rows, dim) {
  const { tokens, merges } = vocabulary(rows);
  const kinds = Buffer.alloc(rows * 4);
  for (let i = 0; i < rows; i++) kinds.writeInt32LE(1, i * 4);
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    ...[u32(3), u64(1), u64(6)],
    ...[text('general.architecture'), u32(types.string), text('gpt2')],
    ...[text('tokenizer.ggml.model'), u32(types.string), text('gpt2')],
    ...[text('tokenizer.ggml.pre'), u32(types.string), text('gpt-2')],
    ...strings('tokenizer.ggml.tokens', tokens),
    ...[text('tokenizer.ggml.token_type'), u32(types.array), u32(types.i32), u64(rows), kinds],
    ...strings('tokenizer.ggml.merges', merges),
    ...[text('token_embd.weight'), u32(2), u64(dim), u64(rows), u32(1), u64(0)],
  ]);
  const dataStart = Math.ceil(header.length / 32) * 32;
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, header);
  ftruncateSync(descriptor, dataStart + rows * dim * 2);
  closeSync(descriptor);
  return path;
}
