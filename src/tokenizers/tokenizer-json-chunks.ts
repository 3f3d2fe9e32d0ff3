import type { ChunkKernel } from '../kernels/chunks-model.ts';
import { countUnits } from '../kernels/text-bits.ts';
import type { IdSink } from '../types.ts';
import {
  hashLong,
  headNumbers,
  highMasks,
  keyBytes,
  lowMasks,
  mixKey,
  placeMask,
  restNumbers,
  WordCache,
} from './bpe-cache.ts';
import { Utf8Text } from './bpe-text.ts';
import { openChunkTwin } from './chunk-twin.ts';
import type { DirectWords } from './direct-words.ts';
import { createIdSink, reserveIds } from './id-sink.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';
import type { WordModel } from './wordpiece.ts';

/** Encodes a chunk the general way. `first` and `last` say whether it begins and ends its text. */
export type EncodeChunk = (text: string, shift: number, first: boolean, last: boolean, into: IdSink) => void;

/** UTF-16 units, of one text or of many, after which the WebAssembly twin takes over. */
const twinUnits = 8192;

/** Where the end of a text's first chunk is looked for, before the twin gets the rest. */
const usualHead = 1024;

/** What tests make small. */
export interface TwinOptions {
  /** The WebAssembly twin takes over after so many units; with Infinity never. */
  after?: number;
  headUnits?: number;
  bitUnits?: number;
}

/**
 * Encodes texts in chunks that nothing outside of them changes, and remembers the ids of those that it met.
 *
 * Cost: one pass over the text's bytes; the general way only for chunks that are new.
 */
export class ChunkEncoder {
  private readonly plan: ChunkPlan;
  private readonly encodeChunk: EncodeChunk;
  private readonly direct: DirectWords | undefined;
  private readonly cache = new WordCache();
  private readonly utf8 = new Utf8Text();
  private readonly bounds = new Int32Array(2048);
  private view = new DataView(new ArrayBuffer(0));
  private buffer = Buffer.alloc(0);
  private scratch = new Int32Array(256);

  private readonly model: WordModel;
  private readonly twinOptions: TwinOptions;
  private readonly asked = createIdSink();
  private twin: ChunkKernel | undefined;
  private units = 0;
  private isOpened = false;

  /** `direct` is tried before the general way. */
  constructor(
    plan: ChunkPlan,
    encodeChunk: EncodeChunk,
    model: WordModel,
    direct?: DirectWords,
    twinOptions: TwinOptions = {},
  ) {
    this.plan = plan;
    this.model = model;
    this.twinOptions = twinOptions;
    this.direct = direct;
    this.encodeChunk = encodeChunk;
  }

  /** Appends the ids of a text that begins `shift` units after its original; the sink keeps no spans. */
  encode(text: string, shift: number, into: IdSink): void {
    this.units += text.length;
    const { after = twinUnits, bitUnits } = this.twinOptions;
    if (!this.isOpened && this.units >= after) {
      this.isOpened = true;
      const ask = (bytes: Uint8Array, start: number, end: number) => this.ask(bytes, start, end);
      this.twin = openChunkTwin(this.plan, this.model, this.direct, ask, bitUnits);
    }
    const from = this.encodeByTwin(text, shift, into);
    if (from < text.length) this.encodePlain(from === 0 ? text : text.slice(from), shift, from === 0, into);
  }

  /** Encodes the first part of a text, and gives where it ends: where a chunk begins that is the last, or too long. */
  private encodeByTwin(text: string, shift: number, into: IdSink): number {
    const { twin, plan, utf8, bounds } = this;
    const { headUnits = usualHead } = this.twinOptions;
    if (twin === undefined) return 0;
    const before = into.length;
    let from = 0;
    if (plan.ends) {
      if (text.length < headUnits) return 0;
      utf8.set(text.slice(0, headUnits));
      const end = plan.scan(utf8.bytes, 0, utf8.length, bounds.subarray(0, 2)) > 0 ? bounds[1] : utf8.length;
      if (end >= utf8.length) return 0;
      const head = Buffer.from(utf8.bytes.buffer, 0, end);
      from = countUnits(head, end);
      this.encodeChunk(head.toString('utf8', bounds[0], end), shift + bounds[0], true, false, into);
    }
    let isFirst = true;
    return twin.encode(text, from, plan.ends, (ids, read) => {
      reserveIds(into, ids.length);
      into.ids.set(ids, into.length);
      into.length += ids.length;
      // About as many ids as the rest will have; growing step by step would copy them several times.
      if (isFirst) reserveIds(into, Math.ceil(1.1 * (into.length - before) * (text.length / read - 1)));
      isFirst = false;
    });
  }

