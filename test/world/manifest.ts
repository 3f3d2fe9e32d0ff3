import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of the real files; the tests that read them are skipped, visibly, without it. */
export const world = process.env.EMB_WORLD ?? join('..', 'shared', 'world');

export const hasWorld = existsSync(join(world, 'manifest.json'));

/** Paths of all real files. */
export function worldFiles(): string[] {
  if (!hasWorld) return [];
  const manifest = JSON.parse(readFileSync(join(world, 'manifest.json'), 'utf8')) as { path: string }[];
  return manifest.map(({ path }) => path);
}

/** What a reference implementation says of some files. */
export function oracle<T>(name: string): Record<string, T> {
  if (!hasWorld) return {};
  return (JSON.parse(readFileSync(join(world, 'expected', name), 'utf8')) as { files: Record<string, T> })
    .files;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
