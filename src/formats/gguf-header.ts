import { EmbError } from '../errors.ts';
import type { ByteSource, TensorInfo } from '../types.ts';
import { Cursor, HeaderBytes, type Layout } from './gguf-cursor.ts';
import { looksLikeGguf } from './gguf-magic.ts';
import { placeTensors, readTensors } from './gguf-tensors.ts';
import { checkFits, readString, readValue } from './gguf-values.ts';

/** GGUF_DEFAULT_ALIGNMENT */
const defaultAlignment = 32;

/** The format's own limit. */
const longestKey = 65_535;

/** Bytes of the shortest key and value: a length, a type, one byte. */
const shortestPair = 9;

/** What stands in one file of a model. */
export interface GgufPart {
  source: ByteSource;
  metadata: Map<string, unknown>;
  tensors: TensorInfo[];
  /** What is odd but readable. */
  notes: string[];
}

/**
 * Reads the header of one file: metadata without decoding its arrays, and the tensors.
 *
 * Source: ggml/src/gguf.cpp of ggml-org/llama.cpp; version 1 as it was before August 2023. A file is big endian when its
 * version is one that way round.
 */
export async function readHeader(source: ByteSource): Promise<GgufPart> {
  const { name, byteLength } = source;
  const header = new HeaderBytes(source);
  const first = byteLength < 8 ? await source.read(0, byteLength) : await header.block(0, 8);
  if (!looksLikeGguf(first)) {
    throw new EmbError('corrupt', `${name}: does not begin with GGUF, expected a GGUF file`);
  }
  if (first.length < 8) {
    throw new EmbError('corrupt', `${name}: is ${byteLength} bytes, expected at least 24`);
  }
  const cursor = new Cursor(header, layoutOf(name, first), 8);
  await cursor.want(2 * cursor.layout.countBytes, 'the header');
  const tensorCount = cursor.count();
  const pairCount = cursor.count();
  checkFits(cursor, '"metadata_kv_count"', pairCount, shortestPair, 'keys');
  const metadata = await readMetadata(cursor, pairCount);
  const tensors = await readTensors(cursor, tensorCount);
  const notes = placeTensors(tensors, cursor.at, alignmentOf(name, metadata));
  return { source, metadata, tensors, notes };
}

function layoutOf(name: string, first: Uint8Array): Layout {
  const view = new DataView(first.buffer, first.byteOffset, 8);
  const version = view.getUint32(4, true);
  const littleEndian = (version & 0xffff) !== 0;
  const read = littleEndian ? version : view.getUint32(4, false);
  if (read < 1 || read > 3) {
    throw new EmbError(
      read === 0 ? 'corrupt' : 'unsupported',
      `${name}: GGUF version is ${read}, expected 1, 2 or 3`,
    );
  }
  return { version: read, littleEndian, countBytes: read === 1 ? 4 : 8 };
}

async function readMetadata(cursor: Cursor, count: number): Promise<Map<string, unknown>> {
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < count; i++) {
    const key = await readString(cursor, `key ${i}`, longestKey);
    const label = JSON.stringify(key);
    if (metadata.has(key)) throw new EmbError('corrupt', `${cursor.name}: key ${label} stands twice`);
    if (!cursor.has(4)) await cursor.want(4, `the type of ${label}`);
    metadata.set(key, await readValue(cursor, label, cursor.u32()));
  }
  return metadata;
}

function alignmentOf(name: string, metadata: ReadonlyMap<string, unknown>): number {
  const alignment = metadata.get('general.alignment') ?? defaultAlignment;
  if (typeof alignment === 'number' && alignment > 0 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw new EmbError(
    'corrupt',
    `${name}: "general.alignment" is ${shown(alignment)}, expected a power of two`,
  );
}

/** A value in an error. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return typeof value === 'object' ? 'an array' : String(value);
}
