import { MergeTable } from './bpe-merges.ts';
import { CharacterBpe } from './character-bpe.ts';
import { flagOf, type Part, refuseType, type TokenizerFile } from './tokenizer-json-file.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';
import { Unigram } from './unigram.ts';
import { WordLevel } from './wordlevel.ts';
import { type WordModel, WordPiece } from './wordpiece.ts';

/**
 * The model that a tokenizer.json describes, over the UTF-8 of words.
 *
 * Cost: a Unigram model builds a trie of its pieces.
 * @throws EmbError "corrupt" for wrong members
 */
export function createWordModel(file: TokenizerFile): WordModel {
  const { name, model, vocabulary, modelType } = file;
  switch (modelType) {
    case 'WordPiece':
      return new WordPiece({
        name,
        pieces: vocabulary,
        prefix: textIn(name, model, 'continuing_subword_prefix') ?? '##',
        unknown: unknownOf(name, model, vocabulary, '[UNK]'),
        longestWord: countIn(name, model, 'max_input_chars_per_word', 100),
      });
    case 'WordLevel': {
      const { text, id } = unknownOf(name, model, vocabulary, '<unk>');
      return new WordLevel(name, vocabulary, text, id);
    }
    case 'Unigram':
      return createUnigram(file);
    default:
      return createCharacterBpe(file);
  }
}

function createUnigram({ name, model, vocabulary }: TokenizerFile): Unigram {
  if (vocabulary.scores === undefined) refuseType(name, 'model.vocab', {}, 'a list of ["piece", score]');
  const unknown = model.unk_id ?? undefined;
  if (unknown !== undefined && !isIndex(unknown, vocabulary.count))
    refuseType(name, 'model.unk_id', unknown, `an id below ${vocabulary.count}`);
  return new Unigram({
    name,
    pieces: vocabulary,
    scores: vocabulary.scores(),
    unknownId: unknown as number | undefined,
    byteIds: byteIdsOf(name, model, vocabulary),
  });
}

function createCharacterBpe({ name, model, vocabulary, merges }: TokenizerFile): CharacterBpe {
  const unknown =
    model.unk_token === undefined || model.unk_token === null
      ? undefined
      : unknownOf(name, model, vocabulary, '');
  return new CharacterBpe({
    name,
    pieces: vocabulary,
    characters: vocabulary,
    merges: merges?.createTable() ?? new MergeTable(0),
    prefix: textIn(name, model, 'continuing_subword_prefix') ?? '',
    suffix: textIn(name, model, 'end_of_word_suffix') ?? '',
    byteIds: byteIdsOf(name, model, vocabulary),
    unknown,
    fuseUnknown: flagOf(name, model, 'fuse_unk', false),
    wholeWords: flagOf(name, model, 'ignore_merges', false),
  });
}

/** Ids of <0x00> to <0xFF> for models that spell unknown characters in bytes. */
function byteIdsOf(name: string, model: Part, vocabulary: Vocabulary): Int32Array | undefined {
  if (!flagOf(name, model, 'byte_fallback', false)) return undefined;
  return Int32Array.from({ length: 256 }, (_, byte) => vocabulary.idOf(pieceOfByte(byte)) ?? -1);
}

/** How a vocabulary with byte fallback names a byte: <0x0A>. */
export function pieceOfByte(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

function unknownOf(name: string, model: Part, vocabulary: Vocabulary, missing: string) {
  const text = textIn(name, model, 'unk_token') ?? missing;
  return { text, id: vocabulary.idOf(text) };
}

function textIn(name: string, model: Part, key: string): string | undefined {
  const value = model[key] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  return refuseType(name, `model.${key}`, value, 'a text or null');
}

function countIn(name: string, model: Part, key: string, missing: number): number {
  const value = model[key] ?? missing;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  return refuseType(name, `model.${key}`, value, 'a count');
}

function isIndex(value: unknown, count: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count;
}
