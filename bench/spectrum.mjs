// emb stats --spectrum of a GPT-2 sized table: the whole process, and the covariance alone, by one thread and by two, against NumPy.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { peakMemory, report, timeProcesses } from './processes.mjs';
import { writeTables } from './tables.mjs';

const emb = resolve('bin', 'emb.js');
const python = process.env.PYTHON ?? 'python3';
const script = resolve('bench', 'spectrum_numpy.py');
const [rows, dim] = [50_257, 768];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** A thread as the command starts it. */
function startThread(origin) {
  const program = `require(${JSON.stringify(resolve('bin', 'load.js'))}).load('worker.cjs')`;
  const data = { job: 'scan', data: { origin, kernel: 'simd' } };
  const worker = new Worker(program, { eval: true, workerData: data });
  return {
    post: (message) => worker.postMessage(message),
    receive: () => new Promise((take) => worker.once('message', ({ message }) => take(message))),
    stop: () => worker.terminate(),
  };
}

/** Without start-up: rounds of one thread, two threads and NumPy. */
async function timeCovariance(path, rounds) {
  const { openModel } = await import('../dist/lib/index.js');
  const { covarianceOf } = await import('../dist/lib/core/covariance.js');
  const model = await openModel(path);
  const table = await model.table();
  const thread = startThread(table.origin);
  const numpyArgs = [script, path, statSync(path).size - rows * dim * 4, rows, dim].map(String);
  const times = { one: [], two: [], numpy: [] };
  const time = async (list, threads) => {
    const started = performance.now();
    await covarianceOf(() => table.scan(), dim, { threads });
    list.push(performance.now() - started);
  };
  for (let round = -1; round < rounds; round++) {
    await time(times.one, []);
    await time(times.two, [thread]);
    const run = spawnSync(python, numpyArgs);
    if (run.status === 0) times.numpy.push(Number(run.stdout));
    if (round < 0) for (const list of Object.values(times)) list.length = 0;
  }
  await thread.stop();
  await model.close();
  const against = (list) =>
    times.numpy.length === 0
      ? ''
      : `${median(list.map((value, round) => value / times.numpy[round])).toFixed(2)} x NumPy`;
  const line = (name, list, goal) => ({
    name,
    goal,
    measured: against(list),
    median: median(list),
    least: Math.min(...list),
  });
  return [
    line('covariance, one thread, without start-up', times.one),
    line('covariance, two threads, as --spectrum has them', times.two, '<= 2.8 x NumPy'),
    ...(times.numpy.length === 0 ? [] : [line("NumPy's x.T @ x in memory, one thread", times.numpy)]),
  ];
}

export async function run(rounds = 7) {
  const work = mkdtempSync(join(tmpdir(), 'emb-bench-'));
  try {
    const path = join(work, 'table.safetensors');
    writeTables(path, ['wte.weight'], [rows, dim]);
    const command = [emb, 'stats', '-m', path, '-q', '-f', 'json', '--spectrum'];
    const node = process.execPath;
    const processes = timeProcesses(
      [
        { name: 'emb stats --spectrum --threads 1', command: node, args: [...command, '--threads', '1'] },
        { name: 'emb stats --spectrum', command: node, args: command },
      ],
      rounds,
    ).map((row) => ({ ...row, measured: `${row.ratio.toFixed(2)} x` }));
    processes[1].goal = '<= 3,000 ms';
    const memory = peakMemory(node, command);
    if (memory !== undefined)
      processes.push({ name: 'peak memory', goal: '<= 120 MB', measured: `${memory.toFixed(0)} MB` });
    const lines = [...processes, ...(await timeCovariance(path, rounds))];
    return report(`--spectrum of ${rows.toLocaleString('en-US')} x ${dim} f32`, lines);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
