import { bytesOfPiece, pieceOfText } from './tokenizer-json-bytes.ts';
import type { Part, TokenizerFile } from './tokenizer-json-file.ts';

/** What pieces stand for, and how a vocabulary writes a text. */
export interface Spelling {
  bytesOf(piece: string): Uint8Array;
  /** Pieces that stand for exactly this text, likeliest first. */
  piecesOf(text: string): string[];
}

const encoder = new TextEncoder();

/** Pieces of a byte-level vocabulary. */
const byteSpelling: Spelling = {
  bytesOf: bytesOfPiece,
  piecesOf: (text) => [pieceOfText(text)],
};

/** How SentencePiece writes spaces. */
const metaspace = '\u2581';

/** How a file's vocabulary writes texts: as bytes that are spelled as characters where a part of it says so. */
export function spellingOf(file: TokenizerFile): Spelling {
  const parts = [file.normalizer, file.preTokenizer, file.decoder].flatMap((part) => leavesOf(part));
  return parts.some((part) => part.type === 'ByteLevel') ? byteSpelling : createSpelling(file);
}

/**
 * How a vocabulary that is not byte-level writes texts: ▁ for a space where the file makes it so, ## before a piece inside of a word,
 * </w> after one at its end, <0x0A> for a byte.
 */
function createSpelling(file: TokenizerFile): Spelling {
  const { model, modelType } = file;
  const space = findSpace(file);
  const missing = modelType === 'WordPiece' ? '##' : '';
  const prefix = textOr(model.continuing_subword_prefix, missing);
  const suffix = textOr(model.end_of_word_suffix, '');
  const hasBytes = model.byte_fallback === true;
  return {
    bytesOf(piece) {
      const byte = hasBytes ? /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1] : undefined;
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
      let text = piece;
      if (prefix !== '' && text.length > prefix.length && text.startsWith(prefix))
        text = text.slice(prefix.length);
      if (suffix !== '' && text.length > suffix.length && text.endsWith(suffix))
        text = text.slice(0, -suffix.length);
      return encoder.encode(space === undefined ? text : text.replaceAll(space, ' '));
    },
    piecesOf(text) {
      const spaced = space === undefined ? text : text.replaceAll(' ', space);
      const pieces = [spaced];
      if (suffix !== '') pieces.push(spaced + suffix);
      if (prefix !== '') pieces.push(prefix + spaced);
      const bytes = encoder.encode(text);
      if (hasBytes && bytes.length === 1)
        pieces.push(`<0x${bytes[0].toString(16).toUpperCase().padStart(2, '0')}>`);
      return pieces;
    },
  };
}

function textOr(value: unknown, missing: string): string {
  return typeof value === 'string' ? value : missing;
}

/** What stands for a space in pieces: a Metaspace's character, or what spaces are replaced by before or made from after. */
function findSpace({ normalizer, preTokenizer, decoder }: TokenizerFile): string | undefined {
  for (const part of [...leavesOf(preTokenizer), ...leavesOf(decoder)]) {
    if (part.type === 'Metaspace') return textOr(part.replacement, metaspace);
  }
  for (const part of leavesOf(normalizer)) {
    const pattern = part.pattern as Part | null | undefined;
    if (part.type === 'Replace' && pattern?.String === ' ' && part.content !== '')
      return textOr(part.content, metaspace);
  }
  for (const part of leavesOf(decoder)) {
    const pattern = part.pattern as Part | null | undefined;
    if (part.type === 'Replace' && part.content === ' ' && pattern?.String === metaspace) return metaspace;
  }
  return undefined;
}

/** The parts inside of sequences, in order. Whoever makes something of them checks them. */
export function leavesOf(part: Part | undefined): Part[] {
  if (part === undefined) return [];
  const inner = part.normalizers ?? part.pretokenizers ?? part.decoders;
  if (!Array.isArray(inner)) return [part];
  return inner
    .filter((each) => typeof each === 'object' && each !== null)
    .flatMap((each) => leavesOf(each as Part));
}
