import { SubFiles } from '../bytes/folder.ts';
import { parseHttpUrl, shownUrl } from '../bytes/http-url.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { ByteSource, Environment, Files } from '../types.ts';
import { openHubFiles } from './hub.ts';
import { type HubRef, parseHubRef, parseHubUrl } from './hub-ref.ts';
import { readHubSettings } from './hub-settings.ts';

/**
 * Where a remote REF leads: the files of a repository, or one file and what lies beside it.
 * name: the REF without what must not be seen, the query and the password of a URL.
 */
export type RemotePlace =
  | { kind: 'files'; name: string; files: Files }
  | { kind: 'file'; name: string; source: ByteSource; path: string; files: Files };

/** Hosts of the hub itself, whatever HF_ENDPOINT says. */
const hubOrigins = [
  'https://huggingface.co',
  'https://www.huggingface.co',
  'https://hf.co',
  'https://www.hf.co',
];

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
  const hub = parseHubUrl(target.url, name, [endpoint, ...hubOrigins]);
  if (hub !== undefined) {
    // A page of the hub is meant where it was copied from; a mirror's token is not for it.
    const isOwn = new URL(endpoint).origin === target.url.origin;
    const at = isOwn ? env : { ...withoutToken(env), HF_ENDPOINT: hubOrigins[0] };
    return openRepo(hub, at, note);
  }
  const [{ openHttp }, { Network }] = await Promise.all([
    import('../bytes/http.ts'),
    import('../bytes/http-network.ts'),
  ]);
  const network = new Network(env, note);
  const open = () => openHttp({ name, target, network, cacheKey: `url ${target.url.href}` });
  const path = target.url.pathname;
  return { kind: 'file', name, source: await open(), path, files: new UrlFiles(name, path, open) };
}

/** The environment for another hub than the one that the token is for. */
function withoutToken(env: Environment): Environment {
  const { HF_TOKEN: _, HUGGING_FACE_HUB_TOKEN: __, ...rest } = env;
  return { ...rest, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' };
}

/** One file by its URL: nothing is known to lie beside it. */
class UrlFiles implements Files {
  readonly name: string;
  readonly #file: string;
  readonly #open: () => Promise<ByteSource>;

  constructor(name: string, path: string, open: () => Promise<ByteSource>) {
    this.name = name.slice(0, name.lastIndexOf('/'));
    this.#file = path.slice(path.lastIndexOf('/') + 1);
    this.#open = open;
  }

  async list(): Promise<readonly string[]> {
    return [this.#file];
  }

  async open(name: string): Promise<ByteSource | undefined> {
    return name === this.#file ? this.#open() : undefined;
  }
}

async function openRepo(
  ref: HubRef,
  env: Environment,
  note: (message: string) => void,
): Promise<RemotePlace> {
  const { name, file } = ref;
  if (file === undefined) return { kind: 'files', name, files: await openHubFiles(ref, env, note) };
  // Files are named after the repository: what the user wrote has the one file in it.
  const files = await openHubFiles({ ...ref, name: ref.repo }, env, note);
  const source = await files.open(file);
  if (source === undefined) {
    throw new EmbError(
      'missing',
      `${ref.repo}: has no file ${JSON.stringify(file)}`,
      didYouMean(nearestNames(file, await files.list())),
    );
  }
  const slash = file.lastIndexOf('/');
  const beside = slash < 0 ? files : new SubFiles(files, file.slice(0, slash));
  return { kind: 'file', name, source, path: file, files: beside };
}
