import { isUtf8 } from 'node:buffer';
import { EmbError } from '../errors.ts';
import type { Tokenizer } from '../types.ts';
import { jsonOfPieces, openVocabulary } from './vocab-open.ts';
import {
  addedTokensOf,
  classOf,
  noSettings,
  settingOf,
  specialToken,
  templateOf,
  type VocabularySettings,
} from './vocab-settings.ts';

/** Classes whose vocab.txt is no WordPiece of BERT's, or whose texts other programs cut first. */
const otherClasses =
  /^(bertjapanese|phobert|bertweet|roformer|esm|cpmant|nystromformer-spm|xlm|flaubert|herbert)$/;

/**
 * A vocab.txt as Hugging Face's BertTokenizer reads it: the number of a line is the id of its piece.
 *
 * Lower case, accents and ideographs as tokenizer_config.json says; where it does not, a vocabulary is cased when an entry without
 * brackets has a capital of ASCII. [CLS] and [SEP] surround a text where the vocabulary has both.
 * @param name as errors call the file
 * @throws EmbError "corrupt" for bytes that are no UTF-8, "unsupported" for classes whose texts something else cuts first
 */
export async function openVocabTxt(
  name: string,
  bytes: Uint8Array,
  settings: VocabularySettings = noSettings,
): Promise<Tokenizer> {
  const kind = classOf(settings);
  if (otherClasses.test(kind)) {
    throw new EmbError(
      'unsupported',
      `${name}: "tokenizer_class" is ${String(settings.tokenizer.tokenizer_class ?? settings.model.model_type)}, expected a class that cuts words as BERT does`,
      'ids need no tokenizer: give them with --ids',
    );
  }
  const pieces = piecesOf(name, bytes);
  const idOf = (piece: string) => pieces.get(piece);
  const isMpnet = kind === 'mpnet';
  const named = {
    cls: specialToken(settings, 'cls_token') ?? (isMpnet ? '<s>' : '[CLS]'),
    sep: specialToken(settings, 'sep_token') ?? (isMpnet ? '</s>' : '[SEP]'),
    unknown: specialToken(settings, 'unk_token') ?? '[UNK]',
    pad: specialToken(settings, 'pad_token') ?? (isMpnet ? '<pad>' : '[PAD]'),
    mask: specialToken(settings, 'mask_token') ?? (isMpnet ? '<mask>' : '[MASK]'),
  };
  const before = kind === 'prophetnet' ? [] : [named.cls];
  const after = [named.sep];
  const isWrapped = [...before, ...after].every((token) => pieces.has(token));
  const lowercase = settingOf(settings, 'do_lower_case') ?? !isCased(pieces.keys());
  return openVocabulary({
    name,
    model: {
      type: 'WordPiece',
      unk_token: named.unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
    vocab: jsonOfPieces(pieces),
    addedTokens: addedTokensOf(settings, Object.values(named), idOf),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: settingOf(settings, 'tokenize_chinese_chars') ?? true,
      strip_accents: settingOf(settings, 'strip_accents') ?? null,
      lowercase,
    },
    preTokenizer: { type: 'BertPreTokenizer' },
    postProcessor: isWrapped ? templateOf(before, after, idOf) : undefined,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  });
}

/** Pieces by line; of equal ones the last counts, as in every reader of these files. */
function piecesOf(name: string, bytes: Uint8Array): Map<string, number> {
  if (!isUtf8(bytes))
    throw new EmbError('corrupt', `${name}: "bytes" are no UTF-8, expected a piece on each line`);
  const lines = new TextDecoder('utf-8').decode(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const pieces = new Map<string, number>();
  lines.forEach((line, id) => {
    pieces.set(line.endsWith('\r') ? line.slice(0, -1) : line, id);
  });
  if (pieces.size === 0) throw new EmbError('corrupt', `${name}: has 0 lines, expected a piece on each`);
  return pieces;
}

function isCased(pieces: Iterable<string>): boolean {
  for (const piece of pieces) {
    if (/[A-Z]/.test(piece) && !/[<>[\]]/.test(piece)) return true;
  }
  return false;
}
