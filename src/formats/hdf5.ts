import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { Hdf5File } from './hdf5-bytes.ts';
import { looksLikeHdf5 } from './hdf5-magic.ts';
import { Hdf5Groups, type Hdf5Message, readObject } from './hdf5-objects.ts';

/** Groups nest to 10 or so. */
const deepest = 64;

/** Characters of a path. */
const longestPath = 1024;

/** The library's own limit on dimensions. */
const longestShape = 32;

/** Notes and datasets without numbers that are named. */
const mostNotes = 16;

const inOnePiece = 'h5repack --layout=CONTI --filter=NONE in.h5 out.h5';

/**
 * Lists the datasets of an HDF5 file, as Keras and h5py write them, by their paths; no values.
 *
 * Source: HDF5 File Format Specification 3.0. Superblocks 0 to 3; groups of symbol tables and of link messages; numbers in one
 * piece, or in the object header. Datasets in chunks, which compression needs, are listed and refused when they are read.
 * Cost: 8 KiB at a time where objects are.
 * @throws EmbError "corrupt" naming the fact that does not hold, "unsupported" for a file without numbers
 */
export async function openHdf5(source: ByteSource): Promise<TensorFile> {
  const file = new Hdf5File(source);
  const walk = new Walk(file);
  await walk.visit('', await rootAddress(file), 0);
  const { tensors, notes } = walk;
  if (tensors.length === 0) {
    throw new EmbError('unsupported', `${source.name}: is an HDF5 file without numbers, expected weights`);
  }
  return {
    format: 'hdf5',
    name: source.name,
    tensors,
    metadata: new Map(),
    notes,
    close: () => source.close(),
  };
}

/** Reads the superblock. */
async function rootAddress(file: Hdf5File): Promise<number> {
  const { source } = file;
  const head = await file.view(0, 16, 'the superblock');
  if (!looksLikeHdf5(new Uint8Array(head.buffer, head.byteOffset, 8))) {
    throw new EmbError('corrupt', `${source.name}: does not begin with \\x89HDF, expected an HDF5 file`);
  }
  const version = head.getUint8(8);
  if (version > 3) {
    throw new EmbError(
      'unsupported',
      `${source.name}: superblock has the version ${version}, expected at most 3`,
    );
  }
  const isOld = version < 2;
  [file.offsetBytes, file.lengthBytes] = isOld
    ? [head.getUint8(13), head.getUint8(14)]
    : [head.getUint8(9), head.getUint8(10)];
  for (const width of [file.offsetBytes, file.lengthBytes]) {
    if (![2, 4, 8].includes(width)) file.fail(`addresses have ${width} bytes, expected 2, 4 or 8`);
  }
  const at = isOld ? (version === 0 ? 24 : 28) : 12;
  const view = await file.view(at, 6 * file.offsetBytes, 'the superblock');
  if (file.address(view, 0) !== 0) {
    throw new EmbError(
      'unsupported',
      `${source.name}: addresses do not count from the beginning of the file`,
    );
  }
  const root = file.address(view, (isOld ? 5 : 3) * file.offsetBytes);
  return root ?? file.fail('there is no root group');
}

class Walk {
  readonly tensors: TensorInfo[] = [];
  readonly notes: string[] = [];
  readonly #file: Hdf5File;
  readonly #groups: Hdf5Groups;
  /** Objects that were seen: links may lead back, or twice to one object. */
  readonly #seen = new Set<number>();

  constructor(file: Hdf5File) {
    this.#file = file;
    this.#groups = new Hdf5Groups(file);
  }

