import { EmbError } from '../errors.ts';
import { type ClassUse, classes, cleaningOf } from './sentencepiece-classes.ts';
import { pieceTypes, type SentencePieceModel } from './sentencepiece-model.ts';
import type { AddedToken } from './tokenizer-json-added.ts';
import type { Normalizer } from './tokenizer-json-normalizer.ts';
import {
  addedTokensOf,
  classOf,
  settingOf,
  specialToken,
  type VocabularySettings,
} from './vocab-settings.ts';

/** What a class of Hugging Face's makes of a model's ids. */
export interface SentencePieceUse {
  /** Ids around a text. */
  before: readonly number[];
  after: readonly number[];
  /** From the file's ids to the class's, and back. */
  outerOf(inner: number): number;
  innerOf(outer: number): number | undefined;
  /** Tokens that are found in a text before it is cut; ids are the class's. */
  added: readonly AddedToken[];
  /** Letters become small before added tokens are found; those keep theirs. */
  lowers: boolean;
  /** What is done to the text between added tokens before the model normalizes it. */
  normalizer: Normalizer | undefined;
  /** The whole text gets one space before it, whatever the model says, and a part that begins with a space keeps it ("legacy": false). */
  prefix: { unknown: string; adds: boolean } | undefined;
  /** A piece of digits and a comma is cut in two. */
  splitsNumbers: boolean;
}

const same = (id: number): number => id;

/** A model as `sentencepiece` uses it. */
export const bareUse: SentencePieceUse = {
  before: [],
  after: [],
  outerOf: same,
  innerOf: same,
  added: [],
  lowers: false,
  normalizer: undefined,
  prefix: undefined,
  splitsNumbers: false,
};

/**
 * The use that tokenizer_config.json, or the model's type, asks for; that of `sentencepiece` where nothing lies beside the file.
 *
 * @throws EmbError "unsupported" for another class: its template or its ids may be others than the file's
 */
export function useOf(model: SentencePieceModel, settings: VocabularySettings): SentencePieceUse {
  const named = classOf(settings);
  const known = classes.get(named);
  if (known === undefined && named === '') return bareUse;
  if (known === undefined) {
    throw new EmbError(
      'unsupported',
      `${model.name}: the config beside it names the tokenizer ${JSON.stringify(named)}, expected one of ${[...classes.keys()].join(' ')}`,
      'give its tokenizer.json with --tokenizer; alone in a folder, the file is cut as sentencepiece does it',
    );
  }
  const ids = numbering(model, known);
  const { idOf } = ids;
  const specials = (
    ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const
  )
    .flatMap((role) => specialToken(settings, role) ?? [])
    // Without a list of added tokens, what the model and the class call special is all that is known.
    .concat(settings.tokenizer.added_tokens_decoder === undefined ? ids.specials : []);
  const added = addedTokensOf(settings, specials, idOf).map((token) => ({
    id: token.id,
    content: token.content,
    singleWord: token.single_word,
    lstrip: token.lstrip,
    rstrip: token.rstrip,
    normalized: false,
    special: token.special,
  }));
  const find = (name: string) => idOf(name) ?? added.find(({ content }) => content === name)?.id;
  const language = languageOf(model, known, settings, find);
  const all = (names: readonly string[] = []) =>
    names.flatMap((name) => (name === 'language' ? language : (find(name) ?? [])));
  const ends = endsOf(model, known, settings, find);
  return {
    before: ends?.before ?? all(known.before),
    after: ends?.after ?? all(known.after),
    outerOf: ids.outerOf,
    innerOf: ids.innerOf,
    added: added.filter(({ content }) => content !== ''),
    lowers: known.lowers !== undefined && (settingOf(settings, 'do_lower_case') ?? known.lowers),
    normalizer: cleaningOf(model.name, known, settings),
    prefix: known.legacy === true ? prefixOf(settings) : undefined,
    splitsNumbers: known.splitsNumbers === true,
  };
}

/** "legacy": false of Llama and T5. */
function prefixOf(settings: VocabularySettings): SentencePieceUse['prefix'] {
  if (settingOf(settings, 'legacy') !== false) return undefined;
  return {
    unknown: specialToken(settings, 'unk_token') ?? '<unk>',
    adds: settingOf(settings, 'add_prefix_space') ?? true,
  };
}

