import { opendirSync } from 'node:fs';
import { join } from 'node:path';
import { EmbError } from '../errors.ts';
import type { ByteSource, Files } from '../types.ts';
import { kindOfPath, openFile } from './file.ts';

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

/** A folder on disk. A link in it may lead elsewhere, as in the Hugging Face cache; a name may not. */
export class FolderFiles implements Files {
  /** Its path. */
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async list(): Promise<readonly string[]> {
    return namesIn(this.name);
  }

  async open(name: string): Promise<ByteSource | undefined> {
    const path = join(this.name, checkInside(name, this.name));
    return kindOfPath(path) === undefined ? undefined : openFile(path);
  }
}

/**
 * A relative name that stays below its folder, in any spelling that some system takes for one that does not.
 *
 * @throws EmbError "corrupt" naming the folder
 */
export function checkInside(name: string, folder: string): string {
  const decoded = name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const escapes = (spelling: string) =>
    spelling.includes('\0') ||
    /^[a-z]:/i.test(spelling) ||
    spelling.split(/[\\/]/).some((part) => part === '' || part === '.' || part === '..');
  if (escapes(name) || escapes(decoded) || name.includes('\\')) {
    throw new EmbError('corrupt', `${folder}: file ${JSON.stringify(name)} points outside the folder`);
  }
  return name;
}
