import { openHttp } from '../bytes/http.ts';
import { Network } from '../bytes/http-network.ts';
import { parseHttpUrl, shownUrl } from '../bytes/http-url.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { ByteSource, Environment, Files } from '../types.ts';
import { openHubFiles } from './hub.ts';
import { type HubRef, parseHubRef, parseHubUrl } from './hub-ref.ts';
import { readHubSettings } from './hub-settings.ts';

/** Where a remote REF leads: the files of a repository, or one file and, on a hub, the others beside it. */
export type RemotePlace =
  | { kind: 'files'; files: Files }
  | { kind: 'file'; source: ByteSource; path: string; files: Files | undefined };

/** Hosts of the hub itself, whatever HF_ENDPOINT says. */
const hubOrigins = [
  'https://huggingface.co',
  'https://www.huggingface.co',
  'https://hf.co',
  'https://www.hf.co',
];

/** True for a REF that only this file opens: https:, http: or hf: before its name. */
export function isRemoteRef(ref: string): boolean {
  return /^(https?:\/\/|hf:)/i.test(ref);
}

/**
 * Opens `hf:org/name`, `org/name`, `hf:org/name/file`, a URL of the hub, or one file by its URL.
 *
 * Cost: as openHubFiles and openHttp say.
 * @throws EmbError "missing" explaining why it cannot be had; no message holds a token, a password or a URL's query
 */
export async function openRemote(
  ref: string,
  env: Environment,
  note: (message: string) => void,
): Promise<RemotePlace> {
  if (!/^https?:\/\//i.test(ref)) return openRepo(parseHubRef(ref), env, note);
  const target = parseHttpUrl(ref);
  const name = shownUrl(target.url);
  const { endpoint } = readHubSettings(env);
  const own = new URL(endpoint).origin;
  const hub = parseHubUrl(target.url, name, [...hubOrigins, own]);
  if (hub !== undefined) {
    // A page of the hub is meant where it was copied from; only then may a mirror's token go there.
    const { origin } = target.url;
    const at = origin === own ? env : { ...env, HF_ENDPOINT: hubOrigins[0] };
    return openRepo(hub, at, note);
  }
  const network = new Network(env, note);
  const source = await openHttp({ name, target, network, cacheKey: `url ${target.url.href}` });
  return { kind: 'file', source, path: target.url.pathname, files: undefined };
}

async function openRepo(
  ref: HubRef,
  env: Environment,
  note: (message: string) => void,
): Promise<RemotePlace> {
  const { file } = ref;
  // Files are named after the repository, the one file after what the user wrote.
  const name = file === undefined ? ref.name : ref.repo;
  const files = await openHubFiles({ ...ref, name }, env, note);
  if (file === undefined) return { kind: 'files', files };
  const source = await files.open(file);
  if (source !== undefined) return { kind: 'file', source, path: file, files };
  throw new EmbError(
    'missing',
    `${name}: has no file ${JSON.stringify(file)}`,
    didYouMean(nearestNames(file, await files.list())),
  );
}
