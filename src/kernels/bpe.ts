import { bpeBase64 } from '../generated/bpe.ts';
import { pairTableBytes } from './chunks-model.ts';
import { columnBytes, fillPairs, type MergePairs, type PairExports } from './pair-columns.ts';
import { countUnits, leastRoom, randomOdd, TextBits, type TextExports } from './text-bits.ts';
import { wasmPageBytes, webAssembly } from './webassembly.ts';

/** Which words a text is cut into; the plain references are tokenizers/scanner-*.ts. */
export type WordRule =
  | { kind: 'gpt2' }
  | { kind: 'cl100k'; maxDigits: number; marksInWords: boolean }
  | { kind: 'o200k' };

/** What byte pair encoding in WebAssembly needs to know of a vocabulary. */
export interface BpeKernelModel {
  rule: WordRule;
  /** Writes class ^ 1 of every code point, as tokenizers/scanner-classes.ts does. */
  unpackClasses: (into: Uint8Array) => void;
  /** Id of each of the 256 bytes, -1 where there is none. */
  byteIds: Int32Array;
  /** The bytes' ids are 0 to 255 in some order. */
  lowBytes: boolean;
  pairs: MergePairs;
  /** Id of a whole word that is taken without merging, or -1. */
  wholeWord?: (bytes: Uint8Array, start: number, end: number) => number;
}

/** Texts to ids; the plain reference is tokenizers/bpe.ts. */
export interface BpeKernel {
  /**
   * Gives `take` the ids of text[from, ...) bit by bit, with the place that was read up to.
   *
   * Returns where it stopped: text.length, or where a word begins that is longer than its memory.
   */
  encode(text: string, from: number, take: (ids: Uint32Array, read: number) => void): number;
}

/** Exports of src/kernels/assembly/bpe.ts. */
interface BpeExports extends PairExports, TextExports {
  byteIdsAt: { value: number };
  classesAt: { value: number };
  symbolCount: { value: number };
  pairsAt: { value: number };
  idCount: { value: number };
  openEarly(most: number, byRank: number, byId: number): void;
  openWords(rule: number, digits: number, marks: boolean, whole: boolean, factor: bigint): void;
  encode(length: number, goesOn: boolean): number;
}

/** What comes before the pair table, `pairsAt` in assembly/bpe-memory.ts. */
const fixedBytes = 0x1790000;

/** A slot of the pair table has room for ids below this. */
const idLimit = 2 ** 21;

/** UTF-16 units that are read at a time: their text and ids stay in the processor's cache. */
const usualBit = 16384;

/** Zero bytes that scanning reads behind a text. */
const padding = 16;

/** Bytes of new words that merge before early merges are worth finding. */
const lateSymbols = 100_000;

let module: object | undefined;

/**
 * The kernel for a vocabulary, with a memory of its own whose size is fixed: 24 MB, and what the pairs need.
 *
 * Undefined where it has no room for the ids, lacks the id of a byte, or WebAssembly or the memory for it are missing.
 * Texts are read in bits of `bitUnits`, at least 2.
 * Cost: some milliseconds; pages that no text needs stay untouched.
 */