  async visit(path: string, address: number, depth: number): Promise<void> {
    if (this.#seen.has(address)) return;
    this.#seen.add(address);
    if (depth > deepest) this.#file.fail(`groups are nested deeper than ${deepest}`);
    const messages = await readObject(this.#file, address);
    const links = await this.#groups.linksOf(messages);
    if (links === undefined) {
      this.#dataset(path, messages);
      return;
    }
    for (const { name, address: target } of links) {
      const joined = path === '' ? name : `${path}/${name}`;
      if (joined.length > longestPath)
        this.#file.fail(`a path has ${joined.length} characters, expected at most ${longestPath}`);
      await this.visit(joined, target, depth + 1);
    }
  }

  #dataset(name: string, messages: readonly Hdf5Message[]): void {
    const { source } = this.#file;
    const [space, type, layout] = [0x01, 0x03, 0x08].map((kind) =>
      messages.find((message) => message.type === kind),
    );
    // A named datatype is no dataset.
    if (space === undefined || type === undefined || layout === undefined) return;
    const number = (type.flags & 2) === 0 ? numberOf(type.view) : undefined;
    const shape = this.#shape(space.view);
    if (number === undefined || shape === undefined) {
      if (this.notes.length < mostNotes)
        this.notes.push(`dataset ${JSON.stringify(name)} holds no numbers and is not listed`);
      return;
    }
    const { dtype, bytes, bigEndian } = number;
    const weights = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
    const byteLength = weights * bytes;
    const label = `${source.name}: dataset ${JSON.stringify(name)}`;
    if (byteLength > Number.MAX_SAFE_INTEGER) {
      throw new EmbError('corrupt', `${label}: shape [${shape.join(', ')}] has more than 2^53 - 1 bytes`);
    }
    const tensor: TensorInfo = { name, shape, dtype, offset: 0, byteLength, source };
    if (bigEndian) tensor.bigEndian = true;
    // A dataset of nothing has no place.
    const place = weights === 0 ? { start: 0, length: 0 } : this.#place(layout, label);
    if (typeof place === 'string') {
      tensor.reader = () => {
        throw new EmbError('unsupported', `${label} ${place}, expected one piece`, inOnePiece);
      };
    } else if (weights > 0) {
      if (byteLength > place.length) {
        throw new EmbError(
          'corrupt',
          `${label} is ${place.length} bytes, expected ${byteLength} for ${dtype} [${shape.join(', ')}]`,
        );
      }
      if (place.start + byteLength > source.byteLength) {
        throw new EmbError(
          'corrupt',
          `${label} ends at byte ${place.start + byteLength}, expected at most ${source.byteLength}, the size of the file`,
          'the file may be truncated: compare its size with the published one',
        );
      }
      tensor.offset = place.start;
    }
    this.tensors.push(tensor);
  }

  /** undefined for a dataspace of nothing. */
  #shape(view: DataView): number[] | undefined {
    const file = this.#file;
    const version = file.size(view, 0, 1);
    const rank = file.size(view, 1, 1);
    if (version < 1 || version > 2 || rank > longestShape)
      file.fail(`a dataspace has the version ${version} and ${rank} dimensions`);
    if (version === 2 && file.size(view, 3, 1) === 2) return undefined;
    const from = version === 1 ? 8 : 4;
    return Array.from({ length: rank }, (_, axis) => file.size(view, from + axis * file.lengthBytes));
  }

  /** Where the bytes are, or why they are not in one piece. */
  #place({ view, start }: Hdf5Message, label: string): { start: number; length: number } | string {
    const file = this.#file;
    const version = file.size(view, 0, 1);
    if (version < 3 || version > 4) return `has a layout of version ${version}`;
    const kind = file.size(view, 1, 1);
    if (kind === 0) {
      const length = file.size(view, 2, 2);
      if (4 + length > view.byteLength) file.fail('a dataset is longer than its object header');
      return { start: start + 4, length };
    }
    if (kind === 1) {
      if (2 + file.offsetBytes + file.lengthBytes > view.byteLength)
        file.fail('a layout is shorter than its fields');
      const address = file.address(view, 2);
      return address === undefined
        ? 'was never written'
        : { start: address, length: file.size(view, 2 + file.offsetBytes) };
    }
    if (kind === 2) return 'is stored in chunks';
    return kind === 3 ? 'is a view of other files' : file.fail(`${label} has the layout ${kind}`);
  }
}

/** Fixed and floating point numbers of the sizes that machines have, and h5py's booleans; undefined for anything else. */
function numberOf(view: DataView): { dtype: string; bytes: number; bigEndian: boolean } | undefined {
  if (view.byteLength < 12) return undefined;
  const kind = view.getUint8(0) & 0xf;
  const bits = view.getUint8(1);
  const bytes = view.getUint32(4, true);
  const bigEndian = (bits & 1) === 1 && bytes > 1;
  const isWhole = view.getUint16(8, true) === 0 && view.getUint16(10, true) === bytes * 8;
  if (kind === 0 && [1, 2, 4, 8].includes(bytes) && isWhole) {
    return { dtype: `${bits & 8 ? 'I' : 'U'}${bytes * 8}`, bytes, bigEndian };
  }
  // An enumeration of FALSE and TRUE over one byte, as h5py writes np.bool.
  if (kind === 8 && bytes === 1 && bits === 2 && isBoolean(view))
    return { dtype: 'BOOL', bytes, bigEndian: false };
  if (kind !== 1 || !isWhole || view.byteLength < 20 || (bits & 0x40) !== 0) return undefined;
  const exponent = view.getUint8(13);
  const form = `${bytes}.${exponent}.${view.getUint8(15)}`;
  const dtype = { '2.5.10': 'F16', '2.8.7': 'BF16', '4.8.23': 'F32', '8.11.52': 'F64' }[form];
  return dtype === undefined ? undefined : { dtype, bytes, bigEndian };
}

function isBoolean(view: DataView): boolean {
  const text = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
  // Padded names, then a byte for each: 0 and 1.
  return /FALSE\0+TRUE\0+\x01\0*$/.test(text);
}
