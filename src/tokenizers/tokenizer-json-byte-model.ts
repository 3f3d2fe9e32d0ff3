import { EmbError } from '../errors.ts';
import type { BpeModel } from './bpe.ts';
import { MergeTable } from './bpe-merges.ts';
import { writePiece } from './tokenizer-json-bytes.ts';
import { flagOf, refuseType, type TokenizerFile } from './tokenizer-json-file.ts';
import { isByteLevel, mixesBytes } from './tokenizer-json-pretokenizer.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';

/** Whether the model is BPE over bytes that are spelled as characters, and nothing else. @throws EmbError "corrupt" */
export function isByteModel({ name, model, modelType, preTokenizer, vocabulary }: TokenizerFile): boolean {
  if (modelType !== 'BPE' || !isByteLevel(name, preTokenizer) || mixesBytes(name, preTokenizer)) return false;
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model[key] ?? '';
    if (typeof value !== 'string') refuseType(name, `model.${key}`, value, 'a text or null');
    if (value !== '') return false;
  }
  // With all bytes in the vocabulary nothing falls back to their names.
  return !flagOf(name, model, 'byte_fallback', false) || !createByteIds(vocabulary).includes(-1);
}

/** @throws EmbError "unsupported" for a dropout, which is random */
export function checkDropout({ name, model }: TokenizerFile): void {
  const dropout = model.dropout ?? 0;
  if (typeof dropout !== 'number') refuseType(name, 'model.dropout', dropout, 'a number or null');
  if (dropout !== 0) {
    throw new EmbError(
      'unsupported',
      `${name}: "model.dropout" is ${dropout}, which is random, expected 0`,
      'ids need no tokenizer: give them with --ids',
    );
  }
}

function createByteIds(vocabulary: Vocabulary): Int32Array {
  const byteIds = new Int32Array(256);
  const byte = new Uint8Array(1);
  const piece = new Uint8Array(2);
  for (byte[0] = 0; ; byte[0]++) {
    byteIds[byte[0]] = vocabulary.find(piece, 0, writePiece(byte, 0, 1, piece));
    if (byte[0] === 255) return byteIds;
  }
}

/** Byte pair encoding over bytes as the file describes it. @throws EmbError "corrupt" for an unknown token that is none */
export function createByteModel(file: TokenizerFile): BpeModel {
  const { name, model, vocabulary, merges } = file;
  const byteIds = createByteIds(vocabulary);
  let scratch = new Uint8Array(256);
  const wholeWord = (bytes: Uint8Array, start: number, end: number): number => {
    if (scratch.length < 2 * (end - start)) scratch = new Uint8Array(4 * (end - start));
    return vocabulary.find(scratch, 0, writePiece(bytes, start, end, scratch));
  };
  const table = merges?.createTable() ?? new MergeTable(0);
  table.namesRanksByIds = file.namesRanksByIds === true;
  return {
    byteIds,
    merges: table,
    wholeWord: flagOf(name, model, 'ignore_merges', false) ? wholeWord : undefined,
    unknownId: unknownIdOf(file, byteIds),
    fuseUnknown: flagOf(name, model, 'fuse_unk', false),
  };
}

function unknownIdOf(file: TokenizerFile, byteIds: Int32Array): number | undefined {
  const unknown = file.model.unk_token;
  if (unknown === undefined || unknown === null) return undefined;
  if (typeof unknown !== 'string') return refuseType(file.name, 'model.unk_token', unknown, 'a text or null');
  const id = file.vocabulary.idOf(unknown);
  const lacking = byteIds.indexOf(-1);
  if (id === undefined && lacking >= 0) {
    throw new EmbError(
      'corrupt',
      `${file.name}: "model.unk_token" is ${JSON.stringify(unknown)}, expected a token of "model.vocab", which lacks byte ${lacking}`,
    );
  }
  return id;
}
