import { ExtendedRanks, PackedRanks, type RankSource } from './ranks.ts';
import type { Scanner } from './scanner.ts';

/** What makes one of OpenAI's encodings; everything heavy loads when it is opened. */
export interface Encoding {
  ranks(): Promise<RankSource>;
  scanner(): Promise<Scanner>;
  special: () => ReadonlyMap<string, number>;
}

const unpack = (base64: string) => new PackedRanks(Buffer.from(base64, 'base64'));

const r50kRanks = async () => unpack((await import('../generated/ranks-r50k.ts')).default);
const p50kRanks = async () => {
  const extra = unpack((await import('../generated/ranks-p50k.ts')).default);
  return new ExtendedRanks(await r50kRanks(), extra.list());
};
const cl100kRanks = async () => unpack((await import('../generated/ranks-cl100k.ts')).default);
const o200kRanks = async () => unpack((await import('../generated/ranks-o200k.ts')).default);

const gpt2Words = async () => (await import('./scanner-gpt2.ts')).gpt2Scanner;
const cl100kWords = async () => (await import('./scanner-cl100k.ts')).createCl100kScanner({ maxDigits: 3 });
const o200kWords = async () => (await import('./scanner-o200k.ts')).o200kScanner;

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
  scanner: gpt2Words,
  special: special({ '<|endoftext|>': 50256 }),
};

/** Source: openai/tiktoken 0.14 tiktoken_ext/openai_public.py. */
export const encodings: Readonly<Record<string, Encoding>> = {
  gpt2,
  r50k_base: gpt2,
  p50k_base: { ranks: p50kRanks, scanner: gpt2Words, special: special({ '<|endoftext|>': 50256 }) },
  p50k_edit: {
    ranks: p50kRanks,
    scanner: gpt2Words,
    special: special({
      '<|endoftext|>': 50256,
      '<|fim_prefix|>': 50281,
      '<|fim_middle|>': 50282,
      '<|fim_suffix|>': 50283,
    }),
  },
  cl100k_base: {
    ranks: cl100kRanks,
    scanner: cl100kWords,
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
    scanner: o200kWords,
    special: special({ '<|endoftext|>': 199999, '<|endofprompt|>': 200018 }),
  },
  o200k_harmony: { ranks: o200kRanks, scanner: o200kWords, special: harmonySpecial },
};
