import { columnBytes, type MergePairs } from './pair-columns.ts';

/** How texts are cut into chunks; the plain reference is tokenizers/scanner-chunks.ts. */
export type ChunkRule =
  | { kind: 'words'; punctuation: boolean; ideographs: boolean }
  | { kind: 'spaces'; isSafe: (code: number) => boolean; lines: 'spaces' | 'apart' | 'inside' };

/** How chunks become words; the plain reference is tokenizers/direct-words.ts. */
export interface ChunkDirect {
  space: 'dropped' | 'begins' | 'joins';
  marksStart: boolean;
  single: boolean;
  mark: string;
  /** Every character but the space and U+2581 joins as it is. */
  isPlain: boolean;
  /** Number of what a code point does to a word, and its text; 0xd800 stands for CR and LF. */
  learn: (code: number) => { kind: number; text: string };
}

/** The number of a code point that joins the word before it. */
export const joiningKind = 1;

/** The number of a code point whose chunk is left to the plain way. */
export const generalKind = 5;

export interface ChunkPieces {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly count: number;
}

export interface ChunkKernelOptions {
  rule: ChunkRule;
  /** Without it, or without a model, every new chunk is asked for. */
  direct: ChunkDirect | undefined;
  model: ChunkModel | undefined;
  /** Ids of the chunk bytes[start, end) by the plain way. */
  ask: (bytes: Uint8Array, start: number, end: number) => Uint32Array;
  /** What the chunk becomes before it is cut; asked for where sums go on from chunk to chunk. */
  spell?: (bytes: Uint8Array, start: number, end: number) => string;
}

export interface ChunkKernel {
  /**
   * Gives `take` the ids of text[from, ...) bit by bit, with the place that was read up to; without those of the last chunk where it is held.
   *
   * Returns where it stopped: where the last chunk begins, or one that is longer than its memory; else text.length. Where sums go on from chunk
   * to chunk, what begins there cannot be encoded alone, and some ids of it may have been given. With `leadsBySpace` the text gets a space before
   * it, and what is returned is less than 0 when its first chunk was too long.
   */
  encode(
    text: string,
    from: number,
    holdLast: boolean,
    take: (ids: Uint32Array, read: number) => void,
    leadsBySpace?: boolean,
  ): number;
}

/** What models make of words; the plain references are tokenizers/{character-bpe,wordpiece,unigram}.ts. */
export type ChunkModel =
  | {
      kind: 'pairs';
      /** Ids of a text's characters before they merge; undefined where they depend on their neighbors. */
      symbolsOf: (text: string) => ArrayLike<number> | undefined;
      /** Where the ids of characters are found at once; absent where each is asked for. */
      pieces?: ChunkPieces;
      /** Ids of the bytes that characters without a piece become, where the vocabulary has them all. */
      spelling?: Int32Array;
      pairs: MergePairs;
    }
  | {
      kind: 'longest';
      pieces: ChunkPieces;
      prefix: Uint8Array;
      unknownId: number | undefined;
      longestWord: number;
    }
  | {
      kind: 'best';
      pieces: ChunkPieces;
      scores: Float64Array;
      unknownScore: number;
      /** Unknown characters become bytes, where the vocabulary has them. */
      spellsUnknown: boolean;
      unknownId: number | undefined;
      /** Sums go on from chunk to chunk, so that their rounding decides as in a whole text. */
      sums?: SumRule;
    };

/** How sums of a text's scores are rounded, and what unknown characters are. */
export interface SumRule {
  /** Sums are float32. */
  single: boolean;
  /** Ids of bytes, for models that spell unknown characters. */
  byteIds: Int32Array | undefined;
}

/** What comes before the table of pairs, `pairsAt` in assembly/bpe-memory.ts. */
const fixedBytes = 0x1790000;
/** How many code points there are. */
export const codes = 0x110000;

/** Symbols of all characters that were met. */
export const textSymbols = 1 << 20;

/** Most symbols that a space becomes. */
export const markRoom = 64;

/** Where what the vocabulary needs lies, all multiples of 8. */
export interface Places {
  bits: number;
  safety: number;
  places: number;
  texts: number;
  mark: number;
  joints: number;
  /** The model's own. */
  rest: number;
  end: number;
}

/** Bytes of a table of 2^bits pairs and of its filter, as assembly/bpe-merge.ts has them. */
export const pairTableBytes = (bits: number) => 2 ** bits * 8 + 2 ** (bits - 1);

/** Bytes of a node, as assembly/chunks-trie.ts has them. */
const trieSlotBytes = 16;

/** The next multiple of 8. */
export const up = (size: number) => Math.ceil(size / 8) * 8;

/** Highest id and rank, plus 1, with which joints are looked for: the pairs alone must justify the memory. */
export const jointRoom = (pairs: number) => Math.max(4 * pairs, 1024);

/** The layout that a model needs. */
export function placesOf(model: ChunkModel | undefined): Places {
  let pairs = 0;
  let own = 0;
  if (model?.kind === 'pairs') {
    const { count } = model.pairs;
    pairs = 2 * count;
    own = columnBytes(model.pairs) + 12 * jointRoom(count) + 64;
    if (model.pieces !== undefined) {
      const { offsets, count } = model.pieces;
      own += offsets[count] + 4 * (2 * count + 1 + 256) + 64;
    }
  } else if (model !== undefined) {
    // Real vocabularies have half as many nodes, and a smaller table is in a nearer cache.
    pairs = 1.15 * mostNodes(model);
    const { offsets, count } = model.pieces;
    const scores = model.kind === 'best' ? model.scores.length : 0;
    own = offsets[count] + 4 * (2 * count + 1) + 8 * scores + 64;
    own += 4 * codes + (model.kind === 'longest' ? model.prefix.length : 0);
  }
  const bits = Math.max(4, Math.ceil(Math.log2(pairs + 1)));
  const isTrie = model !== undefined && model.kind !== 'pairs';
  const safety = fixedBytes + (isTrie ? trieSlotBytes * 2 ** bits : pairTableBytes(bits));
  const places = safety + codes;
  const texts = places + 4 * codes;
  const mark = texts + 4 * (textSymbols + 64);
  const joints = mark + 4 * markRoom;
  const rest = joints + up(2 ** (bits - 1));
  return { bits, safety, places, texts, mark, joints, rest, end: rest + up(own) + 64 };
}

/** Most nodes that the pieces can have, counted twice where they are also found inside of words. */
function mostNodes(model: Exclude<ChunkModel, { kind: 'pairs' }>): number {
  const { bytes, offsets, count } = model.pieces;
  // A string has at least a unit for each byte that begins a character, and decoding is no loop of ours.
  const characters = Buffer.from(bytes.buffer, bytes.byteOffset, offsets[count]).toString('utf8').length;
  return model.kind === 'longest' && model.prefix.length > 0 ? 2 * characters : characters;
}

/** What each byte is to chunks between white space. */
export function wordByteKinds({
  punctuation,
  ideographs,
}: Extract<ChunkRule, { kind: 'words' }>): Uint8Array {
  const kinds = new Uint8Array(256);
  for (const byte of [0x20, 0x09, 0x0a, 0x0d]) kinds[byte] = 1;
  if (punctuation) {
    for (let byte = 0x21; byte < 0x7f; byte++)
      if (/[!-/:-@[-`{-~]/.test(String.fromCharCode(byte))) kinds[byte] = 2;
  }
  if (ideographs) {
    for (let byte = 0xe3; byte <= 0xe9; byte++) kinds[byte] = 3;
    kinds[0xef] = 3;
    kinds[0xf0] = 3;
  }
  kinds[0] = 4;
  return kinds;
}
