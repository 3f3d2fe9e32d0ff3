import { pieceTypes, type SentencePieceModel } from './sentencepiece-model.ts';

/** What the decoder has to know of an id. */
export type DecodedId = { id: number } | { text: string };

const encoder = new TextEncoder();

/** The byte that a piece <0xE4> stands for; undefined for any other. */
export function byteOfPiece(text: string): number | undefined {
  const hex = /^<0x([0-9A-F]{2})>$/.exec(text)?.[1];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

/**
 * The text of ids: control pieces are nothing, unknown ones the model's surface, bytes that make no character U+FFFD each.
 *
 * Source: SentencePieceProcessor::Decode in sentencepiece/src/sentencepiece_processor.cc.
 */
export function decodePieces(
  model: SentencePieceModel,
  items: readonly DecodedId[],
  textOf: (id: number) => string,
): Uint8Array {
  const { addDummyPrefix, removeExtraSpaces } = model.normalizer;
  let text = '';
  let atStart = true;
  let sawSpace = false;
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) text += textOfBytes(bytes);
    bytes = [];
  };
  for (const item of items) {
    if ('id' in item && model.types[item.id] === pieceTypes.byte) {
      bytes.push(byteOfPiece(textOf(item.id)) ?? 0xff);
      continue;
    }
    flush();
    if (sawSpace || text !== '') atStart = false;
    sawSpace = false;
    if ('text' in item) text += item.text;
    else if (model.types[item.id] === pieceTypes.unknown) text += model.unknownSurface;
    else if (model.types[item.id] !== pieceTypes.control) {
      let piece = textOf(item.id);
      if (atStart && (addDummyPrefix || removeExtraSpaces) && piece.startsWith('▁')) {
        piece = piece.slice(1);
        // Where spaces are removed all leading ones are.
        sawSpace = !removeExtraSpaces;
      }
      text += piece.replaceAll('▁', ' ');
    }
  }
  flush();
  return encoder.encode(text);
}

/** Bytes as text, each one that begins no character as U+FFFD. */
function textOfBytes(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const width = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    const character = width === 0 ? undefined : decoded(bytes.slice(at, at + width), width);
    text += character ?? '\ufffd';
    at += character === undefined ? 1 : width;
  }
  return text;
}

function decoded(bytes: readonly number[], width: number): string | undefined {
  if (bytes.length < width) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What a piece of a type stands for: its byte, its text with spaces, or its name. */
export function bytesOfPiece(text: string, type: number): Uint8Array {
  const byte = type === pieceTypes.byte ? byteOfPiece(text) : undefined;
  if (byte !== undefined) return Uint8Array.of(byte);
  const isText = type === pieceTypes.normal || type === pieceTypes.unused || type === pieceTypes.userDefined;
  return new TextEncoder().encode(isText ? text.replaceAll('▁', ' ') : text);
}
