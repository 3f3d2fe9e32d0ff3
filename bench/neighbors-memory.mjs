// Ten nearest of one row, from tables in memory: node neighbors-memory.mjs FILE OFFSET ROWS DIM. For every line on stdin, "f32 3", it does
// the work once uncounted and then so many times, and prints the milliseconds of each; "ids" instead of a number prints the answer.
import { closeSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [path, ...numbers] = process.argv.slice(2);
const [offset, rows, dim] = numbers.map(Number);
const count = rows * dim;

/** Where the tables begin: behind what the arena gives away. */
const behind = 32 << 20;

// Kernels work in one memory. Here it is as large as three tables: emb itself never holds one.
const { Memory } = WebAssembly;
const pages = Math.ceil((behind + count * 8) / 65536);
WebAssembly.Memory = class extends Memory {
  constructor() {
    super({ initial: pages, maximum: pages });
  }
};
const { arenaMemory } = await import('../dist/lib/kernels/arena.js');
const { findNeighbors } = await import('../dist/lib/core/neighbors.js');

const { buffer } = arenaMemory();
const floats = new Float32Array(buffer, behind, count);
const bf16 = new Uint16Array(buffer, behind + count * 4, count);
const f16 = new Uint16Array(buffer, behind + count * 6, count);

function readTable() {
  const file = openSync(path, 'r');
  const bytes = new Uint8Array(buffer, behind, count * 4);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(file, bytes, at, Math.min(1 << 24, bytes.length - at), offset + at);
    if (read === 0) throw new Error(`${path} ends early`);
    at += read;
  }
  closeSync(file);
  const bits = new Uint32Array(buffer, behind, count);
  for (let i = 0; i < count; i++) {
    bf16[i] = bits[i] >>> 16;
    // Of the same size as the others, of another value.
    f16[i] = (bf16[i] & 0x83ff) | 0x3800;
  }
}

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

/** By type; the exponent of the halves is 14, so that all are normal. */
const decoders = {
  F32: (value) => value,
  BF16: (half) => {
    bits[0] = half << 16;
    return number[0];
  },
  F16: (half) => {
    bits[0] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    return number[0] * 2 ** 112;
  },
};

/** A table as findNeighbors takes it, whose blocks are where they are. */
function tableOf(data, type) {
  const blockRows = Math.floor((2 << 20) / (dim * data.BYTES_PER_ELEMENT));
  const decode = decoders[type];
  const gather = (ids, into) => {
    let at = 0;
    for (const id of ids) for (let i = id * dim; i < (id + 1) * dim; i++) into[at++] = decode(data[i]);
    return { data: into.subarray(0, at) };
  };
  return {
    rows,
    dim,
    query: gather([1000], new Float32Array(dim)).data,
    gather: async (ids, into) => gather(ids, into),
    async *scanParts({ next }) {
      for (let start = next() * blockRows; start < rows; start = next() * blockRows) {
        const end = Math.min(rows, start + blockRows);
        const part = data.subarray(start * dim, end * dim);
        const block = { start, rows: end - start };
        yield type === 'F32' ? { ...block, data: part } : { ...block, halves: part, type };
      }
    },
  };
}

readTable();
const tables = { f32: tableOf(floats, 'F32'), bf16: tableOf(bf16, 'BF16'), f16: tableOf(f16, 'F16') };
for await (const line of createInterface({ input: process.stdin })) {
  const [name, times] = line.split(' ');
  const table = tables[name];
  const find = () => findNeighbors(table, table.query, { k: 10, metric: 'cosine' });
  const [answer] = await find();
  if (times === 'ids') {
    console.log(answer.map(({ row }) => row).join(' '));
    continue;
  }
  const taken = [];
  for (let time = 0; time < Number(times); time++) {
    const started = performance.now();
    await find();
    taken.push(performance.now() - started);
  }
  console.log(taken.join(' '));
}
