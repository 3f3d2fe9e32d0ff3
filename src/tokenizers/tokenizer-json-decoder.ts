import { EmbError } from '../errors.ts';
import { bytesOfPiece, joinBytes } from './tokenizer-json-bytes.ts';
import { characterOf, metaspaceOf } from './tokenizer-json-cuts.ts';
import { flagOf, type Part, partsOf, refuseType, textOf, typeOf } from './tokenizer-json-file.ts';
import { compilePattern } from './tokenizer-json-pattern.ts';

/** One step from pieces to the texts that they are joined from. */
type DecodeStep = (pieces: readonly string[]) => readonly string[];

const encoder = new TextEncoder();

/**
 * The decoder that a tokenizer.json describes: pieces to the bytes of their text.
 *
 * Source: decode_chain in Hugging Face's decoders.
 * @throws EmbError "unsupported" naming a decoder that is unknown, "corrupt" for wrong members
 */
export function createDecoder(name: string, part: Part): (pieces: readonly string[]) => Uint8Array {
  const leaves = leavesOf(name, part);
  const steps = leaves.map((leaf) => stepOf(name, leaf));
  // Bytes that make no text stay what they are when nothing else is done with them.
  const last = leaves.at(-1);
  const endsInBytes = last !== undefined && last.type === 'ByteLevel';
  if (endsInBytes) steps.pop();
  return (pieces) => {
    const texts = steps.reduce((result, step) => step(result), pieces);
    return endsInBytes ? joinBytes(texts.map(bytesOfPiece)) : encoder.encode(texts.join(''));
  };
}

function leavesOf(name: string, part: Part): Part[] {
  if (typeOf(name, 'decoder', part) !== 'Sequence') return [part];
  return partsOf(name, 'decoder.decoders', part.decoders).flatMap((each) => leavesOf(name, each));
}

function stepOf(name: string, part: Part): DecodeStep {
  const type = typeOf(name, 'decoder', part);
  switch (type) {
    case 'ByteLevel':
      return (pieces) => [
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(joinBytes(pieces.map(bytesOfPiece))),
      ];
    case 'Fuse':
      return (pieces) => [pieces.join('')];
    case 'ByteFallback':
      return joinByteTokens;
    case 'BPEDecoder': {
      const suffix = textOf(name, { suffix: '</w>', ...part }, 'suffix');
      return (pieces) =>
        pieces.map((piece, i) => replaceText(piece, suffix, i === pieces.length - 1 ? '' : ' '));
    }
    case 'WordPiece':
      return wordPieceStep(name, part);
    case 'Metaspace': {
      const { replacement, scheme } = metaspaceOf(name, 'decoder', part);
      return (pieces) =>
        pieces.map((piece, i) => piece.replaceAll(replacement, i === 0 && scheme !== 'never' ? '' : ' '));
    }
    case 'Replace': {
      const pattern = compilePattern(name, 'decoder.pattern', part.pattern);
      const content = textOf(name, part, 'content');
      return (pieces) => pieces.map((piece) => replaceFound(piece, pattern.find(piece), content));
    }
    case 'Strip':
      return stripStep(name, part);
    case 'CTC':
      return ctcStep(name, part);
    default:
      throw new EmbError(
        'unsupported',
        `${name}: "decoder" is ${JSON.stringify(type)}, which is unknown, expected ByteLevel, WordPiece, Metaspace, BPEDecoder, CTC, ByteFallback, Fuse, Strip, Replace or Sequence`,
      );
  }
}

/** Every `from` of a text as `to`. The empty text stands around every character, also around those of two units, as in Rust. */
function replaceText(text: string, from: string, to: string): string {
  if (from !== '') return text.replaceAll(from, to);
  return to + Array.from(text, (character) => character + to).join('');
}

function replaceFound(text: string, bounds: readonly number[], content: string): string {
  let result = '';
  let done = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    result += text.slice(done, bounds[i]) + content;
    done = bounds[i + 1];
  }
  return result + text.slice(done);
}

/** Runs of pieces like <0xE4> become the text that their bytes spell, or U+FFFD for each when they spell none. */
const joinByteTokens: DecodeStep = (pieces) => {
  const joined: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    joined.push(textOfBytes(Uint8Array.from(bytes)) ?? '\ufffd'.repeat(bytes.length));
    bytes = [];
  };
  for (const piece of pieces) {
    const byte = /^<0x(\+[0-9a-f]|[0-9a-f]{2})>$/i.exec(piece)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      joined.push(piece);
    }
  }
  flush();
  return joined;
};

function textOfBytes(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function wordPieceStep(name: string, part: Part): DecodeStep {
  const prefix = textOf(name, { prefix: '##', ...part }, 'prefix');
  const cleans = flagOf(name, part, 'cleanup', true);
  return (pieces) =>
    pieces.map((piece, i) => {
      let text = piece;
      if (i > 0) text = piece.startsWith(prefix) ? piece.slice(prefix.length) : ` ${piece}`;
      return cleans ? cleanUp(text) : text;
    });
}

/** Source: cleanup in Hugging Face's decoders/wordpiece.rs. */
function cleanUp(text: string): string {
  let result = text;
  for (const [from, to] of cleanings) result = result.replaceAll(from, to);
  return result;
}

const cleanings: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function countOf(name: string, part: Part, key: string): number {
  const value = part[key] ?? 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  return refuseType(name, `decoder.${key}`, value, 'a count');
}

function stripStep(name: string, part: Part): DecodeStep {
  const content = characterOf(name, part, 'content');
  const start = countOf(name, part, 'start');
  const stop = countOf(name, part, 'stop');
  return (pieces) =>
    pieces.map((piece) => {
      const characters = [...piece];
      let from = 0;
      while (from < start && characters[from] === content) from++;
      let to = characters.length;
      while (characters.length - to < stop && characters[to - 1] === content) to--;
      return characters.slice(from, Math.max(from, to)).join('');
    });
}

/** What a speech model says: repeated tokens count once, the padding token not at all. */
function ctcStep(name: string, part: Part): DecodeStep {
  const padding = textOf(name, { pad_token: '<pad>', ...part }, 'pad_token');
  const delimiter = textOf(name, { word_delimiter_token: '|', ...part }, 'word_delimiter_token');
  const cleans = flagOf(name, part, 'cleanup', true);
  return (pieces) =>
    pieces
      .filter((piece, i) => i === 0 || piece !== pieces[i - 1])
      .map((piece) => {
        const text = piece.replaceAll(padding, '');
        return cleans ? replaceText(cleanUp(text), delimiter, ' ') : text;
      })
      .filter((piece) => piece !== '');
}
