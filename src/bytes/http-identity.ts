import type { Answer } from './http-connection.ts';

/** What tells one content of a URL from another. Entity tags with their quotes, as they came. */
export interface Identity {
  byteLength: number;
  etag?: string;
  lastModified?: string;
  /** The hub's tag of the content, whichever host then sends it. */
  linkedEtag?: string;
}

/** What an answer says of its file. first: headers of the first host, where the hub puts its own. */
export function identityOf(answer: Answer, first: Answer['headers'], byteLength: number): Identity {
  return {
    byteLength,
    etag: answer.headers.etag,
    lastModified: answer.headers['last-modified'],
    linkedEtag: first['x-linked-etag'],
  };
}

/** True when nothing says that the two are of different contents. The most telling validator that both have decides. */
export function isSame(one: Identity, other: Identity): boolean {
  if (one.byteLength !== other.byteLength) return false;
  for (const key of ['linkedEtag', 'etag', 'lastModified'] as const) {
    const [left, right] = [one[key], other[key]];
    if (left !== undefined && right !== undefined) return opaque(left) === opaque(right);
  }
  return true;
}

/** An entity tag without the mark of a weak one: a cache on the way may weaken it. */
function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}

/** The value of If-Range: a strong entity tag; ranges under a weak one may not be put together. */
export function strongTag(identity: Identity | undefined): string | undefined {
  const tag = identity?.etag;
  return tag?.startsWith('"') ? tag : undefined;
}

/** A Content-Range: "bytes 0-99/1000", or of a refusal the total alone; undefined for anything else. end is exclusive. */
export function readContentRange(
  header: string | undefined,
): { start: number; end: number; total: number } | { total: number } | undefined {
  const match = /^\s*bytes\s+(?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})\s*$/i.exec(header ?? '');
  if (match === null) return undefined;
  const total = Number(match[3]);
  if (match[1] === undefined) return { total };
  const [start, end] = [Number(match[1]), Number(match[2]) + 1];
  return start < end && end <= total ? { start, end, total } : undefined;
}
