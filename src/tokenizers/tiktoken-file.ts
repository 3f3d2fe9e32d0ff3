import { EmbError } from '../errors.ts';
import type { Tokenizer } from '../types.ts';
import { openRanks, type RankEntry } from './tiktoken-file-ranks.ts';
import { addedTokensOf, classOf, noSettings, type VocabularySettings } from './vocab-settings.ts';

/** How a family of rank files cuts texts, and the special tokens after its ranks. */
interface RankFamily {
  /** Classes and kinds of models, as the files beside it name them. */
  names: RegExp;
  /** Number of ranks, which tells the family of a file on its own. */
  ranks: readonly number[];
  pattern: string;
  specials(count: number): Map<string, number>;
}

const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const prefix = '[^\\r\\n\\p{L}\\p{N}]?';
const tail = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
const words = (digits: string): string => `${contraction}|${prefix}\\p{L}+|${digits}|${symbols}|${tail}`;
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const o200k = `${prefix}${upper}*${lower}+${contraction}?|${prefix}${upper}+${lower}*${contraction}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${tail}`;
const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const noHan = (set: string): string => `[${set}&&[^\\p{Han}]]`;
const upperNoHan = noHan('\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}');
const lowerNoHan = noHan('\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}');
const kimi = `[\\p{Han}]+|${prefix}${upperNoHan}*${lowerNoHan}+${contraction}?|${prefix}${upperNoHan}+${lowerNoHan}*${contraction}?|\\p{N}{1,3}|${symbols}|${tail}`;

const numbered = (first: number, names: readonly string[]): Map<string, number> =>
  new Map(names.map((name, i) => [name, first + i]));
const reserved = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `<|reserved_special_token_${from + i}|>`);

function llama3Specials(count: number): Map<string, number> {
  return numbered(count, [
    '<|begin_of_text|>',
    '<|end_of_text|>',
    '<|reserved_special_token_0|>',
    '<|reserved_special_token_1|>',
    '<|finetune_right_pad_id|>',
    '<|step_id|>',
    '<|start_header_id|>',
    '<|end_header_id|>',
    '<|eom_id|>',
    '<|eot_id|>',
    '<|python_tag|>',
    ...reserved(2, 245),
  ]);
}

function qwenSpecials(count: number): Map<string, number> {
  const extras = Array.from({ length: 205 }, (_, i) => `<|extra_${i}|>`);
  return numbered(count, ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...extras]);
}

/**
 * Families by what they are named and how many ranks their files have, most telling first.
 *
 * Source: openai/tiktoken tiktoken_ext/openai_public.py, meta-llama/llama-models llama3/tokenizer.py, tokenization_qwen.py of
 * Qwen/Qwen-7B, tokenization_kimi.py of moonshotai/Kimi-K2-Instruct.
 */
const families: readonly RankFamily[] = [
  { names: /^(mllama|llama3?)$/, ranks: [128_000], pattern: words('\\p{N}{1,3}'), specials: llama3Specials },
  { names: /^qwen$/, ranks: [151_643], pattern: words('\\p{N}'), specials: qwenSpecials },
  { names: /^(kimi|kimik2|tiktoken)$/, ranks: [163_584], pattern: kimi, specials: () => new Map() },
  {
    names: /^(gpt2|r50kbase)$/,
    ranks: [50_256],
    pattern: gpt2,
    specials: () => new Map([['<|endoftext|>', 50_256]]),
  },
  {
    names: /^(p50kbase)$/,
    ranks: [50_280],
    pattern: gpt2,
    specials: () => new Map([['<|endoftext|>', 50_256]]),
  },
  {
    names: /^(gptoss|o200kbase|gpt4o)$/,
    ranks: [199_998],
    pattern: o200k,
    specials: () =>
      new Map([
        ['<|endoftext|>', 199_999],
        ['<|endofprompt|>', 200_018],
      ]),
  },
  {
    names: /^(dbrx|cl100kbase|gpt4)$/,
    ranks: [100_256],
    pattern: words('\\p{N}{1,3}'),
    specials: () =>
      new Map([
        ['<|endoftext|>', 100_257],
        ['<|fim_prefix|>', 100_258],
        ['<|fim_middle|>', 100_259],
        ['<|fim_suffix|>', 100_260],
        ['<|endofprompt|>', 100_276],
      ]),
  },
];

/** Files of other numbers of ranks are cut as cl100k_base cuts. */
const otherwise: Omit<RankFamily, 'names' | 'ranks'> = {
  pattern: words('\\p{N}{1,3}'),
  specials: () => new Map(),
};

/** The longest published rank file has 4 MB. */
const mostRanks = 4_000_000;

/**
 * A tokenizer from a file of tiktoken's ranks: a piece in base64 and its rank on each line (*.tiktoken, the tokenizer.model of Llama 3).
 *
 * The files do not say how texts are cut: the number of ranks tells the known families, then the class in tokenizer_config.json or the
 * model's type; any other is cut as cl100k_base is. Nothing is put around a text.
 * @throws EmbError "corrupt" for a line that is none of these, or a rank that stands twice
 */
export async function openTiktokenFile(
  name: string,
  bytes: Uint8Array,
  settings: VocabularySettings = noSettings,
): Promise<Tokenizer> {
  const entries = readRanks(name, bytes);
  const kind = classOf(settings).replaceAll(/[-_.]/g, '');
  const family =
    families.find(({ ranks }) => ranks.includes(entries.length)) ??
    families.find(({ names }) => names.test(kind)) ??
    otherwise;
  const ids = family.specials(entries.length);
  const added = addedTokensOf(settings, [...ids.keys()], (piece) => ids.get(piece));
  return openRanks({ name, entries, pattern: family.pattern, added });
}

/** Ranks by line. */
function readRanks(name: string, bytes: Uint8Array): RankEntry[] {
  const entries: RankEntry[] = [];
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n');
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    const parts = /^([A-Za-z0-9+/]+={0,2}) (\d{1,8})\r?$/.exec(line);
    if (parts === null || parts[1].length % 4 !== 0 || Number(parts[2]) > mostRanks)
      throw new EmbError(
        'corrupt',
        `${name}: "line" ${i + 1} is ${JSON.stringify(line.slice(0, 40))}, expected base64 and a rank up to ${mostRanks}`,
      );
    entries.push({ bytes: Buffer.from(parts[1], 'base64'), id: Number(parts[2]) });
  });
  if (entries.length === 0) throw new EmbError('corrupt', `${name}: has 0 ranks, expected one on each line`);
  return entries;
}