export function createBpeKernel(model: BpeKernelModel, bitUnits = usualBit): BpeKernel | undefined {
  if (webAssembly === undefined) return undefined;
  if (!model.byteIds.every((id) => id >= 0 && id < idLimit) || model.pairs.count >= idLimit) return undefined;
  module ??= new webAssembly.Module(Buffer.from(bpeBase64, 'base64'));
  const bits = Math.max(4, Math.ceil(Math.log2(model.pairs.count + 1)) + 1);
  const bytes = fixedBytes + pairTableBytes(bits) + columnBytes(model.pairs) + 8 * earlyRoom(model);
  const pages = Math.ceil(bytes / wasmPageBytes);
  let wasm: BpeExports;
  let buffer: ArrayBuffer;
  try {
    const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    buffer = memory.buffer;
    const all = new Uint8Array(buffer);
    const wholeWord = (start: number, end: number) => model.wholeWord?.(all, start, end) ?? -1;
    wasm = new webAssembly.Instance(module, { env: { memory, wholeWord } }).exports as BpeExports;
  } catch (error) {
    // No address space for its memory (`ulimit -v`).
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const free = openModel(wasm, buffer, model, bits);
  return free === undefined
    ? undefined
    : new WasmBpe(wasm, buffer, { earlyRoom: earlyRoom(model), free, bitUnits });
}

/** Highest id and rank, plus 1, with which early merges are looked for: the pairs alone must justify the memory. */
function earlyRoom({ lowBytes, pairs }: BpeKernelModel): number {
  return lowBytes ? Math.max(4 * pairs.count, 1024) : 0;
}

/** Where free memory begins, or undefined when an id or a rank finds no room in the pair table. */
function openModel(wasm: BpeExports, buffer: ArrayBuffer, model: BpeKernelModel, bits: number) {
  const { rule, byteIds, pairs } = model;
  const bytes = new Uint8Array(buffer);
  model.unpackClasses(bytes.subarray(wasm.classesAt.value));
  new Int32Array(buffer, wasm.byteIdsAt.value, 256).set(byteIds);
  const columns = wasm.pairsAt.value + pairTableBytes(bits);
  const kinds = ['gpt2', 'cl100k', 'o200k'];
  const { maxDigits, marksInWords } = rule.kind === 'cl100k' ? rule : { maxDigits: 3, marksInWords: false };
  const asks = model.wholeWord !== undefined;
  wasm.openWords(kinds.indexOf(rule.kind), maxDigits, marksInWords, asks, randomOdd());
  return fillPairs(wasm, buffer, pairs, columns, bits) ? columns + columnBytes(pairs) : undefined;
}

class WasmBpe implements BpeKernel {
  private readonly wasm: BpeExports;
  /** The text, its padding included. */
  private readonly bytes: Uint8Array;
  private readonly ids: Uint32Array;
  private readonly room: number;
  private earlyRoom: number;
  private readonly free: number;
  private readonly bits: TextBits;

  /** There is room for twice `earlyRoom` numbers at `free`. A bit has at least two units. */
  constructor(
    wasm: BpeExports,
    buffer: ArrayBuffer,
    { earlyRoom, free, bitUnits }: { earlyRoom: number; free: number; bitUnits: number },
  ) {
    this.wasm = wasm;
    this.earlyRoom = earlyRoom;
    this.free = free;
    this.bits = new TextBits(wasm, buffer, bitUnits);
    this.room = wasm.textRoom.value;
    this.bytes = new Uint8Array(buffer, wasm.textAt.value, this.room + padding);
    this.ids = new Uint32Array(buffer, wasm.idsAt.value, this.room);
  }

  encode(text: string, from: number, take: (ids: Uint32Array, read: number) => void): number {
    const { wasm, bytes, room, bits } = this;
    let read = from;
    let held = 0;
    bits.begin(text.length - from);
    for (;;) {
      const added = bits.write(text, read, held);
      read += added.read;
      held += added.written;
      bytes.fill(0, held, held + padding);
      const goesOn = read < text.length;
      const done = wasm.encode(held, goesOn);
      if (this.earlyRoom > 0 && wasm.symbolCount.value >= lateSymbols) {
        wasm.openEarly(this.earlyRoom, this.free, this.free + 4 * this.earlyRoom);
        this.earlyRoom = 0;
      }
      if (done > 0) take(this.ids.subarray(0, wasm.idCount.value), read);
      if (!goesOn) return read;
      // The word that was begun is too long.
      if (done === 0 && room - held < leastRoom) return read - countUnits(bytes, held);
      bytes.copyWithin(0, done, held);
      held -= done;
    }
  }
}
