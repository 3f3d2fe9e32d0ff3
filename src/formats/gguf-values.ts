import { EmbError } from '../errors.ts';
import { loadPassStrings } from '../kernels/strings.ts';
import type { MetadataArray, PackedStrings } from '../types.ts';
import { Cursor, type HeaderBytes, type Layout, lengthAt } from './gguf-cursor.ts';

/** How a value that is no string and no array is read. */
interface Scalar {
  name: string;
  bytes: number;
  read(cursor: Cursor): number | bigint | boolean;
}

/** Value types by their number. Source: enum gguf_type in ggml/include/gguf.h of ggml-org/llama.cpp. */
const scalars: Record<number, Scalar> = {
  0: { name: 'uint8', bytes: 1, read: (cursor) => cursor.u8() },
  1: { name: 'int8', bytes: 1, read: (cursor) => cursor.i8() },
  2: { name: 'uint16', bytes: 2, read: (cursor) => cursor.u16() },
  3: { name: 'int16', bytes: 2, read: (cursor) => cursor.i16() },
  4: { name: 'uint32', bytes: 4, read: (cursor) => cursor.u32() },
  5: { name: 'int32', bytes: 4, read: (cursor) => cursor.i32() },
  6: { name: 'float32', bytes: 4, read: (cursor) => cursor.f32() },
  7: { name: 'bool', bytes: 1, read: (cursor) => cursor.u8() !== 0 },
  10: { name: 'uint64', bytes: 8, read: (cursor) => cursor.u64() },
  11: { name: 'int64', bytes: 8, read: (cursor) => cursor.i64() },
  12: { name: 'float64', bytes: 8, read: (cursor) => cursor.f64() },
};
const stringType = 8;
const arrayType = 9;

/** Arrays in arrays that no writer makes; a file could nest as deep as it is long. */
const deepest = 8;

/** Bytes of strings that are held at once: places in them are 32 bit numbers. */
const mostPacked = 2 ** 31;

function typeName(type: number): string {
  return type === stringType ? 'string' : type === arrayType ? 'array' : (scalars[type]?.name ?? `${type}`);
}

function checkType(cursor: Cursor, label: string, type: number): void {
  if (type <= 12) return;
  throw new EmbError('corrupt', `${cursor.name}: ${label} has type ${type}, expected 0 to 12`);
}

/** Reads a string whose length stands before it. limit: bytes that are not too many. */
export async function readString(cursor: Cursor, label: string, limit = Infinity): Promise<string> {
  if (!cursor.has(8)) await cursor.want(cursor.layout.countBytes, `the length of ${label}`);
  const length = cursor.count();
  checkFits(cursor, label, length, 1, 'bytes');
  if (length > limit) {
    throw new EmbError('corrupt', `${cursor.name}: ${label} has ${length} bytes, expected at most ${limit}`);
  }
  if (!cursor.has(length)) await cursor.want(length, label);
  return cursor.text(length);
}

/** Counts are held against the file before anything is made of them. */
export function checkFits(
  cursor: Cursor,
  label: string,
  count: number,
  bytesEach: number,
  what: string,
): void {
  const most = Math.floor(cursor.rest / bytesEach);
  if (count <= most) return;
  throw new EmbError(
    'corrupt',
    `${cursor.name}: ${label} has ${count} ${what}, expected at most ${most}, what the rest of the file can hold`,
    'the file may be truncated: compare its size with the published one',
  );
}

/** Reads a value; of an array only where it lies. */
export async function readValue(cursor: Cursor, label: string, type: number, depth = 0): Promise<unknown> {
  checkType(cursor, label, type);
  if (type === stringType) return readString(cursor, label);
  if (type === arrayType) return readArray(cursor, label, depth);
  const { bytes, read } = scalars[type];
  if (!cursor.has(bytes)) await cursor.want(bytes, label);
  return read(cursor);
}

async function readArray(cursor: Cursor, label: string, depth: number): Promise<GgufArray> {
  if (depth === deepest) {
    throw new EmbError('corrupt', `${cursor.name}: ${label} nests arrays deeper than ${deepest}`);
  }
  const { countBytes } = cursor.layout;
  if (!cursor.has(12)) await cursor.want(4 + countBytes, label);
  const type = cursor.u32();
  const length = cursor.count();
  checkType(cursor, label, type);
  const bytesEach = scalars[type]?.bytes ?? (type === stringType ? countBytes : 4 + countBytes);
  checkFits(cursor, label, length, bytesEach, 'elements');
  const start = cursor.at;
  if (type === stringType) await passStrings(cursor, label, length);
  else if (type !== arrayType) cursor.at += length * bytesEach;
  else for (let i = 0; i < length; i++) await readArray(cursor, label, depth + 1);
  return new GgufArray(cursor, label, type, length, start, depth);
}

