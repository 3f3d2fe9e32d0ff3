import { Breath } from '../bytes/breath.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorInfo } from '../types.ts';
import { eachVarint, ProtoReader, wire } from './protobuf.ts';

/** Weights that are decoded in memory: no exporter writes tables of this size number by number. */
const mostBytes = 1 << 30;

/** A field of numbers in a TensorProto. */
export interface TypedValues {
  /** Of the field. */
  number: number;
  /** Of the first piece. */
  start: number;
  /** Of all pieces, as encoded. */
  byteLength: number;
  pieces: number;
}

interface Typed {
  source: ByteSource;
  /** byteLength: once decoded. */
  tensor: Pick<TensorInfo, 'name' | 'shape' | 'dtype' | 'byteLength'>;
  bits: number;
  weights: number;
  values: TypedValues;
  /** The TensorProto. */
  start: number;
  end: number;
}

/**
 * The bytes that raw_data would have, of a tensor whose numbers stand one by one; decoded when they are first read.
 *
 * Source: onnx/onnx.proto: 16-bit and 8-bit floats are the low bits of an int32, 4-bit and 2-bit numbers stand together in one.
 */
export class TypedSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #typed: Typed;
  #bytes: Promise<Uint8Array> | undefined;

  /** @throws EmbError "corrupt" when the encoded bytes cannot hold so many numbers */
  constructor(typed: Typed) {
    const { bits, weights, values, source } = typed;
    const { byteLength } = typed.tensor;
    const { label, shown } = namesOf(typed);
    if (bits === 6)
      throw new EmbError('unsupported', `${label}: ${shown} is written number by number, expected raw_data`);
    const numbers = bits < 8 ? byteLength : weights;
    // Every number takes a byte at least; one that stands alone has none for packing.
    if (values.byteLength < numbers) {
      throw new EmbError(
        'corrupt',
        `${label}: its numbers are ${values.byteLength} bytes, expected at least ${numbers} for ${shown}`,
      );
    }
    if (byteLength > mostBytes) {
      throw new EmbError(
        'unsupported',
        `${label}: ${byteLength} bytes of ${shown} are written number by number, expected at most ${mostBytes}`,
        'save the model with raw_data',
      );
    }
    this.name = source.name;
    this.byteLength = byteLength;
    this.#typed = typed;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#bytes ??= decode(this.#typed);
    const bytes = await this.#bytes;
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new EmbError(
        'corrupt',
        `${namesOf(this.#typed).label}: byte ${end} is asked for, expected at most ${bytes.length}`,
      );
    }
    const view = bytes.subarray(start, end);
    if (into === undefined) return view;
    into.set(view);
    return into.subarray(0, end - start);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) {
      into.set(await this.read(spans[at], spans[at + 1]), spans[at + 2]);
    }
  }

  async close(): Promise<void> {}
}

/** What errors call the tensor. Made when it is needed: a file may have many small tensors. */
function namesOf({ source, tensor: { name, shape, dtype } }: Typed): { label: string; shown: string } {
  return { label: `${source.name}: tensor ${JSON.stringify(name)}`, shown: `${dtype} [${shape.join(', ')}]` };
}

async function decode(typed: Typed): Promise<Uint8Array> {
  const { source, bits, values, start, end } = typed;
  const { byteLength } = typed.tensor;
  const { label, shown } = namesOf(typed);
  const out = new Uint8Array(byteLength);
  const width = Math.max(1, bits / 8);
  let used = 0;
  const tooMany = () =>
    new EmbError('corrupt', `${label}: has more than ${byteLength / width} numbers, expected ${shown}`);
  const take = (low: number, high: number) => {
    if (used + width > byteLength) throw tooMany();
    for (let index = 0; index < width; index++) {
      out[used++] = index < 4 ? low >>> (8 * index) : high >>> (8 * (index - 4));
    }
  };
  const reader = ProtoReader.over(source, start, end);
  const breath = new Breath();
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field !== values.number) continue;
    const isFloat = reader.field === 4 || reader.field === 10;
    if (reader.type === wire.varint) take(reader.low, reader.high);
    else {
      const bytes = await reader.bytes('numbers', values.byteLength);
      if (isFloat) {
        if (used + bytes.length > byteLength) throw tooMany();
        out.set(bytes, used);
        used += bytes.length;
      } else if (!eachVarint(bytes, take)) {
        throw new EmbError('corrupt', `${label}: its numbers end inside a number`);
      }
    }
    if (breath.due) await breath.take();
  }
  if (used !== byteLength) {
    throw new EmbError(
      'corrupt',
      `${label}: has ${used / width} numbers, expected ${byteLength / width} for ${shown}`,
    );
  }
  return out;
}
