// Times whole processes against each other: A B C, A B C, ... rotated, so that a slow moment hits all of them alike.
import { spawnSync } from 'node:child_process';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Runs every case once a round and compares each with the first.
 * cases: { name, command, args, input?, env?, before? }[], before is not timed → { name, median (ms), least (ms), ratio, against }[]: the median of
 * per-round ratios to the first, and to the case of an index
 */
export function timeProcesses(cases, rounds = 15) {
  const times = cases.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (let step = 0; step < cases.length; step++) {
      const index = (step + Math.max(round, 0)) % cases.length;
      const { name, command, args, input, env, before } = cases[index];
      before?.();
      const started = process.hrtime.bigint();
      const run = spawnSync(command, args, {
        input,
        env: { ...process.env, ...env },
        stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
      });
      const elapsed = Number(process.hrtime.bigint() - started) / 1e6;
      if (run.status !== 0) throw new Error(`${name}: exit ${run.status}\n${run.stderr}`);
      if (round >= 0) times[index].push(elapsed);
    }
  }
  return cases.map(({ name }, index) => {
    const against = (other) => median(times[index].map((time, round) => time / times[other][round]));
    const least = Math.min(...times[index]);
    return { name, median: median(times[index]), least, ratio: against(0), against };
  });
}

/** Peak resident memory in MB by /usr/bin/time -v, or undefined where that program is missing. */
export function peakMemory(command, args) {
  const run = spawnSync('/usr/bin/time', ['-v', command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const match = /Maximum resident set size \(kbytes\): (\d+)/.exec(String(run.stderr));
  return match ? Number(match[1]) / 1024 : undefined;
}

/** A Markdown table of what was measured and what the goal was. */
export function report(title, rows) {
  const lines = [
    `### ${title}`,
    '',
    '| case | goal | measured | median ms | least ms |',
    '|---|---|---|---|---|',
  ];
  const digits = (milliseconds) => milliseconds?.toFixed(milliseconds < 10 ? 2 : 0) ?? '';
  for (const { name, goal, measured, median: middle, least } of rows) {
    lines.push(`| ${name} | ${goal ?? ''} | ${measured} | ${digits(middle)} | ${digits(least)} |`);
  }
  return `${lines.join('\n')}\n`;
}
