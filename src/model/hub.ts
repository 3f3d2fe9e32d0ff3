import { join } from 'node:path';
import { openFile } from '../bytes/file.ts';
import { leadsOutside } from '../bytes/folder.ts';
import type { Network } from '../bytes/http-network.ts';
import { parseHttpUrl } from '../bytes/http-url.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { ByteSource, Environment, Files } from '../types.ts';
import { cachedRepos, findSnapshot, isComplete, type Snapshot } from './hf-cache.ts';
import { fetchListing, isCommit, type Listing } from './hub-listing.ts';
import type { HubRef } from './hub-ref.ts';
import { explainRefusal } from './hub-refusal.ts';
import { type HubSettings, readHubSettings } from './hub-settings.ts';

/**
 * The files of a model on a hub: from the Hugging Face cache where it has them, the others by HTTP ranges, all of one commit.
 *
 * Cost: no request for a snapshot that has all that a model needs; otherwise one for the list of files, and per file as openHttp.
 * Nothing is written to the Hugging Face cache.
 * @throws EmbError "missing" explaining why the model cannot be had, offline with what would help
 */
export async function openHubFiles(
  ref: HubRef,
  env: Environment,
  note: (message: string) => void,
): Promise<Files> {
  const settings = readHubSettings(env);
  const revision = ref.revision ?? 'main';
  const repos = await namesOf(ref.repo);
  // Old models have one word on the hub too, which leads to their new name.
  const hub = { ...ref, repo: repos[0] };
  let snapshot = findSnapshot(settings.cacheFolders, repos, revision);
  const hasFile = ref.file === undefined || snapshot?.names.includes(ref.file);
  if (snapshot !== undefined && (settings.isOffline || (hasFile && isComplete(snapshot.names)))) {
    if (!isComplete(snapshot.names)) {
      note(`${ref.name}: ${settings.offlineBy} is set, so there is only what the cache has of it`);
    }
    return new HubFiles({ ref: hub, settings, snapshot });
  }
  if (settings.isOffline) throw notCached(ref, settings);
  const { Network } = await import('../bytes/http-network.ts');
  const network = new Network(env, note);
  let listing: Listing;
  try {
    listing = await fetchListing(hub, snapshot?.commit ?? revision, settings, network);
  } catch (error) {
    if (snapshot === undefined || !(error instanceof EmbError) || error.code !== 'missing') throw error;
    note(`${error.message}: there is only what the cache has`);
    return new HubFiles({ ref: hub, settings, snapshot });
  }
  // A tag may name a commit that is here under another name.
  if (snapshot === undefined && listing.commit !== undefined) {
    snapshot = findSnapshot(settings.cacheFolders, repos, listing.commit);
  }
  return new HubFiles({ ref: hub, settings, snapshot, network, listing });
}

/** What HubFiles is made of. Without network and listing nothing but the snapshot is there. */
interface HubParts {
  ref: HubRef;
  settings: HubSettings;
  snapshot?: Snapshot;
  network?: Network;
  listing?: Listing;
}

/** Files of one commit: in a snapshot on disk, the rest on the hub. */
class HubFiles implements Files {
  readonly name: string;
  readonly #parts: HubParts;
  readonly #local: ReadonlySet<string>;
  /** The commit of every file; where the listing did not say it, the first file does. */
  readonly #pin: { commit?: string };

  constructor(parts: HubParts) {
    this.name = parts.ref.name;
    this.#parts = parts;
    this.#local = new Set(parts.snapshot?.names);
    this.#pin = { commit: parts.listing?.commit ?? parts.snapshot?.commit };
  }

  async list(): Promise<readonly string[]> {
    const { listing } = this.#parts;
    if (listing === undefined) return [...this.#local];
    return [...new Set([...this.#local, ...listing.sizes.keys()])].sort();
  }

  async open(name: string): Promise<ByteSource | undefined> {
    const { ref, settings, snapshot, network, listing } = this.#parts;
    if (leadsOutside(name)) {
      throw new EmbError('corrupt', `${this.name}: file ${JSON.stringify(name)} points outside the folder`);
    }
    const shown = `${this.name}/${name}`;
    if (snapshot !== undefined && this.#local.has(name)) return openFile(join(snapshot.folder, name), shown);
    if (network === undefined || listing === undefined || !listing.sizes.has(name)) return undefined;
    const { openHttp } = await import('../bytes/http.ts');
    const { endpoint, authorization } = settings;
    const commit = this.#pin.commit ?? ref.revision ?? 'main';
    const path = name.split('/').map(encodeURIComponent).join('/');
    const { url } = parseHttpUrl(`${endpoint}/${ref.repo}/resolve/${encodeURIComponent(commit)}/${path}`);
    const size = listing.sizes.get(name);
    return openHttp({
      name: shown,
      target: { url, authorization },
      network,
      identity: size === undefined ? undefined : { byteLength: size },
      cacheKey: `hub ${url.href}`,
      isPinned: isCommit(commit),
      pin: this.#pin,
      explain: (refusal) => explainRefusal(refusal, { ...ref, name: shown }, settings),
    });
  }
}

/** The names that a repository goes by: the hub's today, and what the user wrote where old caches have that. */
async function namesOf(repo: string): Promise<string[]> {
  if (repo.includes('/')) return [repo];
  const { findPreset } = await import('./presets/index.ts');
  const today = findPreset(repo)?.aliases.find((alias) => alias.includes('/'));
  return today === undefined ? [repo] : [today, repo];
}

function notCached(ref: HubRef, { offlineBy, cacheFolders }: HubSettings): EmbError {
  const cached = cachedRepos(cacheFolders);
  const where = cacheFolders.join(' and ');
  if (ref.revision !== undefined && cached.includes(ref.repo)) {
    return new EmbError(
      'missing',
      `${ref.name}: revision "${ref.revision}" is not in the cache ${where}, and ${offlineBy} is set`,
    );
  }
  return new EmbError(
    'missing',
    `${ref.name}: is not in the cache ${where}, and ${offlineBy} is set`,
    didYouMean(nearestNames(ref.repo, cached)) ?? `unset ${offlineBy} to ask the hub`,
  );
}
