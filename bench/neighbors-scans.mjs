// Scans without start-up, one thread, in turn with NumPy in a process of its own, which waits meanwhile.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { median, report } from './processes.mjs';

/** Sums of uniform numbers: mean 0, variance 1. */
function normalValues() {
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32 - 0.5;
  };
  return () => (uniform() + uniform() + uniform() + uniform()) * Math.sqrt(3);
}

/**
 * One query and rows in memory, by the kernels: products, squares and which rows are near enough. The rows fit the third level cache.
 * They lie where kernels work without copying, which holds one table at a time: each work puts its rows there before it is timed.
 */
async function kernelWorks() {
  const { claimBytes } = await import('../dist/lib/kernels/arena.js');
  const { loadDotKernel } = await import('../dist/lib/kernels/dots.js');
  const kernel = await loadDotKernel('simd', true);
  const [rows, dim] = [8192, 768];
  const claim = (Type, count) => {
    const bytes = claimBytes(count * Type.BYTES_PER_ELEMENT);
    return new Type(bytes.buffer, bytes.byteOffset, count);
  };
  const slab = claim(Float32Array, rows * dim);
  const block = { rows, dim, queries: claim(Float32Array, dim), dots: claim(Float32Array, 2 * rows) };
  block.squares = claim(Float32Array, rows);
  // The bound is what the 42nd of 50,257 rows of such values has.
  const choice = { metric: 'cosine', bound: 0.11, found: claim(Uint32Array, rows) };
  const normal = normalValues();
  for (let i = 0; i < dim; i++) block.queries[i] = normal() / Math.sqrt(dim);
  const values = Float32Array.from(slab, normal);
  const bf16 = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
  const f16 = bf16.map((bits) => (bits & 0x83ff) | 0x3800);
  const select = (stored, type) => {
    const data = new stored.constructor(slab.buffer, slab.byteOffset, stored.length);
    return {
      prepare: () => data.set(stored),
      work: () => kernel.selectRows({ ...block, ...choice, data, type }),
    };
  };
  return { f32: select(values), bf16: select(bf16, 'BF16'), f16: select(f16, 'F16') };
}

/** Ten nearest of one query and of 64, from a file. */
async function fileWorks(path) {
  const { openModel } = await import('../dist/lib/index.js');
  const { findNeighbors } = await import('../dist/lib/core/neighbors.js');
  const model = await openModel(path);
  const table = await model.table();
  const { data } = await table.gather(Uint32Array.from({ length: 64 }, (_, index) => 1000 + index));
  const options = { k: 10, metric: 'cosine' };
  return {
    one: () => findNeighbors(table, data.subarray(0, table.dim), options),
    many: () => findNeighbors(table, data, options),
    close: () => model.close(),
  };
}

/** Asks NumPy's process for the times of a work, done once uncounted and then `times` times. */
function startNumpy([python, script, path, offset, rows, dim]) {
  const child = spawn(python, [script, path, offset, rows, dim, 'f32', 'memory'].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // A process that cannot start or ends early is seen where its answer is missing.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async time(name, times) {
      child.stdin.write(`${name} ${times}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("NumPy's process ended early");
      return value.trim().split(' ').map(Number);
    },
    stop: () => child.stdin.end(),
  };
}

/** The same of a work of ours. */
async function timesOf(work, times) {
  const taken = [];
  for (let time = -1; time < times; time++) {
    const started = performance.now();
    await work();
    if (time >= 0) taken.push(performance.now() - started);
  }
  return taken;
}

/** The cases one after the other, round by round: a median of every case and round. */
async function inTurn(cases, rounds) {
  const found = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, timed] of Object.entries(cases)) found[name].push(median(await timed()));
  return found;
}

/**
 * paths: of a table of float32 and of the same size in bf16; numpy: [python, script, path, offset, rows, dim] or undefined → a Markdown
 * table. Ratios are medians of per-round ratios.
 */
export async function timeScans([path, halvesPath], numpy, rounds) {
  const theirs = numpy && startNumpy(numpy);
  const kernels = await kernelWorks();
  const [file, halves] = [await fileWorks(path), await fileWorks(halvesPath)];
  const ours = (work, times) => () => timesOf(work, times);
  const ofKernel =
    ({ prepare, work }) =>
    () => {
      prepare();
      return timesOf(work, 9);
    };
  const product = theirs && { numpyOne: () => theirs.time('one', 9) };
  const gemm = theirs && { numpyMany: () => theirs.time('many', 1) };
  const { f32, bf16, f16 } = kernels;
  let times;
  try {
    times = {
      ...(await inTurn(
        { f32: ofKernel(f32), ...product, bf16: ofKernel(bf16), f16: ofKernel(f16) },
        3 * rounds,
      )),
      ...(await inTurn(
        { one: ours(file.one, 3), half: ours(halves.one, 3), many: ours(file.many, 1), ...gemm },
        rounds,
      )),
    };
  } finally {
    theirs?.stop();
    await Promise.all([file.close(), halves.close()]);
  }
  const against = (name, other) => median(times[name].map((time, round) => time / times[other][round]));
  const line = (text, name, goal, other, unit) => ({
    name: text,
    goal,
    measured: other && times[other] ? `${against(name, other).toFixed(2)} x ${unit}` : '',
    median: median(times[name]),
    least: Math.min(...times[name]),
  });
  const lines = [
    line(
      'one query, 8,192 x 768 f32 in memory, products, squares and choice',
      'f32',
      '<= 1.1 x NumPy',
      'numpyOne',
      'NumPy',
    ),
    line('the same, bf16', 'bf16', '<= 0.7 x f32', 'f32', 'f32'),
    line('the same, f16', 'f16', '', 'f32', 'f32'),
    line('ten nearest of one query, f32 from the file', 'one'),
    line('the same, bf16 from the file', 'half', '<= 0.7 x f32', 'one', 'f32'),
    line('ten nearest of 64 queries, from the file', 'many', '<= 2 x NumPy', 'numpyMany', 'NumPy'),
  ];
  if (theirs) lines.push(line('NumPy, products of 8,192 rows', 'numpyOne'));
  if (theirs) lines.push(line('NumPy in memory, gemm and argpartition', 'numpyMany'));
  return report('Scans without start-up, one thread', lines);
}
