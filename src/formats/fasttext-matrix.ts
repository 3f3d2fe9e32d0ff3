import { EmbError } from '../errors.ts';
import type { ByteSource, RowBlock, RowReader, TensorInfo } from '../types.ts';
import type { Fields } from './fasttext-fields.ts';

/** Centroids of a part of a row: its code is a byte. */
const centroids = 256;

/** Values of a block of a scan. */
const blockValues = 1 << 18;

/**
 * Reads the place of a dense matrix and passes over it.
 *
 * Block: rows i64, columns i64, then rows * columns float32.
 */
export async function readDense(
  fields: Fields,
  source: ByteSource,
  name: string,
  dim: number,
): Promise<TensorInfo> {
  const [rows, columns] = await readShape(fields, source, name, dim);
  const offset = fields.position;
  const byteLength = rows * columns * 4;
  fields.skip(byteLength, `${name} matrix`);
  return { name, shape: [rows, columns], dtype: 'F32', offset, byteLength, source };
}

/**
 * Reads the place of a matrix of product-quantized rows and passes over it.
 *
 * Block: has norms u8, rows i64, columns i64, codes i32, that many bytes; then a quantizer, and with norms a byte for each row and the
 * quantizer of norms. A quantizer: columns, parts, columns of a part and of the last one, i32 each, and 256 centroids for each part.
 * Source: QMatrix::load and ProductQuantizer::load of fastText 0.9.2.
 */
export async function readQuantized(
  fields: Fields,
  source: ByteSource,
  name: string,
  dim: number,
): Promise<TensorInfo> {
  const start = fields.position;
  const hasNorms = (await fields.u8()) !== 0;
  const [rows, columns] = await readShape(fields, source, name, dim);
  const codeBytes = await fields.i32('codesize');
  const codesAt = fields.position;
  fields.skip(Math.max(0, codeBytes), 'codes');
  const quantizer = await readQuantizer(fields, source, columns);
  if (codeBytes !== rows * quantizer.parts) {
    throw new EmbError(
      'corrupt',
      `${source.name}: "codesize" is ${codeBytes}, expected ${rows * quantizer.parts} for ${rows} rows of ${quantizer.parts} codes`,
    );
  }
  let norms: QuantizedMatrix['norms'];
  if (hasNorms) {
    const at = fields.position;
    fields.skip(rows, 'codes of norms');
    norms = { codesAt: at, quantizer: await readQuantizer(fields, source, 1) };
  }
  const matrix: QuantizedMatrix = { source, rows, dim: columns, codesAt, quantizer, norms };
  return {
    name,
    shape: [rows, columns],
    dtype: 'PQ',
    offset: start,
    byteLength: fields.position - start,
    source,
    reader: () => new QuantizedRows(matrix),
  };
}

async function readShape(
  fields: Fields,
  source: ByteSource,
  name: string,
  dim: number,
): Promise<[rows: number, columns: number]> {
  const rows = await fields.i64(`rows of ${name}`);
  const columns = await fields.i64(`columns of ${name}`);
  if (columns !== dim) {
    throw new EmbError('corrupt', `${source.name}: ${name} matrix has ${columns} columns, expected ${dim}`);
  }
  if (rows < 1 || rows > 0xffffffff) {
    throw new EmbError(
      'corrupt',
      `${source.name}: ${name} matrix has ${rows} rows, expected 1 to ${0xffffffff}`,
    );
  }
  return [rows, columns];
}

/** 256 centroids for each part of a row. */
interface Quantizer {
  columns: number;
  parts: number;
  partColumns: number;
  /** Place of the centroids in the file. */
  offset: number;
}

async function readQuantizer(fields: Fields, source: ByteSource, expected: number): Promise<Quantizer> {
  const columns = await fields.i32('columns of a quantizer');
  const parts = await fields.i32('parts of a quantizer');
  const partColumns = await fields.i32('columns of a part');
  const lastColumns = await fields.i32('columns of the last part');
  const isWhole =
    parts > 0 && partColumns > 0 && lastColumns > 0 && (parts - 1) * partColumns + lastColumns === columns;
  if (columns !== expected || !isWhole || lastColumns > partColumns) {
    throw new EmbError(
      'corrupt',
      `${source.name}: quantizer has ${columns} columns in ${parts} parts of ${partColumns}, the last of ${lastColumns}, expected ${expected} in all`,
    );
  }
  const offset = fields.position;
  fields.skip(columns * centroids * 4, 'centroids');
  return { columns, parts, partColumns, offset };
}

interface QuantizedMatrix {
  source: ByteSource;
  rows: number;
  dim: number;
  codesAt: number;
  quantizer: Quantizer;
  norms: { codesAt: number; quantizer: Quantizer } | undefined;
}

/** What a row is made of, in memory. */
interface Codebook {
  codes: Uint8Array;
  values: Float32Array;
  normCodes: Uint8Array | undefined;
  normValues: Float32Array | undefined;
}

/** Rows of a product-quantized matrix: each part is a centroid, times the norm where norms are kept apart. */
export class QuantizedRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds = false;
  readonly #matrix: QuantizedMatrix;
  #codebook: Promise<Codebook> | undefined;

  constructor(matrix: QuantizedMatrix) {
    this.#matrix = matrix;
    this.rows = matrix.rows;
    this.dim = matrix.dim;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    this.#codebook ??= this.#load();
    const codebook = await this.#codebook;
    for (let index = 0; index < ids.length; index++)
      this.#decode(codebook, ids[index]!, out, index * this.dim);
  }

  async *scan(): AsyncIterable<RowBlock> {
    this.#codebook ??= this.#load();
    const codebook = await this.#codebook;
    const most = Math.min(this.rows, Math.max(1, Math.floor(blockValues / this.dim)));
    const data = new Float32Array(most * this.dim);
    for (let start = 0; start < this.rows; start += most) {
      const rows = Math.min(most, this.rows - start);
      for (let row = 0; row < rows; row++) this.#decode(codebook, start + row, data, row * this.dim);
      yield { start, rows, data: data.subarray(0, rows * this.dim) };
    }
  }

  #decode(
    { codes, values, normCodes, normValues }: Codebook,
    row: number,
    out: Float32Array,
    at: number,
  ): void {
    const { parts, partColumns } = this.#matrix.quantizer;
    const norm = normCodes === undefined || normValues === undefined ? 1 : normValues[normCodes[row]!]!;
    for (let part = 0; part < parts; part++) {
      const first = part * partColumns;
      const columns = Math.min(partColumns, this.dim - first);
      // The centroids of the last part, which may be narrower, lie one after another too.
      const centroid = first * centroids + codes[row * parts + part]! * columns;
      for (let column = 0; column < columns; column++)
        out[at + first + column] = norm * values[centroid + column]!;
    }
  }

  /** Codes are a byte for some columns: they are held whole, and no larger than the file. */
  async #load(): Promise<Codebook> {
    const { source, rows, codesAt, quantizer, norms } = this.#matrix;
    return {
      codes: await source.read(codesAt, codesAt + rows * quantizer.parts),
      values: await floats(source, quantizer),
      normCodes: norms && (await source.read(norms.codesAt, norms.codesAt + rows)),
      normValues: norms && (await floats(source, norms.quantizer)),
    };
  }
}

async function floats(source: ByteSource, { offset, columns }: Quantizer): Promise<Float32Array> {
  const values = new Float32Array(columns * centroids);
  await source.read(offset, offset + values.byteLength, new Uint8Array(values.buffer));
  return values;
}
