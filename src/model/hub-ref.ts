import { leadsOutside } from '../bytes/folder.ts';
import { EmbError } from '../errors.ts';

/** A model repository on a hub, at a revision; perhaps one file of it. */
export interface HubRef {
  /** As the user wrote it, for errors. */
  name: string;
  /** org/name, or one word for old models. */
  repo: string;
  /** Branch, tag, commit or refs/pr/N; undefined: main. */
  revision: string | undefined;
  /** The one file that is meant. */
  file: string | undefined;
}

/** One half of a repository's name, as the hub allows it. */
const namePart = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

const example = 'hf:org/name, hf:org/name@revision, or hf:org/name/file.gguf';

/** True for text that has the form org/name[@revision] and so may be on the hub. */
export function looksLikeRepo(ref: string): boolean {
  const { repo, revision } = split(ref);
  const parts = repo.split('/');
  return parts.length === 2 && parts.every(isNamePart) && (revision === undefined || isRevision(revision));
}

/**
 * Reads `org/name`, `hf:org/name@revision`, `hf:org/name/file@revision`.
 *
 * @throws EmbError "usage" for a name that no repository has, "unsupported" for datasets and spaces
 */
export function parseHubRef(ref: string): HubRef {
  const { repo: path, revision } = split(ref.replace(/^hf:(\/\/)?/i, ''));
  const parts = path.split('/');
  if (parts.length > 2 && /^(datasets|spaces)$/.test(parts[0])) {
    throw new EmbError('unsupported', `${ref}: is one of the hub's ${parts[0]}, expected a model`, example);
  }
  const repo = parts.slice(0, 2);
  const file = parts.slice(2).join('/');
  if (!repo.every(isNamePart) || (parts.length > 2 && leadsOutside(file))) {
    throw new EmbError('usage', `${ref}: is no name of a model on the hub`, example);
  }
  if (revision !== undefined && !isRevision(revision)) {
    throw new EmbError(
      'usage',
      `${ref}: "${revision}" is no revision`,
      'a branch, a tag, a commit or refs/pr/1',
    );
  }
  return { name: ref, repo: repo.join('/'), revision, file: file === '' ? undefined : file };
}

/**
 * Reads a page or a file of the hub from its URL (/org/name, /tree/, /blob/, /resolve/, /raw/); undefined for other URLs.
 *
 * @param origins origins that are hubs, HF_ENDPOINT's among them
 */
export function parseHubUrl(url: URL, name: string, origins: readonly string[]): HubRef | undefined {
  if (!origins.includes(url.origin)) return undefined;
  const parts = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  if (/^(datasets|spaces)$/.test(parts[0] ?? '')) {
    throw new EmbError('unsupported', `${name}: is one of the hub's ${parts[0]}, expected a model`, example);
  }
  const at = parts.findIndex((part, index) => index > 0 && /^(tree|blob|resolve|raw)$/.test(part));
  const repo = parts.slice(0, at < 0 ? 2 : at);
  if (repo.length === 0 || repo.length > 2 || !repo.every(isNamePart) || parts[0] === 'api') return undefined;
  if (at < 0)
    return parts.length > 2
      ? undefined
      : { name, repo: repo.join('/'), revision: undefined, file: undefined };
  // refs/pr/1 and refs/convert/x may be written with their slashes.
  const count = parts[at + 1] === 'refs' ? 3 : 1;
  const revision = parts.slice(at + 1, at + 1 + count).join('/');
  const file = parts.slice(at + 1 + count).join('/');
  if (!isRevision(revision) || (file !== '' && leadsOutside(file))) return undefined;
  if (parts[at] === 'tree' && file !== '') return undefined;
  return { name, repo: repo.join('/'), revision, file: file === '' ? undefined : file };
}

function split(ref: string): { repo: string; revision: string | undefined } {
  const at = ref.indexOf('@');
  return at < 0
    ? { repo: ref, revision: undefined }
    : { repo: ref.slice(0, at), revision: ref.slice(at + 1) };
}

function isNamePart(part: string): boolean {
  return namePart.test(part) && !part.includes('--') && !part.includes('..') && !part.endsWith('.git');
}

/** As git allows names of branches and tags, and short enough for a URL. */
function isRevision(revision: string): boolean {
  return revision.length <= 200 && /^[\w.+/#=,-]+$/.test(revision) && !leadsOutside(revision);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return part;
  }
}
