import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Explanation, IdSink, Metadata } from '../types.ts';
import { wordRuleNamed } from './gguf-cuts.ts';
import { arrayOf, type GgufPieces, numbersOf } from './gguf-pieces.ts';
import { type WordRule, wordRules } from './gguf-words.ts';

/** Turns what stands between special tokens into ids. */
export interface FragmentModel {
  /** Spans are UTF-16 offsets, `shift` added. afterSpecial: nothing or a special token stands before. */
  encode(text: string, shift: number, afterSpecial: boolean, into: IdSink): void;
}

/** How pieces are written: bytes as characters, spaces as ▁, with escapes, or as they are. */
export type Spelling = 'bytes' | 'spaces' | 'escapes' | 'plain';

/** What the kind of a vocabulary and the file's keys say. */
export interface ModelPlan {
  spelling: Spelling;
  explains: Explanation;
  /** Ids that a text begins and ends with. */
  before: readonly number[];
  after: readonly number[];
  /** Decoding takes the space away that encoding has put before the text. */
  dropsSpace: boolean;
  /** What the model gives for text without pieces; absent where it has pieces for all, or leaves such text out. */
  unknownId?: number | undefined;
  /** Makes the model; or says why there is none. */
  create: (() => Promise<FragmentModel>) | EmbError;
}

const none = -1;

/** A kind that adds nothing to texts. */
const bare = { explains: 'pieces', before: [], after: [], dropsSpace: false } as const;

type Ends = (adds: boolean, missing: number) => number[];

/** Reads a number of the metadata that is the id of a token. */
function idIn(metadata: Metadata, key: string, missing: number, count: number): number {
  const value = metadata.get(`tokenizer.ggml.${key}`);
  const id =
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count ? value : missing;
  return id < count ? id : none;
}

const namedId = (id: number): number | undefined => (id < 0 ? undefined : id);

function flagIn(metadata: Metadata, key: string, missing: boolean): boolean {
  const value = metadata.get(`tokenizer.ggml.${key}`);
  return typeof value === 'boolean' ? value : missing;
}

/**
 * The plan of a vocabulary's kind (tokenizer.ggml.model).
 *
 * Source: the defaults of llama_vocab::impl::load in llama.cpp's src/llama-vocab.cpp.
 */
export function planOf(name: string, metadata: Metadata, pieces: GgufPieces): ModelPlan {
  const kind = metadata.get('tokenizer.ggml.model');
  const scores = () => numbersOf(name, metadata, 'tokenizer.ggml.scores', pieces.count);
  const id = (key: string, missing: number): number => idIn(metadata, key, missing, pieces.count);
  /** The id where a flag of the file, or what its kind says, adds it. */
  const added = (flag: string, adds: boolean, key: string, missing: number): number[] => {
    const end = flagIn(metadata, flag, adds) ? id(key, missing) : none;
    return end < 0 ? [] : [end];
  };
  const bos = (adds: boolean, missing: number) => added('add_bos_token', adds, 'bos_token_id', missing);
  const eos = (adds: boolean, missing: number) => added('add_eos_token', adds, 'eos_token_id', missing);
  switch (kind) {
    case 'gpt2':
    case 'gemma4':
      return bytePairs(name, metadata, pieces, kind, bos, eos);
    case 'llama': {
      const addsSpace = flagIn(metadata, 'add_space_prefix', true);
      const unknownId = id('unknown_token_id', 0);
      return {
        unknownId: namedId(unknownId),
        explains: 'scored merges',
        spelling: 'spaces',
        before: bos(true, 1),
        after: eos(false, 2),
        dropsSpace: addsSpace,
        create: async () => {
          const { GgufLlama } = await import('./gguf-llama.ts');
          return new GgufLlama(pieces, await scores(), addsSpace, unknownId);
        },
      };
    }
    case 'bert': {
      const lowercase = flagIn(metadata, 'normalizer.lowercase', true);
      const stripAccents = flagIn(metadata, 'normalizer.strip_accents', lowercase);
      const unknownId = id('unknown_token_id', 100);
      return {
        unknownId: namedId(unknownId),
        explains: 'pieces',
        spelling: 'spaces',
        // Both are always there, and the last one has a key of its own.
        before: [id('bos_token_id', 101)].filter((end) => end >= 0),
        after: [id('seperator_token_id', 102)].filter((end) => end >= 0),
        dropsSpace: true,
        create: async () => {
          const { GgufBert } = await import('./gguf-bert.ts');
          return new GgufBert(pieces, { lowercase, stripAccents, unknownId });
        },
      };
    }
    case 't5': {
      const unknownId = id('unknown_token_id', 2);
      const addsSpace = flagIn(metadata, 'add_space_prefix', false);
      return {
        unknownId: namedId(unknownId),
        explains: 'pieces',
        spelling: 'spaces',
        before: bos(false, none),
        after: eos(true, 1),
        dropsSpace: addsSpace,
        create: async () => {
          const { GgufT5 } = await import('./gguf-t5.ts');
          return new GgufT5(pieces, await scores(), {
            addsSpace,
            mergesSpaces: flagIn(metadata, 'remove_extra_whitespaces', false),
            spaceBehind: false,
            unknownId,
            charsMap: await charsMapOf(name, metadata),
          });
        },
      };
    }
    case 'rwkv': {
      const unknownId = id('unknown_token_id', none);
      const create = async (): Promise<FragmentModel> => {
        const { GgufRwkv } = await import('./gguf-rwkv.ts');
        return new GgufRwkv(pieces, unknownId);
      };
      return { ...bare, unknownId: namedId(unknownId), spelling: 'escapes', create };
    }
    case 'plamo2': {
      const create = async (): Promise<FragmentModel> => {
        const { GgufPlamo2 } = await import('./gguf-plamo2.ts');
        return new GgufPlamo2(pieces, await scores());
      };
      return { ...bare, spelling: 'plain', create };
    }
    default:
      return { ...bare, spelling: 'plain', create: unsupported(name, 'tokenizer.ggml.model', kind) };
  }
}

