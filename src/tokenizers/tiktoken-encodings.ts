import { ExtendedRanks, PackedRanks, type RankSource } from './ranks.ts';
import type { Scanner } from './scanner.ts';
import { createCl100kScanner } from './scanner-cl100k.ts';
import { gpt2Scanner } from './scanner-gpt2.ts';
import { o200kScanner } from './scanner-o200k.ts';
import type { EncodingName } from './tiktoken.ts';
import { TiktokenTokenizer } from './tiktoken-tokenizer.ts';

/** What makes one of OpenAI's encodings; its ranks load when it is opened. */
interface Encoding {
  ranks(): Promise<RankSource>;
  scanner: () => Scanner;
  special: () => ReadonlyMap<string, number>;
}

/** Base64 in the library; in the command's bundle scripts/build.mjs has put the bytes in a file, which opens 4 ms sooner. */
const unpack = (ranks: string | Uint8Array) =>
  new PackedRanks(typeof ranks === 'string' ? Buffer.from(ranks, 'base64') : ranks);

const r50kRanks = async () => unpack((await import('../generated/ranks-r50k.ts')).default);
const p50kRanks = async () => {
  const extra = unpack((await import('../generated/ranks-p50k.ts')).default);
  return new ExtendedRanks(await r50kRanks(), extra.list());
};
const cl100kRanks = async () => unpack((await import('../generated/ranks-cl100k.ts')).default);
const o200kRanks = async () => unpack((await import('../generated/ranks-o200k.ts')).default);

const special = (tokens: Record<string, number>) => () => new Map(Object.entries(tokens));

function harmonySpecial(): ReadonlyMap<string, number> {
  const named: Record<number, string> = {
    199998: 'startoftext',
    199999: 'endoftext',
    200002: 'return',
    200003: 'constrain',
    200005: 'channel',
    200006: 'start',
    200007: 'end',
    200008: 'message',
    200012: 'call',
  };
  const tokens = new Map<string, number>();
  for (let id = 199998; id < 201088; id++) tokens.set(`<|${named[id] ?? `reserved_${id}`}|>`, id);
  // A second name of reserved_200018.
  tokens.set('<|endofprompt|>', 200018);
  return tokens;
}

const gpt2: Encoding = {
  ranks: r50kRanks,
  scanner: () => gpt2Scanner,
  special: special({ '<|endoftext|>': 50256 }),
};

/** Source: openai/tiktoken 0.14 tiktoken_ext/openai_public.py. */
const encodings: Readonly<Record<EncodingName, Encoding>> = {
  gpt2,
  r50k_base: gpt2,
  p50k_base: { ranks: p50kRanks, scanner: () => gpt2Scanner, special: special({ '<|endoftext|>': 50256 }) },
  p50k_edit: {
    ranks: p50kRanks,
    scanner: () => gpt2Scanner,
    special: special({
      '<|endoftext|>': 50256,
      '<|fim_prefix|>': 50281,
      '<|fim_middle|>': 50282,
      '<|fim_suffix|>': 50283,
    }),
  },
  cl100k_base: {
    ranks: cl100kRanks,
    scanner: () => createCl100kScanner({ maxDigits: 3 }),
    special: special({
      '<|endoftext|>': 100257,
      '<|fim_prefix|>': 100258,
      '<|fim_middle|>': 100259,
      '<|fim_suffix|>': 100260,
      '<|endofprompt|>': 100276,
    }),
  },
  o200k_base: {
    ranks: o200kRanks,
    scanner: () => o200kScanner,
    special: special({ '<|endoftext|>': 199999, '<|endofprompt|>': 200018 }),
  },
  o200k_harmony: { ranks: o200kRanks, scanner: () => o200kScanner, special: harmonySpecial },
};

/** The merges of an encoding. */
export function openRanks(name: EncodingName): Promise<RankSource> {
  return encodings[name].ranks();
}

/** Opens an encoding. Tests choose after how many UTF-16 units WebAssembly takes over. */
export async function openNamed(name: EncodingName, twinAfter?: number): Promise<TiktokenTokenizer> {
  const { scanner, special } = encodings[name];
  return new TiktokenTokenizer(name, await openRanks(name), scanner(), special(), twinAfter);
}
