import { EmbError } from '../errors.ts';
import { isByteModel } from './tokenizer-json-byte-model.ts';
import { bytesOfPiece, joinBytes } from './tokenizer-json-bytes.ts';
import type { MoreParts } from './tokenizer-json-encoder.ts';
import type { TokenizerFile } from './tokenizer-json-file.ts';
import { leavesOf } from './tokenizer-json-pieces.ts';

/** Parts that byte-level models come with. */
const plainTypes = new Set(
  'NFC NFD NFKC NFKD Lowercase Strip Prepend Replace ByteLevel Split Digits Punctuation Whitespace WhitespaceSplit'.split(
    ' ',
  ),
);

/** Whether a file takes more than byte-level models come with. */
export function needsMore(file: TokenizerFile): boolean {
  if (!isByteModel(file)) return true;
  const { normalizer, preTokenizer, decoder } = file;
  if (leavesOf(decoder).some((part) => part.type !== 'ByteLevel')) return true;
  if (leavesOf(normalizer).some((part) => part.type === 'ByteLevel')) return true;
  return [...leavesOf(normalizer), ...leavesOf(preTokenizer)].some(
    ({ type }) => !plainTypes.has(type as string),
  );
}

/** What makes bytes of pieces. */
export type Decode = (pieces: readonly string[]) => Uint8Array;

/** Without a decoder pieces are joined by spaces, as Hugging Face's reader does. */
export function createDecode({ name, decoder }: TokenizerFile, more?: MoreParts): Decode {
  if (decoder === undefined) return (pieces) => new TextEncoder().encode(pieces.join(' '));
  if (more === undefined) return (pieces) => joinBytes(pieces.map(bytesOfPiece));
  try {
    return more.createDecoder(name, decoder);
  } catch (error) {
    if (!(error instanceof EmbError) || error.code !== 'unsupported') throw error;
    // It is said when somebody decodes.
    return () => {
      throw error;
    };
  }
}
