import { EmbError } from '../errors.ts';
import { pieceTypes, type SentencePieceModel } from './sentencepiece-model.ts';
import type { AddedToken } from './tokenizer-json-added.ts';
import { createMoreNormalizers } from './tokenizer-json-more.ts';
import type { Normalizer } from './tokenizer-json-normalizer.ts';
import { createNormalizer } from './tokenizer-json-normalizer.ts';
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
  /** What is done to a text before the model normalizes it. */
  normalizer: Normalizer | undefined;
  /** The text after an added token begins with a space of its own, too. */
  prefixesAll: boolean;
}

const same = (id: number): number => id;

/** A model as `sentencepiece` uses it. */
export const bareUse: SentencePieceUse = {
  before: [],
  after: [],
  outerOf: same,
  innerOf: same,
  added: [],
  normalizer: undefined,
  prefixesAll: true,
};

/** How a class wraps a text, by names of special tokens, and where its ids differ from the file's. */
interface ClassUse {
  before?: readonly string[];
  after?: readonly string[];
  /** Ids of fairseq: the first pieces are others, the rest is moved by this much. */
  fairseq?: { first: readonly string[]; shift: number; last: readonly string[] };
  /** <extra_id_0> and on, whose ids go down to the end of the pieces. */
  extraIds?: number;
  /** add_bos_token and add_eos_token of the config decide. */
  ends?: { bos: boolean; eos: boolean };
  lowercase?: boolean;
}

const xlmRoberta: ClassUse = {
  before: ['<s>'],
  after: ['</s>'],
  fairseq: { first: ['<s>', '<pad>', '</s>', '<unk>'], shift: 1, last: ['<mask>'] },
};
const llama: ClassUse = { ends: { bos: true, eos: false } };
const t5: ClassUse = { after: ['</s>'], extraIds: 100 };
const bert: ClassUse = { before: ['[CLS]'], after: ['[SEP]'] };

/** Source: tokenization_*.py and convert_slow_tokenizer.py of Hugging Face's transformers. */
const classes = new Map<string, ClassUse>([
  ['llama', llama],
  ['mistral', llama],
  ['mixtral', llama],
  ['codellama', llama],
  ['gemma', llama],
  ['gemma2', llama],
  ['t5', t5],
  ['mt5', t5],
  ['umt5', t5],
  ['xlmroberta', xlmRoberta],
  ['albert', { ...bert, lowercase: true }],
  ['bigbird', bert],
  ['debertav2', bert],
  ['rembert', bert],
]);

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
    .concat(ids.specials);
  const added = addedTokensOf(settings, specials, idOf).map((token) => ({
    id: token.id,
    content: token.content,
    singleWord: token.single_word,
    lstrip: token.lstrip,
    rstrip: token.rstrip,
    normalized: false,
    special: token.special,
  }));
  const all = (names: readonly string[] = []) => names.flatMap((name) => idOf(name) ?? []);
  const ends = endsOf(model, known, settings, idOf);
  return {
    before: ends?.before ?? all(known.before),
    after: ends?.after ?? all(known.after),
    outerOf: ids.outerOf,
    innerOf: ids.innerOf,
    added: added.filter(({ content }) => content !== ''),
    normalizer: known.lowercase ? cleaning(model.name, settings) : undefined,
    prefixesAll: settingOf(settings, 'legacy') !== false,
  };
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

/** What ALBERT does to texts first. */
function cleaning(name: string, settings: VocabularySettings): Normalizer | undefined {
  const quotes = ['``', "''"].map((text) => ({ type: 'Replace', pattern: { String: text }, content: '"' }));
  const accents =
    settingOf(settings, 'keep_accents') === true ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }];
  const lower = settingOf(settings, 'do_lower_case') === false ? [] : [{ type: 'Lowercase' }];
  const normalizers = [...quotes, ...accents, ...lower];
  return createNormalizer(name, { type: 'Sequence', normalizers }, createMoreNormalizers);
}
