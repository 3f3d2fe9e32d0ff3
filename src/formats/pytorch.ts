import type { ZipArchive, ZipEntry } from '../bytes/zip.ts';
import { StoredSource } from '../bytes/zip-source.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { readPickle } from './pickle.ts';
import { PickleDict, PickleSequence, type PickleValue } from './pickle-values.ts';
import { nameTensors } from './pytorch-names.ts';
import { TorchHost, type TorchStorage } from './pytorch-pickle.ts';
import { describeTensor } from './pytorch-tensors.ts';

/** torch.serialization.MAGIC_NUMBER, the first pickle of a legacy file. */
const magicNumber = 0x1950a86a20f9469cfc6cn;

/** torch.serialization.PROTOCOL_VERSION. */
const protocolVersion = 1001;

/** A model of 100,000 tensors takes 30 MB. */
const longestPickle = 1 << 28;

/** Bytes read at first of a legacy file, whose pickle says nowhere how long it is; then four times as many. */
const firstRead = 1 << 20;

/** In a legacy file a storage begins with its length, a little endian i64. */
const lengthBytes = 8;

const convert = 'load it with torch and save its tensors as safetensors';

/** The pickle of an archive that torch.save wrote: NAME/data.pkl, its storages in NAME/data/. */
export function findTorchPickle(archive: ZipArchive): ZipEntry | undefined {
  return archive.entries.find(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name));
}

/**
 * Reads the tensors of a PyTorch zip archive (torch.save since 1.6, TorchScript), by their names; no weights.
 *
 * Source: torch/serialization.py. The pickle is interpreted by a list of globals, never executed. Storages are found by the
 * directory; bytes are those of the machine that wrote them, as the entry `byteorder` says.
 * Cost: the directory and data.pkl; storages are not touched.
 * @throws EmbError "unsupported" naming a global that is not on the list, or a pickle without tensors,
 * "corrupt" for a tensor outside its storage
 */
export async function openTorchArchive(
  source: ByteSource,
  archive: ZipArchive,
  pickle: ZipEntry,
): Promise<TensorFile> {
  const { name } = source;
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const bytes = await pickle.bytes(longestPickle);
  const host = new TorchHost(name);
  const value = readPickle(bytes, name, host)?.value ?? null;
  const order = await archive.find(`${folder}byteorder`)?.bytes(longestPickle);
  const bigEndian = order !== undefined && Buffer.from(order).toString('latin1') === 'big';
  const opened = new Map<string, ByteSource>();
  for (const [key, storage] of host.storages) {
    const entry = archive.find(`${folder}data/${key}`);
    if (entry === undefined) {
      throw new EmbError('corrupt', `${name}: has no entry ${JSON.stringify(`${folder}data/${key}`)}`);
    }
    checkStorage(name, storage, entry.byteLength);
    opened.set(key, await entry.open(name));
  }
  return describe(source, value, host, bytes.length, opened, bigEndian);
}

/**
 * Reads the tensors of a PyTorch file that is no zip archive: what torch.save wrote before 1.6, five pickles and the storages.
 *
 * Source: torch/serialization.py, _legacy_save. Storages are little endian whatever machine wrote them. A plain pickle is
 * interpreted too, so that what it would run is named.
 * @throws EmbError as openTorchArchive does
 */
export async function openLegacyTorch(source: ByteSource): Promise<TensorFile> {
  const { name, byteLength } = source;
  for (let size = firstRead; ; size *= 4) {
    const end = Math.min(size, byteLength);
    const head = await source.read(0, end);
    const host = new TorchHost(name);
    const parts = readLegacyPickles(head, name, host, end === byteLength);
    if (parts !== undefined) {
      const sources =
        parts.keys === undefined ? new Map() : placeStorages(source, host, parts.keys, parts.end);
      return describe(source, parts.value, host, parts.end, sources, false);
    }
    if (size >= longestPickle) {
      throw new EmbError('unsupported', `${name}: pickle is longer than ${longestPickle} bytes`, convert);
    }
  }
}

/** PyTorch before 0.1.10 wrote tar archives. @throws EmbError "unsupported" always */
export async function refuseTorchTar(source: ByteSource): Promise<never> {
  throw new EmbError(
    'unsupported',
    `${source.name}: is a tar archive as PyTorch wrote it before 0.1.10, expected a later checkpoint`,
    convert,
  );
}

