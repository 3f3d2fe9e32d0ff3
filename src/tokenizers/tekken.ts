import { EmbError } from '../errors.ts';
import type { Tokenizer } from '../types.ts';
import { openRanks } from './tiktoken-file-ranks.ts';
import type { Part } from './tokenizer-json-file.ts';

/** Special tokens of files from before they were listed. Source: Tekkenizer.DEPRECATED_SPECIAL_TOKENS in mistral-common. */
const oldSpecials = [
  '<unk>',
  '<s>',
  '</s>',
  '[INST]',
  '[/INST]',
  '[AVAILABLE_TOOLS]',
  '[/AVAILABLE_TOOLS]',
  '[TOOL_RESULTS]',
  '[/TOOL_RESULTS]',
  '[TOOL_CALLS]',
  '[IMG]',
  '<pad>',
  '[IMG_BREAK]',
  '[IMG_END]',
  '[PREFIX]',
  '[MIDDLE]',
  '[SUFFIX]',
  '[SYSTEM_PROMPT]',
  '[/SYSTEM_PROMPT]',
  '[TOOL_CONTENT]',
];

/**
 * Mistral's tekken.json: special tokens have the first ids, ranks follow, and the file brings the pattern that cuts texts.
 *
 * Nothing is put around a text, and special tokens are no text, as in mistral-common with bos and eos left out.
 * @throws EmbError "corrupt" for wrong or missing members
 */
export async function openTekken(name: string, file: Part): Promise<Tokenizer> {
  const config = file.config as Part | null | undefined;
  const pattern = config?.pattern;
  if (typeof pattern !== 'string') refuse(name, 'config.pattern', pattern, 'a text');
  const size = countOf(name, config as Part, 'default_vocab_size', mostIds);
  const reserved = countOf(name, config as Part, 'default_num_special_tokens', mostSpecials);
  if (!Array.isArray(file.vocab)) refuse(name, 'vocab', file.vocab, 'a list');
  const kept = file.vocab.slice(0, Math.max(0, size - reserved));
  const entries = kept.map((value: Part | null, i: number) => {
    if (value?.rank !== i) refuse(name, `vocab[${i}].rank`, value?.rank, `${i}`);
    const text = value.token_bytes;
    if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
      refuse(name, `vocab[${i}].token_bytes`, text, 'base64');
    return { bytes: Buffer.from(text, 'base64'), id: i + reserved };
  });
  const contents = specialsOf(name, file.special_tokens);
  if (contents.length > reserved)
    refuse(name, 'special_tokens', contents.length, `at most ${reserved} tokens`);
  const added = Array.from({ length: reserved }, (_, id) => ({
    id,
    content: contents[id] ?? `<SPECIAL_${id}>`,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return openRanks({ name, entries, pattern, added });
}

function specialsOf(name: string, list: unknown): string[] {
  if (list === undefined || list === null) return oldSpecials;
  if (!Array.isArray(list)) refuse(name, 'special_tokens', list, 'a list');
  const contents: string[] = [];
  list.forEach((value: Part | null, i: number) => {
    const text = value?.token_str;
    if (value?.rank !== i) refuse(name, `special_tokens[${i}].rank`, value?.rank, `${i}`);
    if (typeof text !== 'string') refuse(name, `special_tokens[${i}].token_str`, text, 'a text');
    contents.push(text);
  });
  return contents;
}

/** More ids than this no vocabulary has; each special one costs memory whether the file names it or not. */
const mostIds = 4_000_000;
const mostSpecials = 16_384;

function countOf(name: string, part: Part, key: string, most: number): number {
  const value = part[key];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  return refuse(name, `config.${key}`, value, `a count up to ${most}`);
}

function refuse(name: string, thing: string, value: unknown, expected: string): never {
  const shown = value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing').slice(0, 40);
  throw new EmbError('corrupt', `${name}: "${thing}" is ${shown}, expected ${expected}`);
}
