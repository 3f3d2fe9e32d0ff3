import { chunksBase64 } from '../generated/chunks.ts';
import type { ChunkExports } from './chunks-exports.ts';
import {
  type ChunkDirect,
  type ChunkKernel,
  type ChunkKernelOptions,
  type ChunkModel,
  type ChunkPieces,
  codes,
  generalKind,
  joiningKind,
  jointRoom,
  markRoom,
  type Places,
  placesOf,
  type SumRule,
  textSymbols,
  up,
  wordByteKinds,
} from './chunks-model.ts';
import { atOnce, columnBytes, fillPairs } from './pair-columns.ts';
import { countUnits, leastRoom, randomOdd, TextBits } from './text-bits.ts';
import { wasmPageBytes, webAssembly } from './webassembly.ts';

const longestText = 32;
const usualBit = 16384;

let module: object | undefined;

/**
 * The kernel for a way of cutting texts and a model, with a memory of its own whose size is fixed.
 *
 * Undefined where WebAssembly or the memory for it are missing. Texts are read in bits of `bitUnits`, at least 2.
 * Cost: some milliseconds, a pass over the pieces; 35 MB and what the vocabulary needs, of which only met pages are touched.
 */
export function createChunkKernel(options: ChunkKernelOptions, bitUnits = usualBit): ChunkKernel | undefined {
  if (webAssembly === undefined) return undefined;
  module ??= new webAssembly.Module(Buffer.from(chunksBase64, 'base64'));
  const places = placesOf(options.model);
  const pages = Math.ceil(places.end / wasmPageBytes);
  try {
    const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    return new WasmChunks(module, memory, options, places, bitUnits);
  } catch (error) {
    // No address space for its memory (`ulimit -v`).
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class WasmChunks implements ChunkKernel {
  private readonly wasm: ChunkExports;
  private readonly options: ChunkKernelOptions;
  private readonly all: Uint8Array;
  private readonly bytes: Uint8Array;
  private readonly numbers: Uint32Array;
  private readonly room: number;
  private readonly idsAt: number;
  private readonly bits: TextBits;
  private readonly places: Places;
  private readonly isSummed: boolean;
  private symbols = 0;
  /** Where first symbols + 1 of so many ids lie. */
  private firsts = 0;
  private jointRoom = 0;
  /** Where nothing lies yet. */
  private rest = 0;
  private read = 0;
  private take: (ids: Uint32Array, read: number) => void = () => {};

  constructor(
    module: object,
    memory: { buffer: ArrayBuffer },
    options: ChunkKernelOptions,
    places: Places,
    bitUnits: number,
  ) {
    const env = {
      memory,
      ask: (start: number, end: number, out: number) => this.ask(start, end, out),
      flush: (out: number) => this.flush(out),
      learn: (code: number) => this.learn(code),
      spell: (start: number, end: number, most: number) => this.spell(start, end, most),
      isSafe: (code: number) => (options.rule.kind === 'spaces' && options.rule.isSafe(code) ? 1 : 0),
    };
    this.wasm = new webAssembly!.Instance(module, { env }).exports as ChunkExports;
    this.bits = new TextBits(this.wasm, memory.buffer, bitUnits);
    this.options = options;
    this.places = places;
    this.isSummed = options.model?.kind === 'best' && options.model.sums !== undefined;
    this.all = new Uint8Array(memory.buffer);
    this.numbers = new Uint32Array(memory.buffer);
    this.room = this.wasm.textRoom.value;
    this.idsAt = this.wasm.idsAt.value;
    this.bytes = this.all.subarray(this.wasm.textAt.value, this.wasm.textAt.value + this.room);
    this.openRule();
    const { direct, model } = options;
    const isDirect = direct !== undefined && model !== undefined && this.openDirect(direct, model);
    // Nobody can be asked where sums go on.
    if (this.isSummed && !isDirect) throw new RangeError('the model has no room');
  }

  private openRule(): void {
    const { wasm, all } = this;
    const { rule } = this.options;
    wasm.openChunks(rule.kind === 'words', this.places.safety, randomOdd());
    const kinds = all.subarray(wasm.asciiAt.value, wasm.asciiAt.value + 256);
    if (rule.kind === 'words') kinds.set(wordByteKinds(rule));
    else {
      kinds[0x20] = 1;
      if (rule.lines === 'spaces') kinds[0x0a] = kinds[0x0d] = 1;
      if (rule.lines === 'apart') kinds[0x0a] = 2;
    }
  }

  /** Whether the model and the mark have room. */
  private openDirect(direct: ChunkDirect, model: ChunkModel): boolean {
    const { wasm, places, numbers } = this;
    const mark = this.symbolsOf(direct.mark);
    if (mark === undefined || mark.length > markRoom || !this.openModel(model)) return false;
    numbers.set(mark, places.mark / 4);
    this.checkJoints(mark);
    const space = ['dropped', 'begins', 'joins'].indexOf(direct.space);
    wasm.openDirect(
      ...[space, direct.marksStart, direct.single, places.mark, mark.length, places.places, places.texts],
    );
    if (direct.isPlain && model.kind === 'pairs' && model.pieces !== undefined)
      this.openCharacters(model.pieces, model.spelling);
    return true;
  }

  private openCharacters(
    { bytes, offsets, ids, count }: ChunkPieces,
    spelling: Int32Array | undefined,
  ): void {
    const { wasm, numbers, all, firsts, jointRoom } = this;
    const offsetsAt = this.rest;
    const idsAt = offsetsAt + 4 * (count + 1);
    const spellingAt = idsAt + 4 * count;
    const bytesAt = spellingAt + 4 * 256;
    numbers.set(offsets.subarray(0, count + 1), offsetsAt / 4);
    numbers.set(ids.subarray(0, count), idsAt / 4);
    if (spelling !== undefined) numbers.set(spelling, spellingAt / 4);
    all.set(bytes.subarray(0, offsets[count]), bytesAt);
    const spells = spelling === undefined ? 0 : spellingAt;
    wasm.openCharacters(...[bytesAt, offsetsAt, idsAt, count, spells, firsts, jointRoom]);
  }

  /** Whether the model has room. */
  private openModel(model: ChunkModel): boolean {
    const { wasm, places, numbers, all } = this;
    let at = places.rest;
    const put = (values: Uint32Array) => {
      const place = at;
      numbers.set(values, place / 4);
      at += up(4 * values.length);
      return place;
    };
    const factor = randomOdd();
    if (model.kind === 'pairs') {
      const { pairs } = model;
      wasm.openModel(1, -1, 0, false, 0, 0);
      if (!fillPairs(wasm, all.buffer as ArrayBuffer, pairs, at, places.bits)) return false;
      at += up(columnBytes(pairs));
      this.jointRoom = jointRoom(pairs.count);
      this.firsts = at;
      const size = 4 * this.jointRoom;
      wasm.openJoints(places.joints, this.jointRoom, at + 2 * size, at, at + size);
      this.rest = at + 3 * size;
      return true;
    }
    const { bytes, offsets, ids, count } = model.pieces;
    const scores = at;
    if (model.kind === 'best') {
      new Float64Array(all.buffer, at, model.scores.length).set(model.scores);
      at += 8 * model.scores.length;
    }
    const offsetsAt = put(offsets.subarray(0, count + 1));
    const idsAt = put(ids.subarray(0, count));
    const roots = at;
    at += 4 * codes;
    all.set(bytes.subarray(0, offsets[count]), at);
    const prefix = model.kind === 'longest' ? model.prefix : new Uint8Array();
    const prefixAt = at + offsets[count];
    all.set(prefix, prefixAt);
    const unknown = model.unknownId ?? -1;
    if (model.kind === 'longest') wasm.openModel(2, unknown, model.longestWord, false, 0, 0);
    else {
      const kind = model.sums === undefined ? 3 : 4;
      wasm.openModel(kind, unknown, 0, model.spellsUnknown, scores, model.unknownScore);
      if (model.sums !== undefined) this.openSums(model.sums, model.scores.length);
    }
    wasm.openTrie(places.bits, factor, prefixAt, prefix.length, roots, places.joints);
    for (let from = 0; from < count; from += atOnce) {
      const to = Math.min(count, from + atOnce);
      if (wasm.addPieces(at, offsetsAt, idsAt, from, to) === 0) return false;
    }
    return true;
  }

  private openSums({ single, byteIds }: SumRule, count: number): void {
    const { wasm, numbers } = this;
    if (byteIds !== undefined) numbers.set(byteIds, wasm.byteIdsAt.value / 4);
    wasm.openSums(single, count, byteIds !== undefined);
  }

  private spell(start: number, end: number, most: number): number {
    const text = this.options.spell?.(this.all, start, end) ?? '';
    let at = this.wasm.symbolsAt.value / 4;
    const last = at + most;
    for (const character of text) {
      if (at === last) return -1;
      this.numbers[at++] = character.codePointAt(0) as number;
    }
    return at - last + most;
  }

  /** What the model's words are made of: ids, or code points. */
  private symbolsOf(text: string): ArrayLike<number> | undefined {
    const { model } = this.options;
    if (model?.kind === 'pairs') return model.symbolsOf(text);
    if (text.length === 1) return [text.charCodeAt(0)];
    return Array.from(text, (each) => each.codePointAt(0) as number);
  }

  /** Joints are known of words that begin with symbols which no merge makes. */
  private checkJoints(symbols: ArrayLike<number>): void {
    const { firsts, jointRoom, wasm } = this;
    for (let i = 0; i < symbols.length; i++) wasm.checkJoints(firsts, jointRoom, symbols[i]);
  }

  private learn(code: number): number {
    const { all, numbers, places, wasm } = this;
    const { direct } = this.options;
    let { kind, text } = direct?.learn(code) ?? { kind: generalKind, text: '' };
    const symbols = kind === generalKind ? [] : this.symbolsOf(text);
    if (symbols === undefined || symbols.length > longestText || this.symbols + symbols.length > textSymbols)
      kind = generalKind;
    else {
      this.checkJoints(symbols);
      const at = places.texts / 4 + this.symbols;
      for (let i = 0; i < symbols.length; i++) numbers[at + i] = symbols[i];
      const isPlain = kind === joiningKind && symbols.length === 1;
      numbers[places.places / 4 + code] = isPlain
        ? symbols[0] | 0x80000000
        : (this.symbols << 6) | symbols.length;
      this.symbols += symbols.length;
    }
    all[wasm.classesAt.value + code] = kind;
    return kind;
  }

  private ask(start: number, end: number, out: number): number {
    const ids = this.options.ask(this.all, start, end);
    const { idsAt } = this;
    if (out + 4 * ids.length <= idsAt + 4 * this.room) {
      this.numbers.set(ids, out / 4);
      return out + 4 * ids.length;
    }
    this.flush(out);
    this.take(ids, this.read);
    return idsAt;
  }

  private flush(out: number): void {
    const { idsAt } = this;
    if (out > idsAt) this.take(this.numbers.subarray(idsAt / 4, out / 4), this.read);
  }

  encode(
    text: string,
    from: number,
    holdLast: boolean,
    take: (ids: Uint32Array, read: number) => void,
    leadsBySpace = false,
  ): number {
    const { wasm, bytes, room, bits } = this;
    this.take = take;
    let read = from;
    let held = 0;
    if (leadsBySpace) bytes[held++] = 0x20;
    bits.begin(text.length - from);
    if (this.isSummed) wasm.beginText();
    for (;;) {
      const added = bits.write(text, read, held);
      read += added.read;
      held += added.written;
      this.read = read;
      const isEnd = read >= text.length;
      const done = wasm.encode(held, holdLast || !isEnd);
      if (done < held) bytes.copyWithin(0, done, held);
      held -= done;
      // A chunk that was begun may be too long.
      if (isEnd || room - held < leastRoom || (this.isSummed && wasm.failed()))
        return read - countUnits(bytes, held);
    }
  }
}
