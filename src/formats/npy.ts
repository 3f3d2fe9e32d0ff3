import { dtypeNamed } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { type Literal, parseLiteral } from './python-literal.ts';

/** \x93NUMPY */
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** _MAX_HEADER_SIZE of numpy.lib.format. */
const longestHeader = 10_000;

/** Name of the one array of an .npy file, which has none. */
const arrayName = 'array';

/** NumPy's kind and size as dtype names. */
const dtypes = new Map(
  Object.entries({
    f2: 'F16',
    f4: 'F32',
    f8: 'F64',
    i1: 'I8',
    i2: 'I16',
    i4: 'I32',
    i8: 'I64',
    u1: 'U8',
    u2: 'U16',
    u4: 'U32',
    u8: 'U64',
    b1: 'BOOL',
    c8: 'C64',
    c16: 'C128',
  }),
);

/** What else an array can hold, by NumPy's kind. */
const otherKinds: Record<string, string> = {
  O: 'Python objects, a pickle, which is never executed',
  U: 'text',
  S: 'byte strings',
  a: 'byte strings',
  V: 'raw records',
  M: 'dates',
  m: 'time spans',
  f: 'floats of a size that this machine does not share',
};

/** True when the first bytes of a file are those of an .npy file. */
export function looksLikeNpy(head: Uint8Array): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

/**
 * Reads the header of an .npy file, version 1, 2 or 3, either byte order, either index order; no values.
 *
 * Source: numpy.lib.format. The header is a Python literal; it is parsed, never evaluated. Bytes after the array are let be,
 * because one file may hold arrays one after the other.
 * @throws EmbError "corrupt" naming the fact that does not hold, "unsupported" for arrays of no numbers
 */
export async function openNpy(source: ByteSource): Promise<TensorFile> {
  const { name } = source;
  const head = await source.read(0, Math.min(12, source.byteLength));
  if (!looksLikeNpy(head))
    throw new EmbError('corrupt', `${name}: does not begin with \\x93NUMPY, expected an npy file`);
  const [start, length] = headerSpan(head, source);
  if (length > longestHeader) {
    throw new EmbError('corrupt', `${name}: "header length" is ${length}, expected at most ${longestHeader}`);
  }
  if (start + length > source.byteLength) {
    const rest = source.byteLength - start;
    throw new EmbError(
      'corrupt',
      `${name}: "header length" is ${length}, expected at most ${rest}, the rest of the file`,
    );
  }
  const bytes = await source.read(start, start + length);
  // Version 3 differs from 2 in UTF-8 field names only, which no array of numbers has.
  const header = parseLiteral(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
    `${name}: header`,
  );
  const tensor = describe(header, start + length, source);
  return { format: 'npy', name, tensors: [tensor], metadata: new Map(), close: () => source.close() };
}

/** Where the header starts and how long it says it is. */
function headerSpan(head: Uint8Array, source: ByteSource): [start: number, length: number] {
  const version = head[6];
  if (version !== undefined && (version < 1 || version > 3)) {
    throw new EmbError(
      'unsupported',
      `${source.name}: npy version is ${version}.${head[7]}, expected 1.0, 2.0 or 3.0`,
    );
  }
  const start = version === 1 ? 10 : 12;
  if (head.length < start) {
    throw new EmbError(
      'corrupt',
      `${source.name}: is ${source.byteLength} bytes, expected at least ${start}`,
    );
  }
  const view = new DataView(head.buffer, head.byteOffset);
  return [start, version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)];
}

function describe(header: Literal, offset: number, source: ByteSource): TensorInfo {
  const { name } = source;
  if (!(header instanceof Map)) throw new EmbError('corrupt', `${name}: header is no dictionary`);
  const keys = [...header.keys()].sort().join(', ');
  if (keys !== 'descr, fortran_order, shape') {
    throw new EmbError(
      'corrupt',
      `${name}: header has the keys ${JSON.stringify(keys)}, expected "descr, fortran_order, shape"`,
    );
  }
  const shape = header.get('shape');
  const fortran = header.get('fortran_order');
  if (!Array.isArray(shape) || !shape.every((size) => typeof size === 'number')) {
    throw new EmbError('corrupt', `${name}: "shape" is no tuple of whole numbers`);
  }
  if (typeof fortran !== 'boolean')
    throw new EmbError('corrupt', `${name}: "fortran_order" is neither True nor False`);
  const [dtype, bigEndian] = dtypeOf(header.get('descr'), name);
  const weights = shape.includes(0) ? 0 : (shape as number[]).reduce((product, size) => product * size, 1);
  const byteLength = weights * (dtypeNamed(dtype)?.blockBytes ?? 1);
  if (byteLength > Number.MAX_SAFE_INTEGER) {
    throw new EmbError('corrupt', `${name}: shape (${shape.join(', ')}) has more than 2^53 - 1 bytes`);
  }
  if (offset + byteLength > source.byteLength) {
    throw new EmbError(
      'corrupt',
      `${name}: array ends at byte ${offset + byteLength}, expected at most ${source.byteLength}, the size of the file`,
      'the file may be truncated: write it again',
    );
  }
  const tensor: TensorInfo = { name: arrayName, shape: shape as number[], dtype, offset, byteLength, source };
  if (fortran && shape.length > 1) tensor.strides = fortranStrides(tensor.shape);
  if (bigEndian) tensor.bigEndian = true;
  return tensor;
}

/** In column-major order the first index varies fastest. */
function fortranStrides(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const here = stride;
    stride *= size;
    return here;
  });
}

/** A descr such as '<f4', '>i8', '|b1' as our dtype. */
function dtypeOf(descr: Literal | undefined, name: string): [dtype: string, bigEndian: boolean] {
  if (typeof descr !== 'string') {
    throw new EmbError(
      'unsupported',
      `${name}: array holds records of several fields, expected one number per element`,
    );
  }
  const match = /^([<>=|]?)([A-Za-z])(\d*)/.exec(descr);
  if (match === null)
    throw new EmbError('corrupt', `${name}: "descr" is ${JSON.stringify(descr)}, which is no dtype`);
  const [whole, order, kind, size] = match;
  const dtype = whole === descr ? dtypes.get(kind + size) : undefined;
  if (dtype !== undefined) return [dtype, order === '>'];
  const hint =
    kind === 'V' && size === '2'
      ? 'NumPy writes bfloat16 as raw records: save it as float32 or as safetensors'
      : kind === 'O'
        ? 'save an array of numbers with numpy.save(..., allow_pickle=False)'
        : undefined;
  const what = otherKinds[kind] ?? 'an unknown dtype';
  throw new EmbError(
    'unsupported',
    `${name}: array holds ${what} (${JSON.stringify(descr)}), expected numbers`,
    hint,
  );
}
