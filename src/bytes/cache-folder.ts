import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../types.ts';

/** Where emb keeps what it may lose: EMB_CACHE, XDG_CACHE_HOME/emb or ~/.cache/emb. */
export function cacheFolder(env: Environment): string {
  if (env.EMB_CACHE) return env.EMB_CACHE;
  return join(env.XDG_CACHE_HOME || join(homeFolder(env), '.cache'), 'emb');
}

/** The user's home, as Python's expanduser finds it. */
export function homeFolder(env: Environment): string {
  return env.HOME || homedir();
}
