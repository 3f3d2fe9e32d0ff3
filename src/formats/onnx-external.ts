import { leadsOutside } from '../bytes/folder.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, Files } from '../types.ts';

/**
 * The files beside a model that hold its weights; each is opened when a weight of it is first asked for.
 *
 * Source: onnx docs/docsgen/source/repo-docs/ExternalData.md.
 */
export class ExternalFiles {
  readonly #model: string;
  readonly #files: Files | undefined;
  readonly #sources = new Map<string, ExternalSource>();

  constructor(model: string, files: Files | undefined) {
    this.#model = model;
    this.#files = files;
  }

  /** Names of the files, as the model writes them. */
  get names(): string[] {
    return [...this.#sources.keys()];
  }

  /**
   * Where a tensor's bytes lie.
   *
   * @throws EmbError "corrupt" for a location outside the model's folder, or another length than the shape's
   */
  place(
    entry: Map<string, string>,
    byteLength: number,
    label: string,
    shown: string,
  ): { source: ByteSource; offset: number } {
    const written = entry.get('location') ?? '';
    const location = written.replace(/^(\.\/)+/, '');
    if (location === '')
      throw new EmbError('corrupt', `${label}: external data has no "location", expected a file's name`);
    if (leadsOutside(location)) {
      throw new EmbError(
        'corrupt',
        `${label}: external data ${JSON.stringify(written)} points outside the folder`,
      );
    }
    const offset = numberIn(entry, 'offset', label) ?? 0;
    const length = numberIn(entry, 'length', label) ?? byteLength;
    if (length !== byteLength) {
      throw new EmbError(
        'corrupt',
        `${label}: "length" of its external data is ${length}, expected ${byteLength} for ${shown}`,
      );
    }
    let source = this.#sources.get(location);
    if (source === undefined) {
      source = new ExternalSource(this.#model, location, this.#files);
      this.#sources.set(location, source);
    }
    source.byteLength = Math.max(source.byteLength, offset + length);
    return { source, offset };
  }

  async close(): Promise<void> {
    for (const source of this.#sources.values()) await source.close();
  }
}

/** A whole number, as text. */
function numberIn(entry: Map<string, string>, key: string, label: string): number | undefined {
  const text = entry.get(key);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new EmbError(
      'corrupt',
      `${label}: "${key}" of its external data is ${JSON.stringify(text)}, expected a whole number`,
    );
  }
  return value;
}

class ExternalSource implements ByteSource {
  readonly name: string;
  /** As far as the model says that weights reach. */
  byteLength = 0;
  readonly #model: string;
  readonly #files: Files | undefined;
  #opened: Promise<ByteSource> | undefined;
  #source: ByteSource | undefined;

  constructor(model: string, location: string, files: Files | undefined) {
    this.#model = model;
    this.name = location;
    this.#files = files;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    return (await this.#open(end)).read(start, end, into);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    let end = 0;
    for (let at = 1; at < spans.length; at += 3) end = Math.max(end, spans[at]);
    await (await this.#open(end)).readMany(spans, into);
  }

  async close(): Promise<void> {
    await this.#source?.close();
  }

  /** The file, which must reach to `end`. */
  async #open(end: number): Promise<ByteSource> {
    this.#opened ??= this.#find();
    const source = await this.#opened;
    if (end > source.byteLength) {
      throw new EmbError(
        'corrupt',
        `${source.name}: is ${source.byteLength} bytes, expected at least ${end} for the weights of ${this.#model}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    return source;
  }

  async #find(): Promise<ByteSource> {
    this.#source = await this.#files?.open(this.name);
    if (this.#source !== undefined) return this.#source;
    throw new EmbError(
      'missing',
      `${this.#model}: its weights lie in ${JSON.stringify(this.name)}, which is not there`,
      this.#files === undefined
        ? 'open the file where the others lie beside it'
        : `put ${this.name} beside ${this.#model}`,
    );
  }
}
