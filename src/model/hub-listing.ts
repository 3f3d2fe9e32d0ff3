import { leadsOutside } from '../bytes/folder.ts';
import type { Network } from '../bytes/http-network.ts';
import { parseHttpUrl } from '../bytes/http-url.ts';
import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import type { HubRef } from './hub-ref.ts';
import { explainRefusal } from './hub-refusal.ts';
import type { HubSettings } from './hub-settings.ts';

/** A repository of 100,000 files has some 20 MB. */
const longestListing = 32 * 1024 * 1024;

/** What a repository holds at a commit. */
export interface Listing {
  /** undefined where a mirror does not say it. */
  commit: string | undefined;
  /** Byte length by name; undefined where the hub does not say it. */
  sizes: Map<string, number | undefined>;
}

/**
 * Asks the hub what a repository holds, with sizes.
 *
 * Cost: one request; none for a commit that was asked for before.
 * Source: https://huggingface.co/docs/hub/api, GET /api/models/{repo_id}/revision/{revision}
 * @throws EmbError "missing" explaining a refusal, "corrupt" for an answer that is no listing
 */
export async function fetchListing(
  ref: HubRef,
  revision: string,
  settings: HubSettings,
  network: Network,
): Promise<Listing> {
  const { endpoint, authorization } = settings;
  const { url } = parseHttpUrl(
    `${endpoint}/api/models/${ref.repo}/revision/${encodeURIComponent(revision)}?blobs=true`,
  );
  const key = `listing ${url.href}`;
  const isFixed = isCommit(revision);
  const cached = isFixed ? network.cache?.read(key)?.segments[0] : undefined;
  if (cached !== undefined) return readListing(cached.bytes, ref.name);
  const { status, headers, body } = await network.fetchWhole(
    { url, authorization },
    ref.name,
    longestListing,
  );
  if (status !== 200) {
    throw (
      explainRefusal({ status, host: url.host, headers }, ref, settings) ??
      new EmbError('missing', `${ref.name}: ${url.host} answers ${status}, expected 200`)
    );
  }
  const listing = readListing(body, ref.name);
  if (isFixed && listing.commit === revision) {
    network.cache?.write(key, { byteLength: body.length, segments: [{ start: 0, bytes: body }] });
  }
  return listing;
}

/** True for the full name of a commit, whose files never change. */
export function isCommit(revision: string | undefined): revision is string {
  return /^[0-9a-f]{40}$/.test(revision ?? '');
}

function readListing(body: Uint8Array, name: string): Listing {
  const value = parseJson(body, `${name}: the hub's list of files`) as Record<string, unknown> | null;
  const siblings = value?.siblings;
  if (!Array.isArray(siblings)) {
    throw new EmbError('corrupt', `${name}: the hub's list of files has no "siblings"`, 'check HF_ENDPOINT');
  }
  const sizes: Listing['sizes'] = new Map();
  for (const entry of siblings as Record<string, unknown>[]) {
    const file = entry?.rfilename;
    // A name that no folder could have is nobody's file.
    if (typeof file !== 'string' || file.length > 1024 || leadsOutside(file)) continue;
    const size = entry.size;
    sizes.set(file, Number.isSafeInteger(size) && (size as number) >= 0 ? (size as number) : undefined);
  }
  return { commit: isCommit(value?.sha as string) ? (value?.sha as string) : undefined, sizes };
}