interface LegacyPickles {
  value: PickleValue;
  /** Keys of the storages in the order of their data; undefined for a pickle that is no PyTorch file. */
  keys: PickleValue[] | undefined;
  /** Where the last pickle ends. */
  end: number;
}

/** undefined when more bytes are needed. */
function readLegacyPickles(
  head: Uint8Array,
  name: string,
  host: TorchHost,
  isWhole: boolean,
): LegacyPickles | undefined {
  const read = (start: number) => readPickle(head, name, host, { start, isWhole });
  const magic = read(0);
  if (magic === undefined) return undefined;
  if (magic.value !== magicNumber) return { value: magic.value, keys: undefined, end: magic.end };
  const protocol = read(magic.end);
  if (protocol === undefined) return undefined;
  if (protocol.value !== protocolVersion) {
    throw new EmbError(
      'unsupported',
      `${name}: PyTorch protocol is ${String(protocol.value).slice(0, 20)}, expected ${protocolVersion}`,
    );
  }
  const system = read(protocol.end);
  const object = system && read(system.end);
  const keys = object && read(object.end);
  if (keys === undefined) return undefined;
  if (!(system?.value instanceof PickleDict) || !(keys.value instanceof PickleSequence)) {
    throw new EmbError('corrupt', `${name}: has no list of storages behind its object`);
  }
  return { value: object?.value ?? null, keys: keys.value.items, end: keys.end };
}

/** Storages lie one after the other, each behind its length, which is read with it. */
function placeStorages(
  source: ByteSource,
  host: TorchHost,
  keys: readonly PickleValue[],
  start: number,
): Map<string, ByteSource> {
  const { name, byteLength } = source;
  const placed = new Map<string, ByteSource>();
  let at = start;
  for (const key of keys) {
    const storage = host.storages.get(String(key));
    if (storage === undefined || placed.has(storage.key)) {
      const what = storage === undefined ? 'that no tensor names' : 'twice';
      throw new EmbError(
        'corrupt',
        `${name}: lists storage ${JSON.stringify(String(key).slice(0, 50))} ${what}`,
      );
    }
    const { elements } = storage;
    const begin = at;
    const bytes = elements * storage.dtype.bytes;
    at += lengthBytes + bytes;
    if (!(at <= byteLength)) {
      throw new EmbError(
        'corrupt',
        `${name}: storage ${JSON.stringify(storage.key)} ends at byte ${at}, expected at most ${byteLength}, the size of the file`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    placed.set(
      storage.key,
      new StoredSource(name, source, bytes, async () => {
        const head = await source.read(begin, begin + lengthBytes);
        const found = new DataView(head.buffer, head.byteOffset, head.length).getBigInt64(0, true);
        if (found === BigInt(elements)) return begin + lengthBytes;
        throw new EmbError(
          'corrupt',
          `${name}: storage ${JSON.stringify(storage.key)} has ${found} elements, expected ${elements}`,
        );
      }),
    );
  }
  return placed;
}

function describe(
  source: ByteSource,
  value: PickleValue,
  host: TorchHost,
  pickleBytes: number,
  sources: ReadonlyMap<string, ByteSource>,
  bigEndian: boolean,
): TensorFile {
  const { name } = source;
  const { tensors: named, scalars, notes } = nameTensors(value, name, host, pickleBytes);
  if (named.length === 0) {
    throw new EmbError('unsupported', `${name}: is a pickle without tensors, expected a PyTorch checkpoint`);
  }
  const tensors = named.map(({ name: tensorName, tensor }): TensorInfo => {
    const storage = sources.get(tensor.storage.key);
    if (storage === undefined) {
      throw new EmbError(
        'corrupt',
        `${name}: storage ${JSON.stringify(tensor.storage.key)} is not in the file`,
      );
    }
    checkStorage(name, tensor.storage, storage.byteLength);
    const described = describeTensor(tensorName, tensor, storage);
    if (bigEndian) described.bigEndian = true;
    return described;
  });
  return { format: 'pytorch', name, tensors, metadata: scalars, notes, close: () => source.close() };
}

/** A storage is as long as its pickle says, or longer. */
function checkStorage(name: string, storage: TorchStorage, byteLength: number): void {
  const bytes = storage.elements * storage.dtype.bytes;
  if (bytes <= byteLength) return;
  throw new EmbError(
    'corrupt',
    `${name}: storage ${JSON.stringify(storage.key)} is ${byteLength} bytes, expected ${bytes}`,
  );
}