/** From so many strings on WebAssembly gains more than loading it costs. */
const walkWorth = 20_000;

async function passStrings(cursor: Cursor, label: string, count: number): Promise<void> {
  const walk = count < walkWorth ? undefined : await loadPassStrings();
  for (let left = count; left > 0; ) {
    await cursor.want(cursor.layout.countBytes, label);
    left = cursor.passStrings(left, walk);
    // Each length is behind the last one's string: one that is too long leads out of the file.
    if (cursor.rest < left * cursor.layout.countBytes) {
      throw new EmbError(
        'corrupt',
        `${cursor.name}: a string of ${label} before element ${count - left} ends at byte ${cursor.at}, expected at most ${cursor.at + cursor.rest - left * cursor.layout.countBytes}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
  }
}

/** An array where it lies in the file; decoded from there when it is asked for. */
class GgufArray implements MetadataArray {
  readonly elementType: string;
  readonly length: number;
  readonly strings?: () => Promise<PackedStrings>;
  readonly numbers?: () => Promise<ArrayLike<number>>;
  private readonly header: HeaderBytes;
  private readonly layout: Layout;
  private readonly label: string;
  private readonly type: number;
  private readonly start: number;
  private readonly end: number;
  private readonly depth: number;

  /** cursor: at the end of the array. */
  constructor(cursor: Cursor, label: string, type: number, length: number, start: number, depth: number) {
    this.elementType = typeName(type);
    this.length = length;
    this.header = cursor.header;
    this.layout = cursor.layout;
    this.label = label;
    this.type = type;
    this.start = start;
    this.end = cursor.at;
    this.depth = depth;
    if (type === stringType) this.strings = () => this.packed();
    else if (type !== arrayType) this.numbers = () => this.decoded();
  }

  async values(most = this.length): Promise<unknown[]> {
    const cursor = new Cursor(this.header, this.layout, this.start);
    const count = Math.min(most, this.length);
    const values: unknown[] = [];
    const bytes = scalars[this.type]?.bytes;
    if (bytes !== undefined) await cursor.want(count * bytes, this.label);
    for (let i = 0; i < count; i++)
      values.push(await readValue(cursor, this.label, this.type, this.depth + 1));
    return values;
  }

  private async packed(): Promise<PackedStrings> {
    const size = this.end - this.start;
    if (size > mostPacked) {
      throw new EmbError(
        'unsupported',
        `${this.header.source.name}: ${this.label} has ${size} bytes, expected at most ${mostPacked}`,
      );
    }
    return new StringPlaces(await this.header.read(this.start, this.end), this.length, this.layout);
  }

  private async decoded(): Promise<ArrayLike<number>> {
    const { bytes, read } = scalars[this.type];
    if (this.layout.littleEndian && isLittleEndian && this.elementType in wholeArrays) {
      const copy = Uint8Array.from(await this.header.read(this.start, this.end));
      return new wholeArrays[this.elementType](copy.buffer);
    }
    const cursor = new Cursor(this.header, this.layout, this.start);
    await cursor.want(this.length * bytes, this.label);
    const values = new Float64Array(this.length);
    for (let i = 0; i < values.length; i++) values[i] = Number(read(cursor));
    return values;
  }
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Element types whose arrays are taken as they lie: scores and kinds of tokens. */
const wholeArrays: Record<string, new (buffer: ArrayBuffer) => Float32Array | Int32Array> = {
  float32: Float32Array,
  int32: Int32Array,
};

/** Strings whose places are found when one is asked for. */
class StringPlaces implements PackedStrings {
  readonly bytes: Uint8Array;
  private readonly count: number;
  private readonly layout: Layout;
  private places: { starts: Uint32Array; ends: Uint32Array } | undefined;

  constructor(bytes: Uint8Array, count: number, layout: Layout) {
    this.bytes = bytes;
    this.count = count;
    this.layout = layout;
  }

  get starts(): Uint32Array {
    this.places ??= this.find();
    return this.places.starts;
  }

  get ends(): Uint32Array {
    this.places ??= this.find();
    return this.places.ends;
  }

  private find() {
    const { bytes, count, layout } = this;
    const { countBytes, littleEndian } = layout;
    const isPlain = littleEndian && countBytes === 8;
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    let at = 0;
    for (let i = 0; i < count; i++) {
      // The upper half of a length is 0: the walk over the header has held them all against the file.
      const isShort = isPlain && (bytes[at + 1] | bytes[at + 2] | bytes[at + 3] | bytes[at + 7]) === 0;
      const length = isShort ? bytes[at] : lengthAt(bytes, at, layout);
      at += countBytes;
      starts[i] = at;
      at += length;
      ends[i] = at;
    }
    return { starts, ends };
  }
}
