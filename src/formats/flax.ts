import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { ChunkedSource } from './flax-chunks.ts';
import { MsgpackCursor, type MsgpackValue } from './msgpack.ts';

/** flax.serialization._MsgpackExtType.ndarray; scalars are 3 and no tensors. */
const arrayType = 1;

/** Key of a map that stands for an array of more than 2^30 bytes. */
const chunkedKey = '__msgpack_chunked_array__';

/** Modules nest to 10 or so; names have about 100 characters. */
const deepest = 128;
const longestName = 512;
const longestShape = 64;

/** NumPy's and ml_dtypes' names, and bytes of an element. */
const dtypes: Record<string, [name: string, bytes: number]> = {
  float64: ['F64', 8],
  float32: ['F32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  int64: ['I64', 8],
  int32: ['I32', 4],
  int16: ['I16', 2],
  int8: ['I8', 1],
  uint64: ['U64', 8],
  uint32: ['U32', 4],
  uint16: ['U16', 2],
  uint8: ['U8', 1],
  bool: ['BOOL', 1],
  complex64: ['C64', 8],
  complex128: ['C128', 16],
  float8_e4m3fn: ['F8_E4M3', 1],
  float8_e5m2: ['F8_E5M2', 1],
  float8_e4m3fnuz: ['F8_E4M3FNUZ', 1],
  float8_e5m2fnuz: ['F8_E5M2FNUZ', 1],
  float8_e8m0fnu: ['F8_E8M0', 1],
};

/**
 * Lists the arrays of a Flax checkpoint (flax_model.msgpack), nested names joined by dots; no values.
 *
 * Source: flax/serialization.py. An array is an extension of shape, dtype name and bytes; those over 1 GiB are maps of chunks.
 * Cost: the file is read where names and shapes are, 64 KiB at a time; arrays are passed over.
 * @throws EmbError "corrupt" naming the byte or the array, "unsupported" for a file without arrays
 */
export async function openFlax(source: ByteSource): Promise<TensorFile> {
  const { name } = source;
  const walk = new Walk(source);
  await walk.visit('', 0);
  if (walk.cursor.at !== source.byteLength) walk.cursor.fail('something follows the last value');
  if (walk.tensors.length === 0) {
    throw new EmbError('unsupported', `${name}: is MessagePack without arrays, expected a Flax checkpoint`);
  }
  return { format: 'flax', name, tensors: walk.tensors, metadata: new Map(), close: () => source.close() };
}

/** Where the bytes of an array are. */
interface FlaxArray {
  shape: number[];
  dtype: string;
  width: number;
  start: number;
  length: number;
}

class Walk {
  readonly cursor: MsgpackCursor;
  readonly tensors: TensorInfo[] = [];
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
    this.cursor = new MsgpackCursor(source);
  }

  async visit(name: string, depth: number): Promise<void> {
    const value = await this.cursor.next();
    if (depth > deepest) this.cursor.fail(`values are nested deeper than ${deepest}`);
    if (value.kind === 'map') {
      await this.#visitMap(name, value.length, depth);
    } else if (value.kind === 'array') {
      for (let index = 0; index < value.length; index++)
        await this.visit(this.#join(name, String(index)), depth + 1);
    } else if (value.kind === 'extension' && value.type === arrayType) {
      this.#list(name, await this.#array(value.length));
    } else {
      this.#skipContent(value);
    }
  }

  async #visitMap(name: string, length: number, depth: number): Promise<void> {
    const seen = new Set<string>();
    for (let index = 0; index < length; index++) {
      const key = await this.#key();
      if (seen.has(key)) this.cursor.fail(`the key ${JSON.stringify(key)} stands twice`);
      seen.add(key);
      if (index === 0 && key === chunkedKey) return this.#chunked(name, length);
      await this.visit(this.#join(name, key), depth + 1);
    }
  }

  async #key(): Promise<string> {
    const value = await this.cursor.next();
    if (value.kind === 'number') return String(value.value);
    if (value.kind !== 'text') this.cursor.fail('a key is no text');
    if (value.length > longestName)
      this.cursor.fail(`a key has ${value.length} bytes, expected at most ${longestName}`);
    return this.cursor.text(value.length);
  }

  /** The rest of {chunked: true, shape: {0: ...}, chunks: {0: array ...}}, as Flax writes it: in this order. */
  async #chunked(name: string, length: number): Promise<void> {
    const { cursor } = this;
    this.#skipContent(await cursor.next());
    if (length !== 3 || (await this.#key()) !== 'shape') cursor.fail('a chunked array has no shape');
    const shape = await this.#numbered(longestShape, () => this.#count());
    if ((await this.#key()) !== 'chunks') cursor.fail('a chunked array has no chunks');
    const chunks = await this.#numbered(Number.POSITIVE_INFINITY, async () => {
      const value = await cursor.next();
      if (value.kind !== 'extension' || value.type !== arrayType) return cursor.fail('a chunk is no array');
      return this.#array(value.length);
    });
    const [first] = chunks;
    if (first === undefined || chunks.some(({ dtype }) => dtype !== first.dtype)) {
      return cursor.fail('the chunks of an array are of no one dtype');
    }
    const whole = new ChunkedSource(this.#source, chunks);
    this.#list(name, { ...first, shape, start: 0, length: whole.byteLength }, whole);
  }

  /** The values of {0: ..., 1: ...}. */
  async #numbered<T>(most: number, read: () => Promise<T>): Promise<T[]> {
    const map = await this.cursor.next();
    if (map.kind !== 'map' || map.length > most)
      return this.cursor.fail('a chunked array is no numbered map');
    const values: T[] = [];
    for (let index = 0; index < map.length; index++) {
      if ((await this.#key()) !== String(index))
        this.cursor.fail('the parts of a chunked array are out of order');
      values.push(await read());
    }
    return values;
  }

  /** The content of an extension: [shape, dtype name, bytes]. Leaves the cursor behind it. */
  async #array(length: number): Promise<FlaxArray> {
    const { cursor } = this;
    const end = cursor.at + length;
    const parts = await cursor.next();
    const sizes = await cursor.next();
    if (
      parts.kind !== 'array' ||
      parts.length !== 3 ||
      sizes.kind !== 'array' ||
      sizes.length > longestShape
    ) {
      return cursor.fail('an array is no shape, dtype and bytes');
    }
    const shape: number[] = [];
    for (let axis = 0; axis < sizes.length; axis++) shape.push(await this.#count());
    const dtypeName = await this.#key();
    const dtype = Object.hasOwn(dtypes, dtypeName) ? dtypes[dtypeName] : undefined;
    const bytes = await cursor.next();
    if (bytes.kind !== 'bytes' && bytes.kind !== 'text') return cursor.fail('an array has no bytes');
    const start = cursor.at;
    if (start + bytes.length !== end)
      cursor.fail(`an array ends at byte ${start + bytes.length}, expected ${end}`);
    cursor.skip(bytes.length);
    // What has no name here is listed by its own, and not decoded.
    const [name, width] = dtype ?? [dtypeName.toUpperCase(), 0];
    return { shape, dtype: name, width, start, length: bytes.length };
  }

  #list(name: string, array: FlaxArray, source: ByteSource = this.#source): void {
    const { shape, dtype, width, start, length } = array;
    const weights = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
    if (width > 0 && weights * width !== length) {
      throw new EmbError(
        'corrupt',
        `${source.name}: array ${JSON.stringify(name)} is ${length} bytes, expected ${weights * width} for ${dtype} [${shape.join(', ')}]`,
      );
    }
    this.tensors.push({ name: name || 'array', shape, dtype, offset: start, byteLength: length, source });
  }

  async #count(): Promise<number> {
    const value = await this.cursor.next();
    if (value.kind !== 'number' || !Number.isSafeInteger(value.value) || value.value < 0) {
      return this.cursor.fail('a size is no whole number in 0..2^53 - 1');
    }
    return value.value;
  }

  #skipContent(value: MsgpackValue): void {
    if (value.kind === 'map' || value.kind === 'array')
      this.cursor.fail('a value has members, expected none');
    if (value.kind === 'text' || value.kind === 'bytes' || value.kind === 'extension')
      this.cursor.skip(value.length);
  }

  #join(name: string, key: string): string {
    const joined = name === '' ? key : `${name}.${key}`;
    if (joined.length > longestName)
      this.cursor.fail(`a name has ${joined.length} characters, expected at most ${longestName}`);
    return joined;
  }
}
