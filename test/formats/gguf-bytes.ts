import { MemorySource } from '../../src/bytes/memory.ts';
import type { ByteSource, Files } from '../../src/types.ts';

type Field = Buffer;

export function u32(value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Field {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function text(value: string): Field {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

export interface TensorEntry {
  name: string;
  /** As the file has it: innermost first. */
  shape: readonly (number | bigint)[];
  type?: number;
  offset?: number | bigint;
}

export interface Parts {
  version?: number;
  tensorCount?: number | bigint;
  keyCount?: number | bigint;
  /** Key and the bytes of type and value. */
  keys?: readonly (readonly [string, Field])[];
  tensors?: readonly TensorEntry[];
  /** Bytes after the header, which is padded to 32. */
  data?: number;
}

/** A little endian GGUF file, right or wrong. */
export function gguf(parts: Parts): Uint8Array {
  const { keys = [], tensors = [] } = parts;
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(parts.version ?? 3),
    u64(parts.tensorCount ?? tensors.length),
    u64(parts.keyCount ?? keys.length),
    ...keys.flatMap(([key, value]) => [text(key), value]),
    ...tensors.flatMap(({ name, shape, type = 0, offset = 0 }) => [
      text(name),
      u32(shape.length),
      ...shape.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  return Buffer.concat([
    header,
    Buffer.alloc((32 - (header.length % 32)) % 32),
    Buffer.alloc(parts.data ?? 0),
  ]);
}

export const stringValue = (value: string): Field => Buffer.concat([u32(8), text(value)]);
export const u32Value = (value: number): Field => Buffer.concat([u32(4), u32(value)]);
export const stringsValue = (values: readonly string[]): Field =>
  Buffer.concat([u32(9), u32(8), u64(values.length), ...values.map(text)]);
export const i32sValue = (values: readonly number[]): Field =>
  Buffer.concat([u32(9), u32(5), u64(values.length), ...values.map((value) => u32(value >>> 0))]);

/** Files in memory. */
export class MemoryFiles implements Files {
  readonly name = 'folder';
  readonly opened: string[] = [];
  private readonly content: ReadonlyMap<string, Uint8Array>;

  constructor(content: Record<string, Uint8Array>) {
    this.content = new Map(Object.entries(content));
  }

  async list(): Promise<readonly string[]> {
    return [...this.content.keys()].sort();
  }

  async open(name: string): Promise<ByteSource | undefined> {
    const bytes = this.content.get(name);
    if (bytes !== undefined) this.opened.push(name);
    return bytes && new MemorySource(name, bytes);
  }
}
