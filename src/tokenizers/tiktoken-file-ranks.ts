import { EmbError } from '../errors.ts';
import type { Tokenizer } from '../types.ts';
import { deriveMerges } from './bpe-derive.ts';
import { writePiece } from './tokenizer-json-bytes.ts';
import { jsonOfPieces, openVocabulary } from './vocab-open.ts';

/** A piece and its id, which is its rank too. */
export interface RankEntry {
  bytes: Uint8Array;
  id: number;
}

export interface RanksParts {
  /** As errors name it. */
  name: string;
  entries: readonly RankEntry[];
  /** How texts are cut into words. */
  pattern: string;
  added: readonly object[];
  postProcessor?: object;
}

/**
 * A tokenizer that merges the neighbors whose joined bytes have the lowest rank, as tiktoken does.
 *
 * Cost: one encoding of every piece, to find the two that it is merged from.
 * @throws EmbError "corrupt" for a piece or an id that is there twice
 */
export async function openRanks(parts: RanksParts): Promise<Tokenizer> {
  const { name, entries } = parts;
  const spelled = new Map<number, string>();
  const seen = new Set<string>();
  let size = 0;
  for (const { bytes, id } of entries) {
    const out = new Uint8Array(2 * bytes.length);
    const piece = Buffer.from(out.buffer, 0, writePiece(bytes, 0, bytes.length, out)).toString();
    if (spelled.has(id) || seen.has(piece))
      throw new EmbError(
        'corrupt',
        `${name}: ${spelled.has(id) ? `id ${id}` : `piece ${JSON.stringify(piece)}`} is there twice, expected it once`,
      );
    spelled.set(id, piece);
    seen.add(piece);
    size += bytes.length;
  }
  const texts = new Uint8Array(size);
  const offsets = new Uint32Array(entries.length + 1);
  entries.forEach(({ bytes }, i) => {
    texts.set(bytes, offsets[i]);
    offsets[i + 1] = offsets[i] + bytes.length;
  });
  const ids = Uint32Array.from(entries, ({ id }) => id);
  const { lefts, rights } = deriveMerges({ bytes: texts, offsets, ids });
  const merges = Array.from(lefts, (left, i) => [spelled.get(left), spelled.get(rights[i])]);
  return openVocabulary({
    name,
    // A word that is a piece is taken as it is, also one that no merges lead to.
    model: { type: 'BPE', ignore_merges: true },
    vocab: jsonOfPieces(Array.from(spelled, ([id, piece]) => [piece, id] as const)),
    merges: JSON.stringify(merges),
    namesRanksByIds: true,
    addedTokens: parts.added,
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: parts.pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    postProcessor: parts.postProcessor,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
  });
}
