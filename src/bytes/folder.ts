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
    if (leadsOutside(name)) {
      throw new EmbError('corrupt', `${this.name}: file ${JSON.stringify(name)} points outside the folder`);
    }
    const path = join(this.name, name);
    return kindOfPath(path) === undefined ? undefined : openFile(path);
  }
}

/** The files of one folder in a tree of files, under names without it. */
export class SubFiles implements Files {
  readonly name: string;
  readonly #files: Files;
  readonly #prefix: string;

  /** prefix: the folder, without a slash at its end. */
  constructor(files: Files, prefix: string) {
    this.#files = files;
    this.#prefix = `${prefix}/`;
    this.name = `${files.name}/${prefix}`;
  }

  async list(): Promise<readonly string[]> {
    const names = await this.#files.list();
    return names
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => name.slice(this.#prefix.length));
  }

  async open(name: string): Promise<ByteSource | undefined> {
    return this.#files.open(this.#prefix + name);
  }
}

/** A folder among files. folder: a name that stays inside. */
export function filesBelow(files: Files, folder: string): Files {
  return files instanceof FolderFiles
    ? new FolderFiles(join(files.name, folder))
    : new SubFiles(files, folder);
}

/** True for a name that is no path below its folder, in any spelling that some system takes for one. */
export function leadsOutside(name: string): boolean {
  const decoded = name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const escapes = (spelling: string) =>
    spelling.includes('\0') ||
    /^[a-z]:/i.test(spelling) ||
    spelling.split(/[\\/]/).some((part) => part === '' || part === '.' || part === '..');
  return escapes(name) || escapes(decoded) || name.includes('\\');
}
