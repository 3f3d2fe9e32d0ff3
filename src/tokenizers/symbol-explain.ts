import type { IdSink, MergeStep, MergeSymbol, WeighedWord } from '../types.ts';
import { checkSymbols, stepWithoutMerge, type TracedWord, takenAs } from './bpe-explain.ts';
import { keepsSpans } from './id-sink.ts';
import { characterBytes, noMerge, type PairCost } from './sentencepiece-bpe.ts';

/** How stretches of bytes merge and what they are called. */
export interface SymbolRules {
  /** Asked any number of times for a pair, in any order. */
  cost: PairCost;
  /** What costs are: ranks of merges, or scores of pieces with the sign turned. */
  by: 'rank' | 'score';
  /** Id of the token of exactly these bytes, -1 for none. */
  idOf(bytes: Uint8Array, start: number, end: number): number;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What a sink collects of words that are to be explained; undefined where none are. */
export function traceOf(into: IdSink): TracedWord[] | undefined {
  return keepsSpans(into) ? into.trace : undefined;
}

/** Ids from `first` on of the tokens that begin in bytes start to end. */
export function idsBetween(into: IdSink, first: number, start: number, end: number): number[] {
  const ids: number[] = [];
  if (!keepsSpans(into)) return ids;
  for (let i = first; i < into.length; i++)
    if (into.starts[i] >= start && into.starts[i] < end) ids.push(into.ids[i]);
  return ids;
}

/**
 * Adds bytes[start, end) to a trace as a word that merges as SymbolMerger does it: step by step, and what it became at last.
 *
 * Cost: the square of its symbols, of which there are 256 at most.
 * @param ids the word's tokens
 * @throws EmbError "range" for a word of more symbols
 */
export function traceMerges(
  trace: TracedWord[],
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  ids: number[],
  rules: SymbolRules,
): void {
  const starts: number[] = [];
  for (let at = start; at < end; at = Math.min(end, at + characterBytes(bytes[at]))) starts.push(at);
  checkSymbols(starts.length);
  starts.push(end);
  const nameOf = (from: number, to: number): MergeSymbol => {
    const id = rules.idOf(bytes, from, to);
    return id < 0 ? decoder.decode(bytes.subarray(from, to)) : id;
  };
  const symbols = (): MergeSymbol[] => starts.slice(1).map((to, i) => nameOf(starts[i], to));
  const steps: MergeStep[] = [stepWithoutMerge(symbols())];
  for (;;) {
    const [place, cost] = cheapestPair(bytes, starts, rules.cost);
    if (place < 0) break;
    const [from, middle, to] = starts.slice(place, place + 3);
    starts.splice(place + 1, 1);
    const [left, right, merged] = [nameOf(from, middle), nameOf(middle, to), nameOf(from, to)];
    const isRank = rules.by === 'rank';
    steps.push({
      rank: isRank ? cost : null,
      score: isRank ? null : -cost,
      left,
      right,
      merged,
      ids: symbols(),
    });
  }
  const last = steps.at(-1)?.ids ?? [];
  if (last.length !== ids.length || !last.every((id, i) => id === ids[i])) steps.push(stepWithoutMerge(ids));
  trace.push({ steps });
}

/** The first of the pairs of the lowest cost, by its left symbol, and that cost; -1 when none merges. */
function cheapestPair(bytes: Uint8Array, starts: readonly number[], cost: PairCost): [number, number] {
  let place = -1;
  let lowest = noMerge;
  for (let i = 0; i + 2 < starts.length; i++) {
    const price = cost(bytes, starts[i], starts[i + 1], starts[i + 2]);
    if (price >= lowest) continue;
    lowest = price;
    place = i;
  }
  return [place, lowest];
}

/** The letters ▁ at a place. */
function isMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
}

/**
 * Where merged text can be told in words: between two symbols, before ▁, or after it where it ends words. No merge led over such a place,
 * so that both sides merged on their own.
 *
 * @param starts where the symbols begin, and after `count` of them where the last one ends
 */
export function* wordsBetweenMarks(
  bytes: Uint8Array,
  starts: ArrayLike<number>,
  count: number,
  marksEnd: boolean,
): Generator<readonly [number, number]> {
  let from = 0;
  for (let i = 1; i < count; i++) {
    const at = starts[i];
    const isAfter = at - starts[from] >= 3 && isMark(bytes, at - 3);
    const isBefore = isMark(bytes, at);
    if (marksEnd ? !isAfter || isBefore : isAfter || !isBefore) continue;
    yield [starts[from], at];
    from = i;
  }
  if (count > 0) yield [starts[from], starts[count]];
}

/** Takes the first `count` tokens of the words from `from` on away: they were put before a text and are none of it. */
export function dropTraced(trace: TracedWord[], from: number, count: number): void {
  const kept: TracedWord[] = [];
  let left = count;
  for (const word of trace.splice(from)) {
    if (left <= 0) kept.push(word);
    else if ('pieces' in word) {
      const dropped = word.pieces.filter(({ chosen }) => chosen).slice(0, left);
      left -= dropped.length;
      const rest = withoutStart(word, dropped.at(-1));
      if (rest.pieces.length > 0) kept.push(rest);
    } else if ('steps' in word) {
      const ids = word.steps.at(-1)?.ids ?? [];
      if (ids.length > left) kept.push(takenAs(ids.slice(left)));
      left -= ids.length;
    }
  }
  trace.push(...kept);
}

/** A word without what stands before the end of one of its pieces. */
function withoutStart(
  { word, pieces }: WeighedWord,
  last: WeighedWord['pieces'][number] | undefined,
): WeighedWord {
  const from = last?.end ?? 0;
  const before = last?.total ?? 0;
  return {
    word: Buffer.from(word).toString('utf8', from),
    pieces: pieces
      .filter(({ start }) => start >= from)
      .map((piece) => ({
        ...piece,
        start: piece.start - from,
        end: piece.end - from,
        total: piece.total === null ? null : piece.total - before,
      })),
  };
}