const kinds = 'gpt2, gemma4, llama, bert, t5, rwkv or plamo2';

function unsupported(name: string, key: string, value: unknown, hint?: string): EmbError {
  return new EmbError(
    'unsupported',
    `${name}: "${key}" is ${JSON.stringify(value) ?? 'missing'}, expected ${key.endsWith('model') ? kinds : 'a known way to cut words'}`,
    hint ?? 'ids need no tokenizer: give them with --ids',
  );
}

function bytePairs(
  name: string,
  metadata: Metadata,
  pieces: GgufPieces,
  kind: string,
  bos: Ends,
  eos: Ends,
): ModelPlan {
  const pre = kind === 'gemma4' ? kind : (metadata.get('tokenizer.ggml.pre') ?? 'default');
  const rule = typeof pre === 'string' ? wordRuleNamed(pre || 'default') : undefined;
  const bosId = kind === 'gemma4' || /^(chatglm-bpe|glm[45])$/.test(`${pre}`) ? none : 11;
  // Gemma 4 begins with it whatever the file's flag says.
  const always = [idIn(metadata, 'bos_token_id', bosId, pieces.count)].filter((end) => end >= 0);
  return {
    explains: 'merges',
    spelling: rule?.escapesSpaces ? 'spaces' : 'bytes',
    before: rule?.wholeLines ? always : bos(rule?.addBos ?? false, bosId),
    after: eos(false, kind === 'gemma4' ? none : 11),
    dropsSpace: false,
    create: rule === undefined ? unknownRule(name, pre) : () => openMerges(name, metadata, pieces, rule, pre),
  };
}

function unknownRule(name: string, pre: unknown): EmbError {
  const names = wordRules.flatMap((rule) => rule.names.split(' '));
  const near = typeof pre === 'string' ? didYouMean(nearestNames(pre, names)) : undefined;
  return unsupported(name, 'tokenizer.ggml.pre', pre, near);
}

async function openMerges(
  name: string,
  metadata: Metadata,
  pieces: GgufPieces,
  rule: WordRule,
  pre: unknown,
): Promise<FragmentModel> {
  const merges = await arrayOf(name, metadata, 'tokenizer.ggml.merges', 'strings')?.strings?.();
  if (merges === undefined && pre !== 'kimi-k2') {
    throw new EmbError(
      'corrupt',
      `${name}: "tokenizer.ggml.merges" is missing, expected an array of strings`,
    );
  }
  const { GgufBpe } = await import('./gguf-bpe.ts');
  const empty = { bytes: new Uint8Array(), starts: new Uint32Array(), ends: new Uint32Array() };
  return new GgufBpe(name, pieces, merges ?? empty, rule);
}

async function charsMapOf(name: string, metadata: Metadata) {
  const key = 'tokenizer.ggml.precompiled_charsmap';
  const bytes = await arrayOf(name, metadata, key, 'numbers')?.numbers?.();
  if (bytes === undefined || bytes.length === 0) return undefined;
  const { CharsMap } = await import('./charsmap.ts');
  return new CharsMap(
    name,
    Uint8Array.from(bytes, (byte) => byte & 255),
  );
}
