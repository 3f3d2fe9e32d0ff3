import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes a Node process say on stderr how much memory it came to hold; `folder` takes the file that does.
 * It is Linux's VmHWM: maxRSS of getrusage counts what the parent held when it forked, too.
 */
export function peakHook(folder: string): { option: string; megabytes(stderr: string): number } {
  const path = join(folder, 'peak.cjs');
  // Where there is no /proc nothing is said, and the peak is NaN.
  const line = `if (process.platform === 'linux') console.error(/VmHWM:.*/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[0])`;
  writeFileSync(
    path,
    `if (require('node:worker_threads').isMainThread) process.on('exit', () => { ${line}; });\n`,
  );
  return {
    option: `--require=${path}`,
    megabytes: (stderr) => (Number(/VmHWM:\s+(\d+) kB/.exec(stderr)?.[1]) * 1024) / 1e6,
  };
}
