import { EmbError } from '../errors.ts';
import type { RowReader, TensorInfo } from '../types.ts';
import type { GraphNode } from './onnx-graph.ts';
import { type Factors, type Packing, QuantizedRows, roundBF16, roundF16 } from './quantized-rows.ts';
import { rowsOf } from './rows.ts';

/** Zero points that are read whole, because their rows begin inside a byte. */
const mostWhole = 1 << 24;

/** Dtypes of less than a byte. */
const packings: Record<string, Packing> = {
  U4: { bits: 4, signed: false },
  I4: { bits: 4, signed: true },
  U2: { bits: 2, signed: false },
  I2: { bits: 2, signed: true },
};

const roundings: Record<string, ((value: number) => number) | undefined> = { F16: roundF16, BF16: roundBF16 };

/** The inputs of an operation that dequantizes, and how it groups them. */
export interface Quantized {
  table: TensorInfo;
  scale: TensorInfo;
  zero: TensorInfo | undefined;
  /** The dimension that the scales go along, where there is more than one. */
  axis: number;
  /** Weights along the axis that share a scale; 0: one each. */
  blockSize: number;
  /** The table's rows are the columns of the tensor. */
  transposed: boolean;
}

/**
 * Rows of (number - zero point) x scale.
 *
 * Source: onnx docs/Operators.md, DequantizeLinear: per tensor, per axis and, from opset 21, in blocks. The result has the dtype
 * of the scale.
 * @throws EmbError "unsupported" for factors that fit no rows
 */
export function dequantizedRows({ table, scale, zero, axis, blockSize, transposed }: Quantized): RowReader {
  const [rows, dim] = transposed ? [table.shape[1], table.shape[0]] : table.shape;
  const packing = packings[table.dtype];
  const packed = rowsOf(
    packing === undefined
      ? laidOut(table, rows, dim, transposed)
      : packedRows(table, rows, dim, packing, transposed),
  );
  const alongRows = axis === (transposed ? 1 : 0);
  const factors = (tensor: TensorInfo): Factors => {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    const step = Math.max(1, blockSize);
    if (count === 1) return factorGrid(tensor, 1, 1, Number.POSITIVE_INFINITY, dim, false);
    if (blockSize > 0) {
      return alongRows
        ? factorGrid(tensor, Math.ceil(rows / step), dim, step, 1, transposed)
        : factorGrid(tensor, rows, Math.ceil(dim / step), 1, step, transposed);
    }
    return alongRows
      ? factorGrid(tensor, rows, 1, 1, dim, false)
      : factorGrid(tensor, 1, dim, Number.POSITIVE_INFINITY, 1, false);
  };
  return new QuantizedRows({
    rows,
    dim,
    packed,
    packing,
    scales: factors(scale),
    zeros: zero === undefined ? undefined : factors(zero),
    round: roundings[scale.dtype],
  });
}

/**
 * Rows that GatherBlockQuantized gives.
 *
 * Source: onnxruntime docs/ContribOperators.md. Bytes hold 8 / bits numbers; without zero points bytes stand around the middle of
 * their range, numbers that have a dtype of 4 bits around 0.
 */
export function blockQuantizedRows(
  node: GraphNode,
  table: TensorInfo,
  scale: TensorInfo,
  zero: TensorInfo | undefined,
): RowReader {
  const bits = numberOf(node, 'bits', 4);
  const block = numberOf(node, 'block_size', 128);
  const axis = numberOf(node, 'quantize_axis', 1);
  const isBytes = table.dtype === 'U8';
  const packing = isBytes ? { bits, signed: false } : packings[table.dtype];
  const isKnown =
    [2, 4, 8].includes(bits) && (axis === 1 || axis === -1) && numberOf(node, 'gather_axis', 0) === 0;
  if (!isKnown || packing === undefined || block < 1) {
    throw unsupported(
      table,
      `is quantized to ${bits} bits of ${table.dtype} along axis ${axis}, in blocks of ${block}`,
    );
  }
  const rows = table.shape[0];
  const stored = table.shape.slice(1).reduce((product, size) => product * size, 1);
  const dim = isBytes ? stored * (8 / bits) : stored;
  const blocks = Math.ceil(dim / block);
  const zeros =
    zero === undefined ? undefined : packedFactors(zero, rows, blocks, block, isBytes ? packing : undefined);
  return new QuantizedRows({
    rows,
    dim,
    packed: rowsOf(
      isBytes ? laidOut(table, rows, stored, false) : packedRows(table, rows, dim, packing, false),
    ),
    packing,
    scales: factorGrid(scale, rows, blocks, 1, block, false),
    zeros: zeros ?? (isBytes ? 2 ** (bits - 1) : 0),
    round: roundings[scale.dtype],
  });
}

/**
 * The rows of MatMulNBits' right side: one for each of its N results.
 *
 * Source: onnxruntime docs/ContribOperators.md: [N, blocks, bytes of a block], zero points packed or of the scales' dtype.
 */
