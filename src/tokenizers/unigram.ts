import { EmbError } from '../errors.ts';
import type { ChunkModel } from '../kernels/chunks-model.ts';
import type { IdSink, WeighedPiece } from '../types.ts';
import type { PieceMatcher } from './piece-matcher.ts';
import { PieceTrie, type TriePieces } from './piece-trie.ts';
import { traceWord } from './weighed-pieces.ts';
import { pushWord, type WordModel } from './wordpiece.ts';

/** How much worse an unknown character is than the worst piece. Source: kUnkPenalty in sentencepiece/src/unigram_model.cc. */
const unknownPenalty = 10;

/** Bytes that are cut by a matcher before a trie is worth its table. */
const trieBytes = 32_768;

export interface UnigramOptions {
  /** As errors name it. */
  name: string;
  pieces: TriePieces & { find(bytes: Uint8Array, start: number, end: number): number };
  /** By id. */
  scores: Float64Array;
  unknownId: number | undefined;
  /** Ids of <0x00> to <0xFF>, -1 for those that the vocabulary lacks; undefined without byte fallback. */
  byteIds: Int32Array | undefined;
  /** Finds the pieces as well, slower but without tables that take a pass over them; used for the first words. */
  matcher?: PieceMatcher;
  /** Sums are rounded to float32, as SentencePiece has them; Hugging Face keeps float64. */
  single?: { unknownScore: number };
}

/**
 * Unigram: of all ways to cut a word into pieces the one with the highest sum of scores; of equal ones the one whose last piece
 * begins first. Neighboring unknown characters are one token, or their bytes.
 *
 * Cost: per character at most the bytes of the longest piece.
 * Source: EncodeOptimized in sentencepiece/src/unigram_model.cc; encode_optimized of Hugging Face's tokenizers, which this agrees with.
 */
export class Unigram implements WordModel {
  private readonly options: UnigramOptions;
  private readyTrie: PieceTrie | undefined;
  private bytes = 0;
  private readonly unknownScore: number;
  private best: Float64Array | Float32Array;
  /** Where the best piece that ends here begins, -1 where none does. */
  private from = new Int32Array(256);
  private pieces = new Int32Array(256);

  constructor(options: UnigramOptions) {
    this.options = options;
    let lowest = Number.POSITIVE_INFINITY;
    for (const score of options.scores) if (score < lowest) lowest = score;
    this.unknownScore = options.single?.unknownScore ?? lowest - unknownPenalty;
    this.best = this.sums(256);
  }

  private get trie(): PieceTrie {
    this.readyTrie ??= new PieceTrie(this.options.pieces);
    return this.readyTrie;
  }

  forKernel(): ChunkModel | undefined {
    const { pieces, scores, unknownId, single, byteIds } = this.options;
    const { unknownScore } = this;
    const spellsUnknown = byteIds !== undefined;
    const model = { kind: 'best', pieces, scores, unknownScore, unknownId, spellsUnknown } as const;
    return single === undefined ? model : { ...model, sums: { single: true, byteIds } };
  }

