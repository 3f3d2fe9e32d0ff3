import { isUtf8 } from 'node:buffer';
import { EmbError } from '../errors.ts';
import type { Tokenizer } from '../types.ts';
import type { Part } from './tokenizer-json-file.ts';
import { JsonScanner } from './tokenizer-json-scanner.ts';
import { openVocabulary, type VocabularyParts } from './vocab-open.ts';
import {
  addedTokensOf,
  classOf,
  noSettings,
  type Role,
  settingOf,
  specialToken,
  templateOf,
  type VocabularySettings,
} from './vocab-settings.ts';

/** A vocab.json and its merges, or encoder.json and vocab.bpe. */
export interface VocabMergesFiles {
  name: string;
  bytes: Uint8Array;
  mergesName: string;
  merges: Uint8Array;
  settings?: VocabularySettings;
}

type Ids = ReadonlyMap<string, number>;

/** How a class uses byte pairs. */
type Family = 'gpt2' | 'roberta' | 'clip' | 'qwen2' | 'deberta' | 'openaigpt';

const robertas = /^(roberta|longformer|bart|led|blenderbot|mvp|camembert|xlmroberta)$/;
const qwens = /^qwen(2|3|2moe|3moe)?$/;

/** Special tokens of the families, where the files name none. */
const specials: Record<Family, Partial<Record<Role, string>>> = {
  gpt2: { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' },
  roberta: {
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  clip: { bos_token: '<|startoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' },
  qwen2: { eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
  deberta: {
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    unk_token: '[UNK]',
    pad_token: '[PAD]',
    mask_token: '[MASK]',
  },
  openaigpt: { unk_token: '<unk>' },
};

/**
 * Byte pairs from vocab.json and merges.txt as GPT-2, RoBERTa, CLIP, Qwen2, DeBERTa and the first GPT use them.
 *
 * The class comes from tokenizer_config.json or the model's type; where nothing tells, CLIP is known by its <|startoftext|> and </w>, RoBERTa by
 * its first tokens <s>, <pad> and </s>, and everything else is GPT-2's.
 * @throws EmbError "corrupt" for a line that is no merge, a merge of unknown pieces, or a vocabulary that is no object of ids
 */
export async function openVocabMerges(files: VocabMergesFiles): Promise<Tokenizer> {
  const { name, bytes, settings = noSettings } = files;
  const ids = idsOf(name, bytes);
  const merges = mergesOf(files.mergesName, files.merges);
  const family = familyOf(settings, ids);
  const idOf = (piece: string) => ids.get(piece);
  const token = (role: Role): string | undefined => specialToken(settings, role) ?? specials[family][role];
  const named = (Object.keys(specials[family]) as Role[])
    .concat('bos_token', 'eos_token')
    .flatMap((role) => token(role) ?? []);
  const added = addedTokensOf(settings, named, idOf);
  if (
    family === 'roberta' &&
    !('mask_token' in settings.tokenizer) &&
    !('mask_token' in settings.specialTokens)
  ) {
    // RobertaTokenizer's <mask> takes the space before it along.
    for (const one of added) if (one.content === '<mask>') one.lstrip = true;
  }
  return openVocabulary({
    name,
    vocab: new TextDecoder().decode(bytes),
    merges: JSON.stringify(merges),
    addedTokens: added,
    ...partsOf(
      family,
      settings,
      token,
      (piece) => idOf(piece) ?? added.find((one) => one.content === piece)?.id,
    ),
  });
}

type FamilyParts = Pick<
  VocabularyParts,
  'model' | 'normalizer' | 'preTokenizer' | 'postProcessor' | 'decoder'
>;

const qwenPattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const clipPattern =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** Source: tokenization_*.py of Hugging Face's transformers. */
function partsOf(
  family: Family,
  settings: VocabularySettings,
  token: (role: Role) => string | undefined,
  idOf: (piece: string) => number | undefined,
): FamilyParts {
  const model = { type: 'BPE' };
  const addsSpace = settingOf(settings, 'add_prefix_space') ?? false;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: addsSpace, trim_offsets: true, use_regex: true };
  const split = (pattern: string, behavior: string, invert: boolean): Part[] => [
    { type: 'Split', pattern: { Regex: pattern }, behavior, invert },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
  ];
  const wrap = (before: readonly (Role | undefined)[], after: readonly (Role | undefined)[]) => {
    const names = (roles: readonly (Role | undefined)[]) =>
      roles.flatMap((role) => (role && token(role)) ?? []);
    const around = [...names(before), ...names(after)];
    const isWhole = around.every((name) => idOf(name) !== undefined);
    return isWhole ? templateOf(names(before), names(after), idOf) : undefined;
  };
  const decoder = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
  const ends = (role: Role, key: string) => (settingOf(settings, key) ? [role] : []);
  switch (family) {
    case 'roberta': {
      const trim = { type: 'ByteLevel', add_prefix_space: addsSpace, trim_offsets: true, use_regex: true };
      const around = wrap(['cls_token'], ['sep_token']);
      const processors = around === undefined ? [trim] : [trim, around];
      return { model, preTokenizer: byteLevel, postProcessor: { type: 'Sequence', processors }, decoder };
    }
    case 'deberta':
      return { model, preTokenizer: byteLevel, postProcessor: wrap(['cls_token'], ['sep_token']), decoder };
    case 'clip':
      return {
        model: { ...model, end_of_word_suffix: '</w>', unk_token: token('unk_token') },
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'NFC' },
            { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
            { type: 'Lowercase' },
          ],
        },
        preTokenizer: { type: 'Sequence', pretokenizers: split(clipPattern, 'Removed', true) },
        postProcessor: wrap(['bos_token'], ['eos_token']),
        decoder,
      };
    case 'qwen2':
      return {
        model,
        normalizer: { type: 'NFC' },
        preTokenizer: { type: 'Sequence', pretokenizers: split(qwenPattern, 'Isolated', false) },
        decoder,
      };
    case 'openaigpt':
      return {
        model: { ...model, end_of_word_suffix: '</w>', unk_token: token('unk_token') },
        normalizer: {
          type: 'BertNormalizer',
          clean_text: true,
          handle_chinese_chars: true,
          strip_accents: null,
          lowercase: true,
        },
        preTokenizer: { type: 'BertPreTokenizer' },
        decoder: { type: 'BPEDecoder', suffix: '</w>' },
      };
    default:
      return {
        model,
        preTokenizer: byteLevel,
        postProcessor: wrap(ends('bos_token', 'add_bos_token'), ends('eos_token', 'add_eos_token')),
        decoder,
      };
  }
}

