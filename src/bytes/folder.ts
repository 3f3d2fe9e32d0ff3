import { opendirSync } from 'node:fs';

/** More names than any model folder has; enough to look for a near one. */
const mostNames = 10_000;

/** Names in a folder, sorted; none when it cannot be read. Cost: stops after 10,000. */
export function namesIn(path: string): string[] {
  const names: string[] = [];
  try {
    const folder = opendirSync(path);
    try {
      for (
        let entry = folder.readSync();
        entry !== null && names.length < mostNames;
        entry = folder.readSync()
      ) {
        names.push(entry.name);
      }
    } finally {
      folder.closeSync();
    }
  } catch (error) {
    // No such folder, or not ours to read: there is nothing to list.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return names.sort();
}