export function nBitsRows(
  node: GraphNode,
  table: TensorInfo,
  scale: TensorInfo,
  zero: TensorInfo | undefined,
): RowReader {
  const bits = numberOf(node, 'bits', 4);
  const block = numberOf(node, 'block_size', 0);
  const [rows, dim] = [numberOf(node, 'N', 0), numberOf(node, 'K', 0)];
  const blocks = Math.ceil(dim / block);
  const bytes = (blocks * block * bits) / 8;
  if (
    ![2, 4, 8].includes(bits) ||
    !(block >= 16) ||
    table.dtype !== 'U8' ||
    rows * bytes !== table.byteLength
  ) {
    throw unsupported(
      table,
      `is quantized to ${bits} bits in blocks of ${block}, [${rows}, ${dim}] in ${table.byteLength} bytes of ${table.dtype}`,
    );
  }
  const packing = { bits, signed: false };
  const isPacked = zero?.dtype === 'U8';
  const zeros =
    zero === undefined ? undefined : packedFactors(zero, rows, blocks, block, isPacked ? packing : undefined);
  return new QuantizedRows({
    rows,
    dim,
    packed: rowsOf({ ...table, shape: [rows, bytes], reader: undefined }),
    packing,
    scales: factorGrid(scale, rows, blocks, 1, block, false),
    zeros: zeros ?? 2 ** (bits - 1),
    round: roundings[scale.dtype],
  });
}

function numberOf(node: GraphNode, name: string, otherwise: number): number {
  const value = node.attributes?.get(name);
  return typeof value === 'number' ? value : otherwise;
}

/** A grid of zero points that may be packed, every row beginning with a byte. */
function packedFactors(
  zero: TensorInfo,
  rows: number,
  blocks: number,
  block: number,
  packing: Packing | undefined,
): Factors {
  if (packing === undefined) return factorGrid(zero, rows, blocks, 1, block, false);
  const bytes = Math.ceil((blocks * packing.bits) / 8);
  return { ...factorGrid(zero, rows, bytes, 1, block, false), packing };
}

/** A tensor of rows x columns factors, of whatever shape. */
function factorGrid(
  tensor: TensorInfo,
  rows: number,
  columns: number,
  tableRows: number,
  tableColumns: number,
  transposed: boolean,
): Factors {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  if (count !== rows * columns) {
    throw unsupported(tensor, `has ${count} numbers, expected ${rows} x ${columns} for the table's blocks`);
  }
  const packing = packings[tensor.dtype];
  if (packing === undefined) {
    return { reader: rowsOf(laidOut(tensor, rows, columns, transposed)), tableRows, tableColumns };
  }
  if (rows === 1 || (columns * packing.bits) % 8 === 0) {
    return {
      reader: rowsOf(packedRows(tensor, rows, columns, packing, transposed)),
      tableRows,
      tableColumns,
      packing,
    };
  }
  if (count > mostWhole || columns !== 1 || transposed) {
    throw unsupported(tensor, `has rows of ${columns} numbers of ${packing.bits} bits, expected whole bytes`);
  }
  return { reader: new LoneColumn(tensor, rows, packing), tableRows, tableColumns };
}

function laidOut(tensor: TensorInfo, rows: number, columns: number, transposed: boolean): TensorInfo {
  return {
    ...tensor,
    shape: [rows, columns],
    strides: transposed ? [1, rows] : undefined,
    reader: undefined,
  };
}

/** The bytes of numbers of less than a byte. */
function packedRows(
  tensor: TensorInfo,
  rows: number,
  columns: number,
  { bits }: Packing,
  transposed: boolean,
): TensorInfo {
  const bytes = (columns * bits) / 8;
  if (transposed || (rows > 1 && !Number.isInteger(bytes))) {
    throw unsupported(tensor, `has rows that begin inside a byte, expected whole bytes`);
  }
  return { ...tensor, dtype: 'U8', shape: [rows, Math.ceil(bytes)], reader: undefined };
}

/** One number a row, several in a byte. */
class LoneColumn implements RowReader {
  readonly rows: number;
  readonly dim = 1;
  readonly rounds = false;
  readonly #tensor: TensorInfo;
  readonly #packing: Packing;

  constructor(tensor: TensorInfo, rows: number, packing: Packing) {
    this.rows = rows;
    this.#tensor = tensor;
    this.#packing = packing;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const { bits, signed } = this.#packing;
    const perByte = 8 / bits;
    const bytes = rowsOf({
      ...this.#tensor,
      dtype: 'U8',
      shape: [Math.ceil(this.rows / perByte), 1],
      reader: undefined,
    });
    const stored = new Float32Array(ids.length);
    await bytes.gather(
      ids.map((id) => Math.floor(id / perByte)),
      stored,
    );
    ids.forEach((id, index) => {
      const value = (stored[index] >> ((id % perByte) * bits)) & (2 ** bits - 1);
      out[index] = signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
    });
  }

  scan(): never {
    throw new Error('factors are gathered, never scanned');
  }
}

function unsupported({ source, name }: TensorInfo, what: string): EmbError {
  return new EmbError('unsupported', `${source.name}: tensor ${JSON.stringify(name)} ${what}`);
}