  /** Ids of a chunk in the twin's memory. */
  private ask(bytes: Uint8Array, start: number, end: number): Uint32Array {
    const { asked } = this;
    asked.length = 0;
    if (this.direct?.encode(bytes, start, end, asked) !== true) {
      asked.length = 0;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
      this.encodeChunk(text, 1, false, false, asked);
    }
    return asked.ids.subarray(0, asked.length);
  }

  private encodePlain(text: string, shift: number, isFirst: boolean, into: IdSink): void {
    const { utf8, bounds, plan } = this;
    utf8.set(text);
    const { bytes, length } = utf8;
    const before = into.length;
    if (this.buffer.buffer !== bytes.buffer) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    for (let at = 0; at < length; ) {
      const count = plan.scan(bytes, at, length, bounds);
      if (count === 0) return;
      const next = bounds[2 * count - 1];
      let from = 0;
      let to = count;
      // What begins or ends a text is not the same elsewhere.
      if (plan.ends && isFirst && at === 0) {
        this.encodeSlow(bounds[0], bounds[1], shift + bounds[0], true, next >= length && count === 1, into);
        from = 1;
      }
      const hasLast = plan.ends && next >= length && from < to;
      if (hasLast) to--;
      this.encodeBatch(from, to, into);
      if (hasLast) this.encodeSlow(bounds[2 * to], bounds[2 * to + 1], 1, false, true, into);
      // About as many ids as the rest will have; growing step by step would copy them several times.
      if (at === 0) reserveIds(into, Math.ceil(1.1 * (into.length - before) * (length / next - 1)));
      at = next;
    }
  }

  private encodeSlow(
    start: number,
    end: number,
    shift: number,
    first: boolean,
    last: boolean,
    into: IdSink,
  ): void {
    this.encodeChunk(this.buffer.toString('utf8', start, end), shift, first, last, into);
  }

  private encodeBatch(first: number, end: number, into: IdSink): void {
    const { bounds, cache, view } = this;
    let { slots, entries, shift, mask } = cache;
    for (let i = first; i < end; i++) {
      const start = bounds[2 * i];
      const stop = bounds[2 * i + 1];
      const size = stop - start;
      let hash: number;
      let place = 0;
      if (size <= keyBytes) {
        const k0 = view.getInt32(start, true) & lowMasks[size];
        const k1 = view.getInt32(start + 4, true) & highMasks[size];
        hash = mixKey(k0, k1, size);
        for (let slot = hash >>> shift; slots[slot] !== 0; slot = (slot + 1) & mask) {
          const entry = slots[slot] & placeMask;
          if (entries[entry] === k0 && entries[entry + 1] === k1 && (entries[entry + 2] & 255) === size) {
            place = entry;
            break;
          }
        }
      } else {
        hash = hashLong(view, start, stop);
        place = cache.findLong(view, start, stop, hash);
      }
      if (place === 0) {
        this.encodeNew(start, stop, hash, into);
        ({ slots, entries, shift, mask } = cache);
        continue;
      }
      const tokens = entries[place + 2] >>> 8;
      let { length } = into;
      if (length + tokens > into.ids.length) reserveIds(into, tokens);
      const { ids } = into;
      let from = place + headNumbers + restNumbers(size);
      const last = length + tokens;
      while (length < last) ids[length++] = entries[from++];
      into.length = length;
    }
  }

  private encodeNew(start: number, end: number, hash: number, into: IdSink): void {
    const before = into.length;
    if (this.direct?.encode(this.utf8.bytes, start, end, into) !== true) {
      into.length = before;
      this.encodeSlow(start, end, 1, false, false, into);
    }
    const count = into.length - before;
    if (count > this.scratch.length) return;
    for (let i = 0; i < count; i++) this.scratch[i] = into.ids[before + i];
    this.cache.add(this.view, start, end, hash, this.scratch, count);
  }
}
