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

/** As the hub allows each half of a name. */
const namePart = /^\w(?:[\w.-]{0,94}\w)?$/;

/** What else the hub holds. */
const otherKinds = ['datasets', 'spaces', 'kernels', 'buckets'];

/** Revisions with slashes of their own; in others a slash is written %2F. */
const specialRevision = /^(refs\/(?:pr|convert)\/[^/]+)(?:\/(.*))?$/;

const example = 'hf:org/name, hf:org/name@revision, or hf:org/name/file.gguf';

/**
 * Reads `org/name`, `hf:org/name@revision`, `hf:org/name@revision/file`, with hf:// too.
 *
 * Source: https://huggingface.co/docs/huggingface_hub/package_reference/hf_uris
 * @throws EmbError "usage" for a name that no repository has, "unsupported" for datasets and spaces
 */
export function parseHubRef(ref: string): HubRef {
  return readPath(ref.replace(/^hf:(\/\/)?/i, '').replace(/^models\/(?=[^/]+\/)/, ''), ref);
}

/**
 * Reads a page or a file of a hub from its URL (/org/name, /tree/, /blob/, /resolve/, /raw/); undefined for other URLs.
 *
 * @param endpoints URLs of hubs, with the path that they lie under
 * @throws EmbError "unsupported" for a dataset or a space
 */
export function parseHubUrl(url: URL, name: string, endpoints: readonly string[]): HubRef | undefined {
  const whole = `${url.origin}${url.pathname}`;
  const endpoint = endpoints.find((base) => whole.startsWith(`${base}/`));
  if (endpoint === undefined) return undefined;
  const parts = whole
    .slice(endpoint.length + 1)
    .split('/')
    .filter((part) => part !== '');
  if (otherKinds.includes(parts[0])) throw otherKind(name, parts[0]);
  if (parts[0] === 'models') parts.shift();
  const isAction = (part: string | undefined) => /^(tree|blob|resolve|raw)$/.test(part ?? '');
  // Old models have one word for a name.
  const repo = parts.slice(0, isAction(parts[1]) ? 1 : 2);
  const [action, ...tail] = parts.slice(repo.length);
  if (repo.length === 0 || repo[0] === 'api' || (action !== undefined && !isAction(action))) return undefined;
  if (repo.length === 1 && action === undefined) return undefined;
  // A slash that is written as %2F stays so: it is the revision's.
  const at = tail.map((part) => decoded(part).replaceAll('/', '%2F')).join('/');
  return readPath(at === '' ? repo.join('/') : `${repo.join('/')}@${at}`, name);
}

/** REPO[@REVISION][/FILE]; an @ further on belongs to the file. */
function readPath(text: string, name: string): HubRef {
  const path = text.replace(/\/+$/, '');
  const at = path.indexOf('@');
  const isRevision = at >= 0 && path.slice(0, at).split('/').length <= 2;
  const before = isRevision ? path.slice(0, at) : path;
  const parts = before.split('/');
  if (otherKinds.includes(parts[0]) && parts.length > 1) throw otherKind(name, parts[0]);
  const repo = parts.slice(0, 2);
  let file = parts.slice(2).join('/');
  let revision: string | undefined;
  if (isRevision) {
    const after = path.slice(at + 1);
    const special = specialRevision.exec(after);
    const slash = after.indexOf('/');
    revision = special?.[1] ?? decoded(slash < 0 ? after : after.slice(0, slash));
    file = special === null ? (slash < 0 ? '' : after.slice(slash + 1)) : (special[2] ?? '');
  }
  if (!repo.every(isNamePart) || (file !== '' && leadsOutside(file))) {
    throw new EmbError('usage', `${name}: is no name of a model on the hub`, example);
  }
  if (revision !== undefined && !isRevisionName(revision)) {
    throw new EmbError(
      'usage',
      `${name}: ${JSON.stringify(revision)} is no revision`,
      'a branch, a tag, a commit or refs/pr/1',
    );
  }
  return { name, repo: repo.join('/'), revision, file: file === '' ? undefined : file };
}

function otherKind(name: string, kind: string): EmbError {
  return new EmbError('unsupported', `${name}: is one of the hub's ${kind}, expected a model`, example);
}

function isNamePart(part: string): boolean {
  return namePart.test(part) && !part.includes('--') && !part.includes('..') && !part.endsWith('.git');
}

/** As git allows names of branches and tags, and short enough for a URL. */
function isRevisionName(revision: string): boolean {
  return revision.length <= 200 && /^[\w.+/#=,-]+$/.test(revision) && !leadsOutside(revision);
}

/** Percent signs that are no escapes stay as they are. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return part;
  }
}