/** The id of src_lang, for classes that put it around a text. */
function languageOf(
  model: SentencePieceModel,
  { language }: ClassUse,
  settings: VocabularySettings,
  find: (piece: string) => number | undefined,
): number[] {
  if (language === undefined) return [];
  const named = settings.tokenizer.src_lang;
  const name = typeof named === 'string' ? named : language;
  const id = find(name);
  if (id !== undefined) return [id];
  throw new EmbError(
    'unsupported',
    `${model.name}: the files beside it give ${JSON.stringify(name)}, the language, no id`,
    'give its tokenizer.json with --tokenizer',
  );
}

interface Numbering {
  outerOf(inner: number): number;
  innerOf(outer: number): number | undefined;
  idOf(piece: string): number | undefined;
  /** Pieces that texts may spell. */
  specials: string[];
}

function numbering(model: SentencePieceModel, { fairseq, extraIds = 0 }: ClassUse): Numbering {
  const find = (piece: string): number | undefined => {
    const bytes = new TextEncoder().encode(piece);
    const id = bytes.length === 0 ? -1 : model.index.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  };
  const specials: string[] = [];
  const { bytes, starts, ends } = model.strings;
  const isMarked = (type: number) => type === pieceTypes.control || type === pieceTypes.unknown;
  model.types.forEach((type, id) => {
    if (isMarked(type))
      specials.push(
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(starts[id], ends[id])),
      );
  });
  const extra = new Map<string, number>();
  for (let i = 0; i < extraIds; i++) extra.set(`<extra_id_${i}>`, model.count + extraIds - 1 - i);
  if (fairseq === undefined) {
    return {
      outerOf: same,
      innerOf: same,
      idOf: (piece) => extra.get(piece) ?? find(piece),
      specials: [...specials, ...extra.keys()],
    };
  }
  const { first, shift, last } = fairseq;
  first.forEach((piece, id) => {
    extra.set(piece, id);
  });
  last.forEach((piece, i) => {
    extra.set(piece, model.count + shift + i);
  });
  const unknown = extra.get('<unk>') as number;
  return {
    // The pieces before the first one of all are <unk>, <s> and </s>.
    outerOf: (inner) => {
      if (inner === model.unknownId) return unknown;
      if (inner === model.ids.bos) return extra.get('<s>') ?? inner + shift;
      return inner === model.ids.eos ? (extra.get('</s>') ?? inner + shift) : inner + shift;
    },
    innerOf: (outer) =>
      outer === unknown ? model.unknownId : outer >= first.length ? outer - shift : undefined,
    idOf: (piece) => {
      const known = extra.get(piece);
      const inner = known === undefined ? find(piece) : undefined;
      return known ?? (inner === undefined ? undefined : inner + shift);
    },
    specials: [...extra.keys()],
  };
}

function endsOf(
  model: SentencePieceModel,
  { ends }: ClassUse,
  settings: VocabularySettings,
  idOf: (piece: string) => number | undefined,
) {
  if (ends === undefined) return undefined;
  const id = (role: 'bos_token' | 'eos_token', missing: number): number[] => {
    const name = specialToken(settings, role);
    const found = name === undefined ? missing : (idOf(name) ?? -1);
    return found < 0 ? [] : [found];
  };
  return {
    before: (settingOf(settings, 'add_bos_token') ?? ends.bos) ? id('bos_token', model.ids.bos) : [],
    after: (settingOf(settings, 'add_eos_token') ?? ends.eos) ? id('eos_token', model.ids.eos) : [],
  };
}

/** A text as added tokens are looked for in it; unit i is unit shift + i of the given one. */
export function prepareText(whole: string, use: SentencePieceUse): { text: string; shift: number } {
  const text = use.lowers ? lowerOutside(whole, use.added) : whole;
  if (use.prefix === undefined || text === '') return { text, shift: 0 };
  const spaced = text.replaceAll('▁', ' ');
  return use.prefix.adds ? { text: `▁${spaced}`, shift: -1 } : { text: spaced, shift: 0 };
}

/** Small letters, but in special tokens; characters that would become longer stay, for the normalizer. */
function lowerOutside(text: string, added: readonly AddedToken[]): string {
  const kept = added.filter(({ special, normalized }) => special || normalized);
  const names = kept.map(({ content }) => content.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = new RegExp(`(${[...names, '(?!)'].join('|')})|.`, 'gsu');
  return text.replace(pattern, (found, special?: string) => {
    if (typeof special === 'string') return special;
    const small = found.toLowerCase();
    return small.length === found.length ? small : found;
  });
}