  private sums(size: number): Float64Array | Float32Array {
    return this.options.single === undefined ? new Float64Array(size) : new Float32Array(size);
  }

  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const size = end - start;
    if (size <= 0) return;
    if (this.from.length <= size) {
      this.best = this.sums(2 * size + 1);
      this.from = new Int32Array(2 * size + 1);
      this.pieces = new Int32Array(2 * size + 1);
    }
    const first = into.length;
    this.bytes += size;
    const { matcher } = this.options;
    if (matcher !== undefined && this.bytes <= trieBytes) this.findMatched(matcher, bytes, start, size);
    else this.findBest(bytes, start, size);
    this.pushBest(bytes, start, size, into);
    traceWord(into, first, bytes, [start, end], () => this.lattice(bytes, start, size));
  }

  /** Every piece that stands in a word whose best sums were found last. */
  lattice(bytes: Uint8Array, start: number, size: number): Omit<WeighedPiece, 'chosen'>[] {
    const { best, trie, unknownScore } = this;
    const { scores, unknownId } = this.options;
    const add = (a: number, b: number) => (this.options.single === undefined ? a + b : Math.fround(a + b));
    const found: Omit<WeighedPiece, 'chosen'>[] = [];
    for (let at = 0; at < size; ) {
      const after = Math.min(size, at + characterBytes(bytes[start + at]));
      let isSpelled = false;
      let node = trie.roots[bytes[start + at]];
      for (let to = at + 1; node !== 0; to++) {
        const id = trie.ids[node];
        if (id >= 0) {
          const total = add(scores[id], best[at]);
          found.push({ start: start + at, end: start + to, id, score: scores[id], total });
          if (to === after) isSpelled = true;
        }
        if (to >= size) break;
        node = trie.next(node, bytes[start + to]);
      }
      if (!isSpelled && unknownId !== undefined) {
        const total = add(unknownScore, best[at]);
        found.push({ start: start + at, end: start + after, id: unknownId, score: unknownScore, total });
      }
      at = after;
    }
    return found;
  }

  private findBest(bytes: Uint8Array, start: number, size: number): void {
    const { best, from, pieces, trie } = this;
    const { scores } = this.options;
    const isSingle = this.options.single !== undefined;
    const { ids, roots } = trie;
    from.fill(-1, 0, size + 1);
    best[0] = 0;
    for (let at = 0; at < size; ) {
      const here = best[at];
      const lead = bytes[start + at];
      const after = Math.min(size, at + characterBytes(lead));
      let isSpelled = false;
      let node = roots[lead];
      for (let to = at + 1; node !== 0; to++) {
        const id = ids[node];
        if (id >= 0) {
          const score = isSingle ? Math.fround(scores[id] + here) : scores[id] + here;
          if (from[to] < 0 || score > best[to]) {
            best[to] = score;
            from[to] = at;
            pieces[to] = id;
          }
          if (to === after) isSpelled = true;
        }
        if (to >= size) break;
        node = trie.next(node, bytes[start + to]);
      }
      if (!isSpelled) this.challengeUnknown(at, after, here);
      at = after;
    }
  }

  /** The same by a matcher, shortest pieces first as well. */
  private findMatched(matcher: PieceMatcher, bytes: Uint8Array, start: number, size: number): void {
    const { best, from } = this;
    const { scores } = this.options;
    from.fill(-1, 0, size + 1);
    best[0] = 0;
    for (let at = 0; at < size; ) {
      const begin = at;
      const here = best[at];
      const after = Math.min(size, at + characterBytes(bytes[start + at]));
      let isSpelled = false;
      matcher.matchAll(bytes, start + at, start + size, (id, end) => {
        this.challenge(begin, end - start, scores[id] + here, id);
        if (end - start === after) isSpelled = true;
      });
      if (!isSpelled) this.challengeUnknown(at, after, here);
      at = after;
    }
  }

  private challengeUnknown(at: number, after: number, here: number): void {
    const isBetter = this.challenge(at, after, this.unknownScore + here, this.options.unknownId ?? -1);
    if (isBetter && this.options.unknownId === undefined) this.refuse();
  }

  /** Takes a piece that ends at `to` when its sum is better than those before. */
  private challenge(at: number, to: number, sum: number, id: number): boolean {
    const { best, from, pieces } = this;
    const score = this.options.single === undefined ? sum : Math.fround(sum);
    if (from[to] >= 0 && score <= best[to]) return false;
    best[to] = score;
    from[to] = at;
    pieces[to] = id;
    return true;
  }

  /** Appends the pieces of the best path; from and pieces are turned around to go along it. */
  private pushBest(bytes: Uint8Array, start: number, size: number, into: IdSink): void {
    const { from, pieces } = this;
    const { unknownId } = this.options;
    let next = -1;
    for (let at = size; at > 0; ) {
      const before = from[at];
      from[at] = next;
      next = at;
      at = before;
    }
    for (let at = 0; next > 0; ) {
      let end = next;
      const id = pieces[end];
      next = from[end];
      if (id !== unknownId) {
        pushWord(id, start + at, start + end, into);
      } else {
        while (next > 0 && pieces[next] === unknownId) {
          end = next;
          next = from[end];
        }
        this.pushUnknown(bytes, start + at, start + end, into);
      }
      at = end;
    }
  }

  private pushUnknown(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const { pieces, byteIds, unknownId } = this.options;
    // Characters that are unknown one by one can be a piece together.
    const whole = pieces.find(bytes, start, end);
    if (whole >= 0) {
      pushWord(whole, start, end, into);
      return;
    }
    let spelled = byteIds !== undefined;
    for (let i = start; spelled && i < end; i++) spelled = (byteIds as Int32Array)[bytes[i]] >= 0;
    if (!spelled) pushWord(unknownId as number, start, end, into);
    else for (let i = start; i < end; i++) pushWord((byteIds as Int32Array)[bytes[i]], start, end, into);
  }

  private refuse(): never {
    throw new EmbError(
      'unsupported',
      `${this.options.name}: "unk_id" is missing, expected the id of a token for characters that no piece has`,
    );
  }
}

/** Bytes of a character by its first one. */
function characterBytes(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
