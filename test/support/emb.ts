import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

export const executable = resolve('bin', 'emb.js');

export interface Outcome {
  stdout: string;
  stderr: string;
  /** Exit code; -1 when a signal ended it. */
  code: number;
}

const environment = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { EMB_MODEL: _, NO_COLOR: __, COLORTERM: ___, ...rest } = process.env;
  return { ...rest, ...extra };
};

/** Runs the real executable. node: options of Node.js itself */
export function emb(
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv; cwd?: string; node?: string[] } = {},
): Outcome {
  const run = spawnSync(process.execPath, [...(options.node ?? []), executable, ...args], {
    input: options.input ?? '',
    env: environment(options.env),
    cwd: options.cwd,
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  return { stdout: run.stdout.toString('utf8'), stderr: run.stderr.toString('utf8'), code: run.status ?? -1 };
}

/** The bytes that the executable prints. */
export function embBytes(
  args: readonly string[],
  input: string | Uint8Array = '',
  env: NodeJS.ProcessEnv = {},
): Buffer {
  const run = spawnSync(process.execPath, [executable, ...args], {
    input,
    env: environment(env),
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(run.stderr.toString('utf8'));
  return run.stdout;
}

/** Runs a shell line in which `emb` is the executable. */
export function shell(
  line: string,
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Outcome {
  const define = `emb() { "${process.execPath}" "${executable}" "$@"; }\n`;
  const run = spawnSync('bash', ['-c', `${define}${line}`], {
    env: environment(options.env),
    cwd: options.cwd,
    timeout: options.timeout ?? 60_000,
    input: '',
    maxBuffer: 1 << 28,
  });
  return { stdout: run.stdout.toString('utf8'), stderr: run.stderr.toString('utf8'), code: run.status ?? -1 };
}

/** Starts the executable and leaves its pipes open. */
export function start(args: readonly string[], options: { cwd?: string } = {}) {
  return spawn(process.execPath, [executable, ...args], { env: environment(), cwd: options.cwd });
}

/** True when a program is on the PATH; tests that need it are skipped, visibly, where it is not. */
export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
