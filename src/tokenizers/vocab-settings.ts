import type { Part } from './tokenizer-json-file.ts';

/** The files beside a vocabulary that say how it is used; {} for those that are not there. */
export interface VocabularySettings {
  /** tokenizer_config.json */
  tokenizer: Part;
  /** config.json */
  model: Part;
  /** special_tokens_map.json */
  specialTokens: Part;
  /** added_tokens.json */
  addedTokens: Part;
}

export const noSettings: VocabularySettings = {
  tokenizer: {},
  model: {},
  specialTokens: {},
  addedTokens: {},
};

/** The roles of special tokens, as the files name them. */
const roles = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type Role = (typeof roles)[number];

/** The class of Hugging Face's that a tokenizer is made for, without "Tokenizer" and "Fast"; '' when nothing tells. */
export function classOf(settings: VocabularySettings): string {
  const named = settings.tokenizer.tokenizer_class ?? settings.model.tokenizer_class;
  if (typeof named === 'string') return named.replace(/(Tokenizer)?(Fast)?$/, '').toLowerCase();
  const type = settings.model.model_type;
  return typeof type === 'string' ? type.toLowerCase().replaceAll(/[-_]/g, '') : '';
}

/** A flag of tokenizer_config.json; undefined where it says nothing. */
export function settingOf(settings: VocabularySettings, key: string): boolean | undefined {
  const value = settings.tokenizer[key];
  return typeof value === 'boolean' ? value : undefined;
}

/** The text of a special token; undefined where the files say nothing, or that there is none. */
export function specialToken(settings: VocabularySettings, role: Role): string | undefined {
  for (const part of [settings.tokenizer, settings.specialTokens]) {
    const text = contentOf(part[role]);
    if (text !== undefined) return text;
  }
  return undefined;
}

function contentOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const content = (value as Part | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}

interface AddedPart {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

/**
 * The added tokens as a tokenizer.json lists them: the special ones that the vocabulary has, then added_tokens.json, then what
 * tokenizer_config.json says of each id, which decides.
 *
 * @param named special tokens by role, or several without one
 * @param idOf the vocabulary's id of a piece
 */
export function addedTokensOf(
  settings: VocabularySettings,
  named: readonly string[],
  idOf: (piece: string) => number | undefined,
): AddedPart[] {
  const tokens = new Map<string, AddedPart>();
  const plain = { single_word: false, lstrip: false, rstrip: false };
  const specials = new Set([...named, ...moreSpecials(settings)]);
  const flags = flagsOf(settings);
  const add = (content: string, id: number, special: boolean): void => {
    const given = flags.get(content) ?? {};
    tokens.set(content, { ...plain, normalized: !special, ...given, id, content, special });
  };
  for (const content of specials) {
    const id = idOf(content);
    if (id !== undefined) add(content, id, true);
  }
  for (const [content, id] of Object.entries(settings.addedTokens)) {
    if (typeof id === 'number') add(content, idOf(content) ?? id, specials.has(content));
  }
  for (const [key, part] of Object.entries((settings.tokenizer.added_tokens_decoder ?? {}) as Part)) {
    const content = contentOf(part);
    if (content === undefined || !/^\d{1,9}$/.test(key)) continue;
    const known = part as Partial<AddedPart>;
    const special = known.special === true || specials.has(content);
    tokens.set(content, {
      id: idOf(content) ?? Number(key),
      content,
      single_word: known.single_word === true,
      lstrip: known.lstrip === true,
      rstrip: known.rstrip === true,
      normalized: known.normalized ?? !special,
      special,
    });
  }
  return [...tokens.values()].sort((a, b) => a.id - b.id);
}

function moreSpecials({ tokenizer, specialTokens }: VocabularySettings): string[] {
  return [tokenizer, specialTokens].flatMap((part) => {
    const list = part.additional_special_tokens ?? part.extra_special_tokens;
    return Array.isArray(list) ? list.flatMap((value) => contentOf(value) ?? []) : [];
  });
}

/** How tokens of special_tokens_map.json and tokenizer_config.json are found, where they say it. */
function flagsOf({ tokenizer, specialTokens }: VocabularySettings): Map<string, Partial<AddedPart>> {
  const found = new Map<string, Partial<AddedPart>>();
  for (const part of [specialTokens, tokenizer]) {
    for (const role of roles) {
      const value = part[role];
      if (typeof value !== 'object' || value === null) continue;
      const given = value as Partial<AddedPart>;
      const flags: Partial<AddedPart> = {};
      for (const key of ['single_word', 'lstrip', 'rstrip', 'normalized'] as const)
        if (typeof given[key] === 'boolean') flags[key] = given[key];
      if (typeof given.content === 'string') found.set(given.content, flags);
    }
  }
  return found;
}

/** A post-processor that puts tokens around a text; undefined when there are none. */
export function templateOf(
  before: readonly string[],
  after: readonly string[],
  idOf: (piece: string) => number | undefined,
): Part | undefined {
  const names = [...before, ...after];
  if (names.length === 0) return undefined;
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const sequence = { Sequence: { id: 'A', type_id: 0 } };
  const around = [...before.map(special), sequence, ...after.map(special)];
  const tokens = Object.fromEntries(
    names.map((name) => [name, { id: name, ids: [idOf(name) ?? 0], tokens: [name] }]),
  );
  return { type: 'TemplateProcessing', single: around, pair: around, special_tokens: tokens };
}
