import { join } from 'node:path';
import { homeFolder } from '../bytes/cache-folder.ts';
import { kindOfPath, readWholeFile } from '../bytes/file.ts';
import { parseHttpUrl } from '../bytes/http-url.ts';
import { EmbError } from '../errors.ts';
import type { Environment } from '../types.ts';

/** Tokens have some 40 characters. */
const longestToken = 4096;

/** Where models are looked for, as the environment says it to huggingface_hub. */
export interface HubSettings {
  /** Without a slash at its end. */
  endpoint: string;
  /** Authorization header for the endpoint's origin; never shown. */
  authorization: string | undefined;
  /** Where the token is from, for hints. */
  tokenFrom: string | undefined;
  isOffline: boolean;
  /** What makes it so, for the error. */
  offlineBy: string;
  /** Folders with models--org--name, in the order they are looked at. */
  cacheFolders: string[];
}

/**
 * Reads HF_ENDPOINT, HF_TOKEN and its files, HF_HUB_OFFLINE, and the cache folders' variables.
 *
 * Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 * @throws EmbError "usage" for an endpoint that is no URL or a token with characters that no header takes; never shows the token
 */
export function readHubSettings(env: Environment): HubSettings {
  const home = expand(env.HF_HOME, env) ?? join(cacheHome(env), 'huggingface');
  const { url, authorization } = parseHttpUrl(env.HF_ENDPOINT || 'https://huggingface.co');
  const token = isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN) ? undefined : readToken(home, env);
  // The first that is set decides.
  const offlineBy = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].find((name) => env[name]) ?? '';
  const folders = [
    expand(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE, env) ?? join(home, 'hub'),
    ...[env.TRANSFORMERS_CACHE, env.PYTORCH_TRANSFORMERS_CACHE].map((value) => expand(value, env)),
  ];
  return {
    endpoint: `${url.origin}${url.pathname}`.replace(/\/+$/, ''),
    authorization: token === undefined ? authorization : `Bearer ${token.value}`,
    tokenFrom: token?.from,
    isOffline: isOn(env[offlineBy]),
    offlineBy,
    cacheFolders: [...new Set(folders.filter((folder) => folder !== undefined))],
  };
}

function cacheHome(env: Environment): string {
  return expand(env.XDG_CACHE_HOME, env) ?? join(homeFolder(env), '.cache');
}

function readToken(home: string, env: Environment): { value: string; from: string } | undefined {
  for (const from of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const value = checkToken(env[from], from);
    if (value !== undefined) return { value, from };
  }
  const path = expand(env.HF_TOKEN_PATH, env) ?? join(home, 'token');
  if (kindOfPath(path) !== 'file') return undefined;
  const text = Buffer.from(readWholeFile(path, longestToken)).toString('utf8');
  const value = checkToken(text, path);
  return value === undefined ? undefined : { value, from: path };
}

/** A token without the white space around it. @throws EmbError "usage" that does not show it */
function checkToken(text: string | undefined, from: string): string | undefined {
  const value = text?.trim();
  if (!value) return undefined;
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new EmbError(
    'usage',
    `${from}: holds a character that no token has`,
    'it begins with hf_ and has letters and digits',
  );
}

/** A path with ~ and $NAME expanded, as Python's expanduser and expandvars do; undefined for none. */
function expand(path: string | undefined, env: Environment): string | undefined {
  if (!path) return undefined;
  const below = path === '~' || path.startsWith('~/') ? join(homeFolder(env), path.slice(1)) : path;
  return below.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
    return env[plain ?? braced ?? ''] ?? whole;
  });
}

/** As huggingface_hub reads a flag. */
function isOn(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? '');
}
