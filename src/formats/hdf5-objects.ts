import { EmbError } from '../errors.ts';
import type { Hdf5File } from './hdf5-bytes.ts';

/** A message of an object header: what it says, and where in the file it says it. */
export interface Hdf5Message {
  type: number;
  flags: number;
  view: DataView;
  start: number;
}

/** An object has ten messages or so, and some per attribute. */
const mostMessages = 10_000;

const continuation = 0x10;

/** A part of an object header. */
interface Block {
  start: number;
  length: number;
}

/**
 * The messages of the object at an address.
 *
 * Source: HDF5 File Format Specification 3.0, IV.A: version 1 without signature, version 2 with OHDR and OCHK.
 */
export async function readObject(file: Hdf5File, address: number): Promise<Hdf5Message[]> {
  const head = await file.view(address, 6, 'an object header');
  const version = head.getUint8(0);
  if (version === 1) return readVersion1(file, address);
  if (head.getUint32(0) === 0x4f484452) return readVersion2(file, address);
  return file.fail(`byte ${address} begins no object header`);
}

async function readVersion1(file: Hdf5File, address: number): Promise<Hdf5Message[]> {
  const prefix = await file.view(address, 16, 'an object header');
  const first = { start: address + 16, length: prefix.getUint32(8, true) };
  return readBlocks(file, first, (view, at) => {
    if (at + 8 > view.byteLength) return undefined;
    return {
      type: view.getUint16(at, true),
      size: view.getUint16(at + 2, true),
      flags: view.getUint8(at + 4),
      head: 8,
    };
  });
}

async function readVersion2(file: Hdf5File, address: number): Promise<Hdf5Message[]> {
  const flags = (await file.view(address, 6, 'an object header')).getUint8(5);
  const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 1 << (flags & 3);
  const prefix = await file.view(address, sizeAt + width, 'an object header');
  const first = { start: address + sizeAt + width, length: file.size(prefix, sizeAt, width) };
  const head = flags & 4 ? 6 : 4;
  return readBlocks(
    file,
    first,
    (view, at) => {
      if (at + head > view.byteLength) return undefined;
      return {
        type: view.getUint8(at),
        size: view.getUint16(at + 1, true),
        flags: view.getUint8(at + 3),
        head,
      };
    },
    true,
  );
}

type ReadHead = (
  view: DataView,
  at: number,
) => { type: number; size: number; flags: number; head: number } | undefined;

/** signed: blocks after the first begin with OCHK and end with a checksum. */
async function readBlocks(
  file: Hdf5File,
  first: Block,
  readHead: ReadHead,
  signed = false,
): Promise<Hdf5Message[]> {
  const messages: Hdf5Message[] = [];
  const blocks = [first];
  for (const [index, { start, length }] of blocks.entries()) {
    const skipped = signed && index > 0 ? 4 : 0;
    if (skipped > 0) await file.signed(start, 8, 'OCHK');
    file.countHeader(length);
    const view = await file.view(start, length, 'an object header');
    const end = skipped > 0 ? length - 4 : length;
    for (let at = skipped; at < end; ) {
      const found = readHead(view, at);
      if (found === undefined) break;
      const from = at + found.head;
      if (from + found.size > end)
        file.fail(`a message at byte ${start + at} is longer than its object header`);
      at = from + found.size;
      const body = new DataView(view.buffer, view.byteOffset + from, found.size);
      if (
        messages.push({ type: found.type, flags: found.flags, view: body, start: start + from }) >
        mostMessages
      ) {
        file.fail(`an object has more than ${mostMessages} messages`);
      }
      if (found.type !== continuation) continue;
      const next = { start: file.address(body, 0) ?? 0, length: file.size(body, file.offsetBytes) };
      blocks.push(next);
    }
  }
  return messages;
}

/** Where a link of a group leads. */
export interface Hdf5Link {
  name: string;
  address: number;
}

/** Longest name of a link: layers have names of 50 characters. */
const longestName = 512;

/** Links of one file; a model has thousands. */
const mostLinks = 1 << 17;

/** Levels of a group's tree: each holds 32 times as much as the one below. */
const deepestTree = 16;

/** Reads the links of groups, which are counted over the whole file. */
export class Hdf5Groups {
  readonly #file: Hdf5File;
  #links = 0;

  constructor(file: Hdf5File) {
    this.#file = file;
  }

