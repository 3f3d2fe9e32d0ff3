import { Breath } from '../bytes/breath.ts';
import { dtypeNamed } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import { roundF16 } from '../formats/quantized-rows.ts';
import { rowsOf } from '../formats/rows.ts';
import type { RowBlock, RowReader, TensorInfo } from '../types.ts';

/** Values of a block of a scan, and between two breaths. */
const pieceValues = 1 << 18;

/** Numbers that float32 cannot hold are read as pieces of 16 bits, which it can. */
const wide = new Set(['F64', 'I64', 'U64', 'I32', 'U32']);

/** What makes the row of a token: embeddings[mapping[id]] x weights[id]. */
export interface StaticParts {
  embeddings: TensorInfo;
  /** One row number for each token. */
  mapping: TensorInfo | undefined;
  /** One factor for each token. */
  weights: TensorInfo | undefined;
  /** How many there are. */
  tokens: number;
}

/**
 * The rows of tokens as model2vec looks them up, rounded to float32.
 *
 * Source: MinishLab/model2vec 0.10, StaticModel._encode_helper: the row of the mapping, then times the token's factor in the wider
 * dtype of both: a product of two float16 is a float16, one with a float64 is rounded once here.
 */
export class StaticRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds: boolean;
  readonly #parts: StaticParts;
  readonly #embeddings: NumberRows;
  readonly #mapping: NumberRows | undefined;
  readonly #weights: NumberRows | undefined;
  readonly #round: (value: number) => number;

  constructor(parts: StaticParts) {
    const { embeddings, mapping, weights, tokens } = parts;
    this.#parts = parts;
    this.#embeddings = new NumberRows(embeddings, embeddings.shape[0]);
    this.#mapping = mapping && new NumberRows(mapping, tokens);
    this.#weights = weights && new NumberRows(weights, tokens);
    this.rows = tokens;
    this.dim = embeddings.shape[1];
    const dtypes = [embeddings.dtype, ...(weights === undefined ? [] : [weights.dtype])];
    this.rounds = dtypes.some((dtype) => wide.has(dtype));
    const isHalf = weights?.dtype === 'F16' && (embeddings.dtype === 'F16' || embeddings.dtype === 'I8');
    this.#round = isHalf ? roundF16 : Math.fround;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const most = Math.max(1, Math.floor(pieceValues / this.dim));
    const breath = new Breath();
    for (let start = 0; start < ids.length; start += most) {
      const part = ids.subarray(start, start + most);
      await this.#look(part, out.subarray(start * this.dim, (start + part.length) * this.dim));
      if (breath.due) await breath.take();
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    const most = Math.min(this.rows, Math.max(1, Math.floor(pieceValues / this.dim)));
    const data = new Float32Array(most * this.dim);
    for (let start = 0; start < this.rows; start += most) {
      const ids = Uint32Array.from(
        { length: Math.min(most, this.rows - start) },
        (_, index) => start + index,
      );
      const block = data.subarray(0, ids.length * this.dim);
      await this.gather(ids, block);
      yield { start, rows: ids.length, data: block };
    }
  }

  async #look(ids: Uint32Array, out: Float32Array): Promise<void> {
    const rows = this.#mapping === undefined ? ids : this.#checked(ids, await this.#mapping.at(ids));
    const values = await this.#embeddings.at(rows);
    const factors = await this.#weights?.at(ids);
    const { dim } = this;
    for (let at = 0; at < values.length; at++) {
      out[at] = factors === undefined ? values[at] : this.#round(values[at] * factors[Math.floor(at / dim)]);
    }
  }

  #checked(ids: Uint32Array, rows: ArrayLike<number>): Uint32Array {
    const { embeddings, mapping } = this.#parts;
    const [count] = embeddings.shape;
    return ids.map((id, index) => {
      const row = rows[index];
      if (row >= 0 && row < count) return row;
      throw new EmbError(
        'corrupt',
        `${embeddings.source.name}: ${mapping?.name} of token ${id} is ${row}, expected 0 to ${count - 1}`,
      );
    });
  }
}

/** Rows of a tensor without loss. */
class NumberRows {
  readonly #reader: RowReader;
  readonly #dtype: string;
  readonly #width: number;

  /** A tensor of one dimension has rows of one number. */
  constructor(tensor: TensorInfo, rows: number) {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    this.#width = rows === 0 ? 0 : count / rows;
    this.#dtype = tensor.dtype;
    const pieces = wide.has(tensor.dtype) ? (dtypeNamed(tensor.dtype)?.blockBytes ?? 2) / 2 : 1;
    this.#reader = rowsOf({
      ...tensor,
      shape: [rows, this.#width * pieces],
      dtype: wide.has(tensor.dtype) ? 'U16' : tensor.dtype,
    });
  }

  async at(ids: Uint32Array): Promise<Float32Array | Float64Array> {
    const stored = new Float32Array(ids.length * this.#reader.dim);
    await this.#reader.gather(ids, stored);
    if (!wide.has(this.#dtype)) return stored;
    const view = new DataView(Uint16Array.from(stored).buffer);
    const bytes = this.#dtype.endsWith('64') ? 8 : 4;
    return Float64Array.from({ length: view.byteLength / bytes }, (_, index) =>
      numberAt(view, index * bytes, this.#dtype),
    );
  }
}

function numberAt(view: DataView, at: number, dtype: string): number {
  if (dtype === 'F64') return view.getFloat64(at, true);
  if (dtype === 'I64') return Number(view.getBigInt64(at, true));
  if (dtype === 'U64') return Number(view.getBigUint64(at, true));
  return dtype === 'I32' ? view.getInt32(at, true) : view.getUint32(at, true);
}
