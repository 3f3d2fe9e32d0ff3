import { EmbError } from '../errors.ts';
import type { ByteSource, TensorInfo } from '../types.ts';
import type { ExternalFiles } from './onnx-external.ts';
import { TypedSource, type TypedValues } from './onnx-typed.ts';
import { type ProtoReader, wire } from './protobuf.ts';

/** As safetensors: more dimensions than any tensor has. */
const mostDimensions = 64;

/** Names are paths of modules; a thousand bytes is more than any has. */
const longestName = 1 << 16;

/** Fields of TensorProto. Source: onnx/onnx.proto. */
const field = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  location: 14,
};

/** Our name, bits of a weight, and the field that holds weights one by one. */
type OnnxType = [dtype: string, bits: number, typed: number];

/** By TensorProto.DataType. */
const types: Record<number, OnnxType> = {
  1: ['F32', 32, field.floatData],
  2: ['U8', 8, field.int32Data],
  3: ['I8', 8, field.int32Data],
  4: ['U16', 16, field.int32Data],
  5: ['I16', 16, field.int32Data],
  6: ['I32', 32, field.int32Data],
  7: ['I64', 64, field.int64Data],
  8: ['STRING', 0, field.stringData],
  9: ['BOOL', 8, field.int32Data],
  10: ['F16', 16, field.int32Data],
  11: ['F64', 64, field.doubleData],
  12: ['U32', 32, field.uint64Data],
  13: ['U64', 64, field.uint64Data],
  14: ['C64', 64, field.floatData],
  15: ['C128', 128, field.doubleData],
  16: ['BF16', 16, field.int32Data],
  17: ['F8_E4M3', 8, field.int32Data],
  18: ['F8_E4M3FNUZ', 8, field.int32Data],
  19: ['F8_E5M2', 8, field.int32Data],
  20: ['F8_E5M2FNUZ', 8, field.int32Data],
  21: ['U4', 4, field.int32Data],
  22: ['I4', 4, field.int32Data],
  23: ['F4', 4, field.int32Data],
  24: ['F8_E8M0', 8, field.int32Data],
  25: ['U2', 2, field.int32Data],
  26: ['I2', 2, field.int32Data],
  27: ['F6_E2M3', 6, field.int32Data],
  28: ['F6_E3M2', 6, field.int32Data],
};

/** Where a tensor is while its fields are read. */
interface Parts {
  name: string;
  dims: number[];
  dataType: number;
  raw: { start: number; end: number } | undefined;
  typed: TypedValues[];
  external: Map<string, string>;
  isExternal: boolean;
  hasSegment: boolean;
}

/** The file that tensors lie in, and the files beside it. */
export interface TensorPlaces {
  source: ByteSource;
  external: ExternalFiles;
}

/**
 * Reads a TensorProto but for its weights, which are left where they are.
 *
 * Weights lie in raw_data, in a file beside this one, or in a field of numbers; packed float32 and float64 are bytes like
 * raw_data, other numbers are decoded in memory when they are first asked for.
 * @param name what the tensor is called where it has no name of its own
 * @throws EmbError "corrupt" naming the tensor when shape, dtype and bytes do not fit together
 */
export async function readTensor(
  reader: ProtoReader,
  places: TensorPlaces,
  name?: string,
): Promise<TensorInfo> {
  const whole = { start: reader.at, end: reader.limit };
  const parts = await readParts(reader);
  if (parts.name === '') parts.name = name ?? 'tensor';
  const label = `${places.source.name}: tensor ${JSON.stringify(parts.name)}`;
  const type = types[parts.dataType];
  if (type === undefined) {
    throw new EmbError(
      parts.dataType === 0 ? 'corrupt' : 'unsupported',
      `${label}: "data_type" is ${parts.dataType}, expected 1 to ${Object.keys(types).length}`,
    );
  }
  if (parts.hasSegment) throw new EmbError('unsupported', `${label} is a segment, expected a whole tensor`);
  const [dtype, bits, typedField] = type;
  const weights = weightsOf(parts.dims, bits, label);
  const byteLength = Math.ceil((weights * bits) / 8);
  const tensor = { name: parts.name, shape: parts.dims, dtype, byteLength };
  const shown = `${dtype} [${parts.dims.join(', ')}]`;
  if (parts.isExternal)
    return { ...tensor, ...places.external.place(parts.external, byteLength, label, shown) };
  if (dtype === 'STRING') return { ...tensor, source: places.source, offset: whole.start, byteLength: 0 };
  if (parts.raw !== undefined) {
    const { start, end } = parts.raw;
    if (end - start !== byteLength) throw wrongLength(label, 'raw_data', end - start, byteLength, shown);
    return { ...tensor, source: places.source, offset: start };
  }
  const own = parts.typed.filter(({ number }) => number === typedField);
  const stray = parts.typed.find(({ number }) => number !== typedField);
  if (stray !== undefined) {
    throw new EmbError(
      'corrupt',
      `${label}: has numbers in field ${stray.number}, expected ${typedField} for ${dtype}`,
    );
  }
  if (own.length === 0) {
    if (weights !== 0) throw wrongLength(label, 'raw_data', 0, byteLength, shown);
    return { ...tensor, source: places.source, offset: whole.start };
  }
  const [values] = own;
  const isBytes = values.number === field.floatData || values.number === field.doubleData;
  if (isBytes) {
    if (values.byteLength !== byteLength)
      throw wrongLength(label, 'its numbers', values.byteLength, byteLength, shown);
    if (values.pieces === 1) return { ...tensor, source: places.source, offset: values.start };
  }
  return {
    ...tensor,
    source: new TypedSource({ source: places.source, tensor, bits, weights, values, ...whole }),
    offset: 0,
  };
}