  /** The links of a group; undefined for an object that is none. @throws EmbError "unsupported" for a group whose links are indexed */
  async linksOf(messages: readonly Hdf5Message[]): Promise<Hdf5Link[] | undefined> {
    const file = this.#file;
    const links: Hdf5Link[] = [];
    let isGroup = false;
    for (const { type, view } of messages) {
      if (type === 0x11) {
        isGroup = true;
        const tree = file.address(view, 0);
        const heap = file.address(view, file.offsetBytes);
        if (tree !== undefined && heap !== undefined)
          await this.#readTree(tree, await this.#names(heap), links, 0);
      } else if (type === 0x02) {
        isGroup = true;
        const indexed = file.address(view, 2 + (file.size(view, 1, 1) & 1 ? 8 : 0));
        if (indexed === undefined) continue;
        throw new EmbError(
          'unsupported',
          `${file.source.name}: a group keeps its links in an index of HDF5 1.8, expected a symbol table`,
          'h5repack --low=0 --high=0 in.h5 out.h5',
        );
      } else if (type === 0x06) {
        isGroup = true;
        this.#readLink(view, links);
      }
    }
    return isGroup ? links : undefined;
  }

  /** The names of a local heap. */
  async #names(heap: number): Promise<{ start: number; length: number }> {
    const file = this.#file;
    const view = await file.signed(heap, 8 + 2 * file.lengthBytes + file.offsetBytes, 'HEAP');
    const start = file.address(view, 8 + 2 * file.lengthBytes) ?? 0;
    return { start, length: file.size(view, 8) };
  }

  async #readTree(
    address: number,
    names: { start: number; length: number },
    links: Hdf5Link[],
    depth: number,
  ): Promise<void> {
    const file = this.#file;
    const head = 8 + 2 * file.offsetBytes;
    const node = await file.signed(address, head, 'TREE');
    const [type, level, count] = [node.getUint8(4), node.getUint8(5), node.getUint16(6, true)];
    if (type !== 0 || depth > deepestTree) file.fail(`the tree at byte ${address} is none of a group`);
    const step = file.lengthBytes + file.offsetBytes;
    const view = await file.view(address + head, count * step + file.lengthBytes, 'a tree of links');
    const children = Array.from({ length: count }, (_, index) =>
      file.address(view, index * step + file.lengthBytes),
    );
    for (const child of children) {
      this.#count();
      if (child === undefined) continue;
      if (level > 0) {
        await this.#readTree(child, names, links, depth + 1);
      } else {
        await this.#readSymbols(child, names, links);
      }
    }
  }

  async #readSymbols(
    address: number,
    names: { start: number; length: number },
    links: Hdf5Link[],
  ): Promise<void> {
    const file = this.#file;
    const count = (await file.signed(address, 8, 'SNOD')).getUint16(6, true);
    const step = 2 * file.offsetBytes + 24;
    const view = await file.view(address + 8, count * step, 'a list of links');
    for (let at = 0; at < view.byteLength; at += step) {
      this.#count();
      const offset = file.size(view, at, file.offsetBytes);
      const target = file.address(view, at + file.offsetBytes);
      if (offset >= names.length) file.fail(`a name begins at ${offset} of ${names.length} bytes`);
      const most = Math.min(longestName, names.length - offset);
      const name = terminated(await file.view(names.start + offset, most, 'a name'));
      // Soft links have no target of their own: what they lead to is listed where it is.
      if (target !== undefined && view.getUint32(at + 2 * file.offsetBytes, true) !== 2)
        links.push({ name, address: target });
    }
  }

  /** A link message, of files that name their links in the object header. */
  #readLink(view: DataView, links: Hdf5Link[]): void {
    this.#count();
    const file = this.#file;
    const flags = file.size(view, 1, 1);
    const kind = flags & 8 ? file.size(view, 2, 1) : 0;
    let at = 2 + (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
    const width = 1 << (flags & 3);
    const length = file.size(view, at, width);
    at += width;
    if (length > longestName || at + length > view.byteLength)
      file.fail(`the name of a link has ${length} bytes`);
    const name = Buffer.from(view.buffer, view.byteOffset + at, length).toString('utf8');
    if (kind !== 0) return;
    if (at + length + file.offsetBytes > view.byteLength) file.fail('a link has no target');
    const address = file.address(view, at + length);
    if (address !== undefined) links.push({ name, address });
  }

  #count(): void {
    if (++this.#links <= mostLinks) return;
    throw new EmbError(
      'unsupported',
      `${this.#file.source.name}: has more than ${mostLinks} links, expected a model`,
    );
  }
}

function terminated(view: DataView): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
