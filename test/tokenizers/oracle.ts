import { get_encoding, Tiktoken, type TiktokenEncoding } from 'tiktoken';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openNamed } from '../../src/tokenizers/tiktoken-encodings.ts';
import type { Tokenizer } from '../../src/types.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';

/** Encodings that the npm package tiktoken has; o200k_harmony is o200k_base with more special tokens. */
export const oracleNames = [
  'gpt2',
  'r50k_base',
  'p50k_base',
  'p50k_edit',
  'cl100k_base',
  'o200k_base',
] as const satisfies readonly TiktokenEncoding[];
type OracleName = (typeof oracleNames)[number];

/** After how many UTF-16 units WebAssembly takes over. */
export const unitsBeforeTwin = { plain: Number.POSITIVE_INFINITY, WebAssembly: 0 };
export type Engine = keyof typeof unitsBeforeTwin;
export const engines = ['plain', 'WebAssembly'] as const;

export function idsOf(tokenizer: Tokenizer, text: string, allowSpecial = false): number[] {
  const sink = createIdSink(16);
  tokenizer.encodeIds(text, sink, { allowSpecial });
  return Array.from(sink.ids.subarray(0, sink.length));
}

/** Character classes that the words of the encodings depend on. */
export const wordClasses = [
  '[\\p{Lu}\\p{Lt}]',
  '\\p{Ll}',
  '[\\p{Lm}\\p{Lo}]',
  '\\p{M}',
  '\\p{N}',
  '\\p{White_Space}',
] as const;

const everyCharacter = Array.from({ length: 0x110000 }, (_, code) => code).filter(
  (code) => code < 0xd800 || code > 0xdfff,
);

/** The characters of a class by the Unicode tables in the oracle's Rust crate: it skips what its pattern does not match. */
export function rustClass(pattern: string): Set<number> {
  const byteRanks = Array.from({ length: 256 }, (_, i) => Buffer.from([i]).toString('base64')).join(' ');
  const oracle = new Tiktoken(`! 0 ${byteRanks}`, {}, pattern);
  const found = new Set<number>();
  // In pieces: one text of all characters needs more memory than the oracle has.
  for (let i = 0; i < everyCharacter.length; i += 16384) {
    const text = String.fromCodePoint(...everyCharacter.slice(i, i + 16384));
    const matched = Buffer.from(oracle.decode(oracle.encode(text, [], []))).toString('utf8');
    for (const character of matched) found.add(character.codePointAt(0) as number);
  }
  oracle.free();
  return found;
}

/** The characters of a class by the Unicode tables of this Node. */
export function nodeClass(pattern: string): Set<number> {
  const one = new RegExp(`^${pattern}$`, 'u');
  return new Set(everyCharacter.filter((code) => one.test(String.fromCodePoint(code))));
}

/** Texts of a fuzz run on which an encoding differs from the oracle. */
export async function findDifferences(
  name: OracleName,
  seed: number,
  count: number,
  engine: Engine,
): Promise<string[]> {
  const tokenizer = await openNamed(name, unitsBeforeTwin[engine]);
  const oracle = get_encoding(name);
  const random = seededRandom(seed);
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = fuzzText(random);
    const expected = Array.from(oracle.encode(text, [], []));
    const ids = idsOf(tokenizer, text);
    if (ids.length !== expected.length || ids.some((id, at) => id !== expected[at])) wrong.push(text);
  }
  oracle.free();
  return wrong;
}