async function readParts(reader: ProtoReader): Promise<Parts> {
  const parts: Parts = {
    name: '',
    dims: [],
    dataType: 0,
    raw: undefined,
    typed: [],
    external: new Map(),
    isExternal: false,
    hasSegment: false,
  };
  while (reader.ready ? reader.step() : await reader.next()) {
    switch (reader.field) {
      case field.dims:
        await reader.integers('dims', parts.dims, mostDimensions);
        break;
      case field.dataType:
        parts.dataType = reader.integer('data_type');
        break;
      case field.name:
        parts.name = await reader.text('name', longestName);
        break;
      case field.rawData:
        reader.message('raw_data');
        parts.raw = { start: reader.start, end: reader.end };
        break;
      case field.externalData:
        await readEntry(reader.message('external_data'), parts.external);
        break;
      case field.location:
        parts.isExternal = reader.integer('data_location') === 1;
        break;
      case field.segment:
        parts.hasSegment = true;
        break;
      case field.floatData:
      case field.doubleData:
      case field.int32Data:
      case field.int64Data:
      case field.uint64Data:
        addPiece(parts.typed, reader, parts.name);
    }
  }
  return parts;
}

/** A piece of a field of numbers: packed, or one number. */
function addPiece(typed: TypedValues[], reader: ProtoReader, name: string): void {
  const { field: number, start, end, type } = reader;
  const alone = { [field.floatData]: wire.fixed32, [field.doubleData]: wire.fixed64 }[number] ?? wire.varint;
  if (type !== wire.bytes && type !== alone) {
    throw reader.corrupt(
      start,
      `numbers of tensor ${JSON.stringify(name)} have the wire type ${type}, expected ${alone}`,
    );
  }
  let values = typed.find((each) => each.number === number);
  if (values === undefined) {
    values = { number, start, byteLength: 0, pieces: 0 };
    typed.push(values);
  }
  values.byteLength += end - start;
  values.pieces++;
}

/** Keys and values that tensors and models carry. Other keys than known ones are let be. */
export async function readEntry(
  reader: ProtoReader,
  into: Map<string, string>,
  longest = longestName,
): Promise<void> {
  let key = '';
  let value = '';
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field === 1) key = await reader.text('key', longestName);
    else if (reader.field === 2) value = await reader.text('value', longest);
  }
  into.set(key, value);
}

function weightsOf(dims: readonly number[], bits: number, label: string): number {
  const negative = dims.find((size) => size < 0);
  if (negative !== undefined)
    throw new EmbError('corrupt', `${label}: a dimension is ${negative}, expected 0 or more`);
  // A zero anywhere makes the product 0, whatever stands beside it.
  const weights = dims.includes(0) ? 0 : dims.reduce((product, size) => product * size, 1);
  if (weights * Math.max(bits, 8) > Number.MAX_SAFE_INTEGER) {
    throw new EmbError('corrupt', `${label}: shape [${dims.join(', ')}] has more than 2^53 - 1 bits`);
  }
  return weights;
}

function wrongLength(label: string, what: string, bytes: number, expected: number, shown: string): EmbError {
  return new EmbError('corrupt', `${label}: "${what}" are ${bytes} bytes, expected ${expected} for ${shown}`);
}
