import type { MergeList } from './bpe-merges.ts';
import { type FileTables, readTokenizerFile, type TokenizerFile } from './tokenizer-json-file.ts';
import { type FileMerges, fileMerges } from './tokenizer-json-merges.ts';
import { OrderedMerges } from './tokenizer-json-ordered.ts';
import { slotCount, Vocabulary } from './tokenizer-json-vocabulary.ts';

declare const EMB_VERSION: string;

/** Another number for every other layout, and for every change in what is read from a file or how names are hashed. */
const version = 1;

/** Which kept tables can be opened: those of this version of emb, on machines that write numbers alike. */
export const keptKind = [
  `emb ${typeof EMB_VERSION === 'string' ? EMB_VERSION : 'from source'}, tokenizer.json ${version}`,
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little endian' : 'big endian',
].join(', ');

/** How the merges are kept. */
const kinds = { none: 0, numbered: 1, ordered: 2, list: 3 } as const;

/** Numbers of the head, four bytes each. */
const headNumbers = 10;

/** Sections begin at multiples of the widest number. */
const alignment = 8;

/** What the head says, from which the sizes of all sections follow. */
interface Head {
  rest: number;
  nameBytes: number;
  count: number;
  ids: number;
  limit: number;
  hashStart: number;
  scored: number;
  kind: number;
  merges: number;
}

/**
 * The tables of a file, to be opened without reading it again; undefined for one whose "vocab" or "merges" stands twice.
 *
 * Block: u32 head[10] · f64 scores[ids] · i32 slots · i32 entries[ids] · u32 ids[count] · u32 offsets[count + 1] · the merges: u32
 * firsts[ids + 1] and u16 splits[merges], or u32 lefts, rights and merged[merges] · the names · the file with a 0 for "vocab" and
 * "merges". All but scores, which only Unigram models have, are there always; sections are filled up to multiples of 8 bytes.
 * Numbers are in this machine's byte order.
 */
export function keepTables(
  file: TokenizerFile,
  bytes: Uint8Array,
  { places }: FileTables,
): Uint8Array[] | undefined {
  const { vocabulary, merges } = file;
  if (places.length !== (merges === undefined ? 2 : 4)) return undefined;
  const scores = vocabulary.scores?.();
  const { ids, entries, offsets, slots, count, limit, hashStart } = vocabulary;
  const rest = cutOut(bytes, places);
  const { kind, arrays, length } = mergeArrays(merges);
  const head = Uint32Array.of(
    ...[rest.length, vocabulary.bytes.length, count, entries.length, limit, hashStart],
    ...[scores === undefined ? 0 : 1, kind, length, 0],
  );
  const sections = [head, ...(scores ? [scores] : []), slots, entries, ids, offsets, ...arrays];
  return [...sections, vocabulary.bytes, rest].flatMap((section) => {
    const filling = -section.byteLength & (alignment - 1);
    const view = new Uint8Array(section.buffer, section.byteOffset, section.byteLength);
    return filling === 0 ? [view] : [view, new Uint8Array(filling)];
  });
}

function mergeArrays(merges: FileMerges | undefined) {
  if (merges === undefined) return { kind: kinds.none, arrays: [], length: 0 };
  const { source } = merges;
  if (source instanceof OrderedMerges) {
    const { firsts, splits, numbered } = source.tables;
    return {
      kind: numbered ? kinds.numbered : kinds.ordered,
      arrays: [firsts, splits],
      length: splits.length,
    };
  }
  const { lefts, rights, merged } = source;
  return { kind: kinds.list, arrays: [lefts, rights, merged], length: merged.length };
}

/** The file with a 0 for each of the places. */
function cutOut(bytes: Uint8Array, places: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < places.length; i += 2) {
    parts.push(bytes.subarray(from, places[i]), Uint8Array.of(0x30));
    from = places[i + 1];
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

/**
 * The file that keepTables was given; undefined for bytes that are not as long as their head says.
 *
 * bytes must begin at a multiple of 8. What they hold was checked when it was read from the file, and is not checked again.
 */
export function openTables(name: string, bytes: Uint8Array): TokenizerFile | undefined {
  const head = readHead(bytes);
  if (head === undefined) return undefined;
  const { count, ids, limit, hashStart, kind, merges: length } = head;
  const scoreCount = head.scored === 0 ? 0 : ids;
  let at = bytes.byteOffset + alignment * Math.ceil((4 * headNumbers) / alignment);
  const take = <T>(
    make: new (buffer: ArrayBuffer, at: number, length: number) => T,
    size: number,
    width: number,
  ) => {
    const section = new make(bytes.buffer as ArrayBuffer, at, size);
    at += sectionBytes(size, width);
    return section;
  };
  const scores = take(Float64Array, scoreCount, 8);
  const slots = take(Int32Array, slotCount(count), 4);
  const entries = take(Int32Array, ids, 4);
  const entryIds = take(Uint32Array, count, 4);
  const offsets = take(Uint32Array, count + 1, 4);
  const lists: Uint32Array[] = [];
  for (const size of listSizes(head)) lists.push(take(Uint32Array, size, 4));
  const splits = take(Uint16Array, isOrdered(kind) ? length : 0, 2);
  const vocabulary = new Vocabulary({
    bytes: take(Uint8Array, head.nameBytes, 1),
    offsets,
    ids: entryIds,
    entries,
    slots,
    highest: ids - 1,
    limit,
    hashStart,
    scores: head.scored === 0 ? undefined : () => scores,
  });
  const rest = take(Uint8Array, head.rest, 1);
  let merges: FileMerges | undefined;
  if (isOrdered(kind)) {
    const tables = { firsts: lists[0], splits, numbered: kind === kinds.numbered };
    merges = fileMerges(new OrderedMerges(name, vocabulary, tables));
  } else if (kind === kinds.list) {
    const [lefts, rights, merged] = lists;
    merges = fileMerges({ lefts, rights, merged } satisfies MergeList);
  }
  return readTokenizerFile(name, rest, { places: [], kept: { vocabulary, merges } });
}

const isOrdered = (kind: number) => kind === kinds.numbered || kind === kinds.ordered;

const sectionBytes = (size: number, width: number) => alignment * Math.ceil((size * width) / alignment);

/** How many numbers each list of four bytes that the merges have is. */
function listSizes({ kind, ids, merges }: Head): number[] {
  if (isOrdered(kind)) return [ids + 1];
  return kind === kinds.list ? [merges, merges, merges] : [];
}

/** undefined unless the sections that the head says are all of the bytes. */
function readHead(bytes: Uint8Array): Head | undefined {
  if (bytes.byteOffset % alignment !== 0 || bytes.length < 4 * headNumbers) return undefined;
  const numbers = new Uint32Array(bytes.buffer, bytes.byteOffset, headNumbers);
  const [rest, nameBytes, count, ids, limit, hashStart, scored, kind, merges] = numbers;
  const head = { rest, nameBytes, count, ids, limit, hashStart: hashStart | 0, scored, kind, merges };
  let total = sectionBytes(headNumbers, 4);
  total += sectionBytes(scored === 0 ? 0 : ids, 8);
  for (const size of [slotCount(count), ids, count, count + 1, ...listSizes(head)])
    total += sectionBytes(size, 4);
  total += sectionBytes(isOrdered(kind) ? merges : 0, 2) + sectionBytes(nameBytes, 1) + sectionBytes(rest, 1);
  return total === bytes.length ? head : undefined;
}
