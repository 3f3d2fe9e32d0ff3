import { bpeBase64 } from '../generated/bpe.ts';
import { wasmPageBytes, webAssembly } from './webassembly.ts';

/** Which words a text is cut into; the plain references are tokenizers/scanner-*.ts. */
export type WordRule =
  | { kind: 'gpt2' }
  | { kind: 'cl100k'; maxDigits: number; marksInWords: boolean }
  | { kind: 'o200k' };

/** What byte pair encoding in WebAssembly needs to know of a vocabulary. */
export interface BpeKernelModel {
  rule: WordRule;
  /** Class of every code point, as in tokenizers/scanner-classes.ts. */
  classes: Uint8Array;
  /** Id of each of the 256 bytes, -1 where there is none. */
  byteIds: Int32Array;
  /** Pairs that merge and their ranks; of one that stands twice the later counts. */
  lefts: Uint32Array;
  rights: Uint32Array;
  ranks: Uint32Array;
  /** Id by rank; undefined where the rank is the id. */
  merged: Uint32Array | undefined;
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
interface BpeExports {
  asciiAt: { value: number };
  byteIdsAt: { value: number };
  classesAt: { value: number };
  textAt: { value: number };
  textRoom: { value: number };
  idsAt: { value: number };
  pairsAt: { value: number };
  idCount: { value: number };
  openPairs(bits: number, factor: bigint, merged: number): void;
  addPairs(count: number): void;
  openWords(rule: number, digits: number, marks: boolean, whole: boolean, factor: bigint): void;
  encode(length: number, goesOn: boolean): number;
}

/** A slot of the pair table has room for ids below this. */
const idLimit = 2 ** 21;

/** UTF-16 units that are encoded at a time: their text and ids stay in the processor's cache. */
const chunkUnits = 32768;

/** Zero bytes that scanning reads behind a text. */
const padding = 16;

const encoder = new TextEncoder();
let module: object | undefined;

/**
 * The kernel for a vocabulary, with a memory of its own whose size is fixed: 16 MB, and what the pairs need.
 *
 * Undefined where it has no room for the ids, lacks the id of a byte, or WebAssembly or the memory for it are missing.
 * Cost: 2 ms, and 1 ms per 50,000 pairs; pages that no text needs stay untouched.
 */
export function createBpeKernel(model: BpeKernelModel): BpeKernel | undefined {
  if (webAssembly === undefined || !fits(model)) return undefined;
  module ??= new webAssembly.Module(Buffer.from(bpeBase64, 'base64'));
  const bits = Math.max(4, Math.ceil(Math.log2(model.ranks.length + 1)) + 1);
  // The table begins in the 242nd page, where the parts of fixed size end.
  const bytes = 242 * wasmPageBytes + 2 ** bits * 8 + 4 * (model.merged?.length ?? 0);
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
  openModel(wasm, buffer, model, bits);
  return new WasmBpe(wasm, buffer);
}

function fits({ byteIds, lefts, rights, ranks, merged }: BpeKernelModel): boolean {
  if (ranks.length >= idLimit || !byteIds.every((id) => id >= 0 && id < idLimit)) return false;
  for (let i = 0; i < ranks.length; i++) {
    const rank = ranks[i];
    if (lefts[i] >= idLimit || rights[i] >= idLimit || rank >= idLimit) return false;
    if (merged !== undefined && merged[rank] >= idLimit) return false;
  }
  return true;
}

function openModel(wasm: BpeExports, buffer: ArrayBuffer, model: BpeKernelModel, bits: number): void {
  const { rule, classes, byteIds, lefts, rights, ranks, merged } = model;
  const bytes = new Uint8Array(buffer);
  bytes.set(classes.subarray(0, 128), wasm.asciiAt.value);
  bytes.set(classes, wasm.classesAt.value);
  new Int32Array(buffer, wasm.byteIdsAt.value, 256).set(byteIds);
  const mergedAt = wasm.pairsAt.value + 2 ** bits * 8;
  if (merged !== undefined) new Uint32Array(buffer, mergedAt, merged.length).set(merged);
  wasm.openPairs(bits, randomOdd(), merged === undefined ? 0 : mergedAt);
  // As many as there is room for ids.
  const most = Math.floor(wasm.textRoom.value / 3);
  const staged = new Uint32Array(buffer, wasm.idsAt.value, 3 * most);
  for (let from = 0; from < ranks.length; from += most) {
    const end = Math.min(from + most, ranks.length);
    for (let i = from, to = 0; i < end; i++) {
      staged[to++] = lefts[i];
      staged[to++] = rights[i];
      staged[to++] = ranks[i];
    }
    wasm.addPairs(end - from);
  }
  const kinds = ['gpt2', 'cl100k', 'o200k'];
  const { maxDigits, marksInWords } = rule.kind === 'cl100k' ? rule : { maxDigits: 3, marksInWords: false };
  const asks = model.wholeWord !== undefined;
  wasm.openWords(kinds.indexOf(rule.kind), maxDigits, marksInWords, asks, randomOdd());
}

/** Unknown from outside, so that no text or vocabulary can be written whose words or pairs all meet in one slot. */
function randomOdd(): bigint {
  const half = () => BigInt(Math.floor(Math.random() * 2 ** 32));
  return (half() << 32n) | half() | 1n;
}

class WasmBpe implements BpeKernel {
  private readonly wasm: BpeExports;
  /** The text, its padding included. */
  private readonly bytes: Uint8Array;
  private readonly ids: Uint32Array;
  private readonly room: number;

  constructor(wasm: BpeExports, buffer: ArrayBuffer) {
    this.wasm = wasm;
    this.room = wasm.textRoom.value;
    this.bytes = new Uint8Array(buffer, wasm.textAt.value, this.room + padding);
    this.ids = new Uint32Array(buffer, wasm.idsAt.value, this.room);
  }

  encode(text: string, from: number, take: (ids: Uint32Array, read: number) => void): number {
    const { wasm, bytes, room } = this;
    let read = from;
    let held = 0;
    for (;;) {
      const added = this.fill(text, read, held);
      read += added.read;
      held += added.written;
      bytes.fill(0, held, held + padding);
      const goesOn = read < text.length;
      const done = wasm.encode(held, goesOn);
      if (done > 0) take(this.ids.subarray(0, wasm.idCount.value), read);
      if (!goesOn) return read;
      // No character of four bytes more has room: the word that was begun is too long.
      if (done === 0 && room - held < 4) return read - countUnits(bytes, held);
      bytes.copyWithin(0, done, held);
      held -= done;
    }
  }

  /** Writes the next characters behind those that are held. */
  private fill(text: string, from: number, held: number): { read: number; written: number } {
    let end = Math.min(text.length, from + chunkUnits);
    // The two halves of a character must not be parted.
    if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end--;
    return encoder.encodeInto(
      from === 0 && end === text.length ? text : text.slice(from, end),
      this.bytes.subarray(held, this.room),
    );
  }
}

const isHigh = (unit: number) => unit >>> 10 === 0x36;
const isLow = (unit: number) => unit >>> 10 === 0x37;

/** UTF-16 units of so many bytes of UTF-8. */
function countUnits(bytes: Uint8Array, length: number): number {
  let units = 0;
  for (let i = 0; i < length; i++) units += (bytes[i] & 0xc0) === 0x80 ? 0 : bytes[i] >= 0xf0 ? 2 : 1;
  return units;
}
