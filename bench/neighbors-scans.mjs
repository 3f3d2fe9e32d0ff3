// Scans without start-up, one thread, in turn with NumPy in a process of its own, which waits meanwhile.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { median, report } from './processes.mjs';

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

/** A process that does a work so many times when asked, once uncounted before, and answers with the times; it waits meanwhile. */
function startTimed(command, args) {
  const child = spawn(command, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  // A process that cannot start or ends early is seen where its answer is missing.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async time(name, times) {
      child.stdin.write(`${name} ${times}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended early`);
      return value.trim().split(' ').map(Number);
    },
    stop: () => child.stdin.end(),
  };
}

/** The same of a work in this process. */
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
 * paths: of a table of float32 and of the same size in bf16; place: [offset, rows, dim] of the first; numpy: [python, script] or undefined
 * → a Markdown table. Ratios are medians of per-round ratios.
 */
export async function timeScans([path, halvesPath], place, numpy, rounds) {
  const theirs = numpy && startTimed(numpy[0], [numpy[1], path, ...place, 'f32', 'memory']);
  const memory = startTimed(process.execPath, [resolve('bench', 'neighbors-memory.mjs'), path, ...place]);
  const [file, halves] = [await fileWorks(path), await fileWorks(halvesPath)];
  const asked = (process, name, times) => () => process.time(name, times);
  const ours = (work, times) => () => timesOf(work, times);
  const numpyOne = theirs && { product: asked(theirs, 'product', 5), ten: asked(theirs, 'ten', 3) };
  const numpyMany = theirs && { gemm: asked(theirs, 'many', 1) };
  const ofMemory = {
    f32: asked(memory, 'f32', 5),
    bf16: asked(memory, 'bf16', 5),
    f16: asked(memory, 'f16', 3),
  };
  const ofFile = { one: ours(file.one, 3), half: ours(halves.one, 3), many: ours(file.many, 1) };
  try {
    const times = {
      ...(await inTurn({ ...ofMemory, ...numpyOne }, 2 * rounds)),
      ...(await inTurn({ ...ofFile, ...numpyMany }, rounds)),
    };
    return report('Scans without start-up, one thread', linesOf(times));
  } finally {
    theirs?.stop();
    memory.stop();
    await Promise.all([file.close(), halves.close()]);
  }
}

function linesOf(times) {
  const against = (name, other) => median(times[name].map((time, round) => time / times[other][round]));
  const line = (name, of, goal = '', other = undefined, unit = '') => ({
    name,
    goal,
    measured: other && times[other] ? `${against(of, other).toFixed(2)} x ${unit}` : '',
    median: median(times[of]),
    least: Math.min(...times[of]),
  });
  const lines = [
    line('ten nearest of one query in memory, f32', 'f32', '<= 1.1 x NumPy', 'ten', 'NumPy'),
    line('the same, against the product alone', 'f32', '', 'product', "NumPy's product"),
    line('the same, bf16', 'bf16', '<= 0.7 x f32', 'f32', 'f32'),
    line('the same, f16', 'f16', '', 'f32', 'f32'),
    line('ten nearest of one query from the file, f32', 'one'),
    line('the same, bf16', 'half', '<= 0.7 x f32', 'one', 'f32'),
    line('ten nearest of 64 queries, from the file', 'many', '<= 2 x NumPy', 'gemm', 'NumPy'),
  ];
  if (times.ten === undefined) return lines;
  return [
    ...lines,
    line('NumPy in memory, product, norms and argpartition', 'ten'),
    line('NumPy in memory, product', 'product'),
    line('NumPy in memory, 64 queries, gemm and argpartition', 'gemm'),
  ];
}