function familyOf(settings: VocabularySettings, ids: Ids): Family {
  const kind = classOf(settings);
  if (robertas.test(kind)) return 'roberta';
  if (qwens.test(kind)) return 'qwen2';
  if (kind === 'clip' || kind === 'deberta' || kind === 'openaigpt') return kind;
  if (kind !== '') return 'gpt2';
  if (ids.has('<|startoftext|>') && ids.has('a</w>')) return 'clip';
  return ids.get('<s>') === 0 && ids.get('<pad>') === 1 && ids.get('</s>') === 2 ? 'roberta' : 'gpt2';
}

/** @throws EmbError "corrupt" for anything but an object of numbers */
function idsOf(name: string, bytes: Uint8Array): Ids {
  if (!isUtf8(bytes)) throw new EmbError('corrupt', `${name}: "bytes" are no UTF-8, expected JSON in UTF-8`);
  const scanner = new JsonScanner(name, bytes);
  const ids = new Map<string, number>();
  if (scanner.peek() !== 0x7b) scanner.fail("'{', the start of a vocabulary");
  scanner.members((piece) => {
    scanner.peek();
    const start = scanner.at;
    scanner.skipValue();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, scanner.at - start).toString('latin1');
    if (!/^\d{1,9}$/.test(text))
      throw new EmbError(
        'corrupt',
        `${name}: ${JSON.stringify(piece)} is ${text.slice(0, 40)}, expected an id`,
      );
    ids.set(piece, Number(text));
  });
  if (scanner.peek() >= 0) scanner.fail('the end of the file');
  return ids;
}

/** Pairs of a merges.txt; a line that begins with #version is none, as in Hugging Face's reader. */
function mergesOf(name: string, bytes: Uint8Array): [string, string][] {
  if (!isUtf8(bytes))
    throw new EmbError('corrupt', `${name}: "bytes" are no UTF-8, expected merges in UTF-8`);
  const lines = new TextDecoder().decode(bytes).split('\n');
  while (lines.length > 0 && /^\r?$/.test(lines[lines.length - 1])) lines.pop();
  const merges: [string, string][] = [];
  lines.forEach((line, i) => {
    if (line.startsWith('#version')) return;
    const parts = (line.endsWith('\r') ? line.slice(0, -1) : line).split(' ');
    if (parts.length !== 2 || parts.includes(''))
      throw new EmbError(
        'corrupt',
        `${name}: "line" ${i + 1} has ${parts.filter((part) => part !== '').length} pieces, expected 2 with a space between them`,
      );
    merges.push([parts[0], parts[1]]);
  });
  return merges;
}
