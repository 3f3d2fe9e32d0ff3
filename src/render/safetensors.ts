import type { Block, Renderer, Report } from '../types.ts';
import { ArrayShape } from './array-shape.ts';
import { blockValues } from './machine-rows.ts';
import { dtypeBytes, encodeValues, type VectorDtype } from './narrow.ts';

const dtypeNames: Readonly<Record<VectorDtype, string>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
};

/**
 * A safetensors file: `embeddings` [rows, dim], or [batch, seq, dim] with an `attention_mask` when padded; `ids` when there are any.
 *
 * Block: u64 header length · JSON header, padded with spaces to 8 bytes · tensors, the 8-byte ones first so that all are aligned.
 * Source: github.com/huggingface/safetensors, README "Format".
 */
export const renderer: Renderer = {
  name: 'safetensors',
  endings: ['safetensors'],
  binary: true,
  needsVectors: true,
  captioned: false,
  async render(report, sink) {
    const vectors = report.vectors!;
    const counted = new ArrayShape(vectors);
    const ids = new IdRows(report);
    const spool = sink.spool();
    try {
      for await (const block of report.blocks) {
        counted.add(block);
        ids.add(block);
        const values = blockValues(block, report);
        if (values) spool.write(encodeValues(values, vectors.dtype));
        await sink.flush();
      }
    } catch (error) {
      spool.discard();
      throw error;
    }
    const shape = counted.shape;
    const tensors = ids.tensors(shape.slice(0, -1));
    sink.write(header(tensors, shape, vectors.dtype));
    for (const tensor of tensors) sink.write(new Uint8Array(tensor.data.buffer, 0, tensor.data.byteLength));
    await spool.drain(sink);
  },
};

interface IntegerTensor {
  name: string;
  shape: number[];
  data: BigInt64Array;
}

function header(tensors: readonly IntegerTensor[], shape: readonly number[], dtype: VectorDtype): Uint8Array {
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const { name, shape: size, data } of tensors) {
    entries[name] = { dtype: 'I64', shape: size, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const byteLength = shape.reduce((product, size) => product * size, dtypeBytes[dtype]);
  entries.embeddings = { dtype: dtypeNames[dtype], shape, data_offsets: [at, at + byteLength] };
  const json = JSON.stringify(entries);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8), 'latin1');
  const bytes = Buffer.alloc(8 + text.length);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}

/** Ids and real rows of what went by: eight bytes a row, where its vector takes thousands. */
class IdRows {
  readonly #place: number;
  readonly #padded: boolean;
  #ids = new BigInt64Array(1024);
  #mask = new BigInt64Array(1024);
  #rows = 0;
  #sequenceStart = 0;
  #sequenceReal: number | undefined;
  #found = false;
  #complete = true;

  constructor(report: Report) {
    this.#place = report.columns.findIndex((column) => column.key === 'id');
    this.#padded = report.vectors!.padded;
  }

  add(block: Block): void {
    this.#reserve(this.#rows + block.cells.length);
    this.#sequenceReal = block.realRows ?? this.#sequenceReal;
    for (const cells of block.cells) {
      const id = cells[this.#place] ?? null;
      // A padding row has no id; its zero is told apart by the mask.
      if (typeof id === 'number' || typeof id === 'bigint') {
        this.#ids[this.#rows] = BigInt(id);
        this.#found = true;
      } else if (!this.#padded) this.#complete = false;
      this.#rows++;
    }
    if (!block.ends) return;
    const realEnd = this.#sequenceStart + (this.#sequenceReal ?? this.#rows - this.#sequenceStart);
    this.#mask.fill(1n, this.#sequenceStart, Math.min(realEnd, this.#rows));
    this.#sequenceStart = this.#rows;
    this.#sequenceReal = undefined;
  }

  /** What can be said: the mask of padded sequences, and ids when every row has one. */
  tensors(shape: number[]): IntegerTensor[] {
    const found: IntegerTensor[] = [];
    if (this.#padded) found.push({ name: 'attention_mask', shape, data: this.#mask.slice(0, this.#rows) });
    if (this.#found && this.#complete)
      found.push({ name: 'ids', shape, data: this.#ids.slice(0, this.#rows) });
    return found;
  }

  #reserve(rows: number): void {
    if (rows <= this.#ids.length) return;
    const length = Math.max(rows, this.#ids.length * 2);
    this.#ids = grown(this.#ids, length);
    this.#mask = grown(this.#mask, length);
  }
}

function grown(values: BigInt64Array<ArrayBuffer>, length: number): BigInt64Array<ArrayBuffer> {
  const longer = new BigInt64Array(length);
  longer.set(values);
  return longer;
}
