import { EmbError } from '../errors.ts';
import type { Metadata, MetadataArray, PackedStrings } from '../types.ts';
import { controlNames, userDefinedNames } from './gguf-control.ts';
import { StringIndex } from './string-index.ts';

/** Kinds of tokens. Source: enum llama_token_type in include/llama.h of ggml-org/llama.cpp. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** An array of the metadata, if it is one of this kind. @throws EmbError "corrupt" for another value */
export function arrayOf(
  name: string,
  metadata: Metadata,
  key: string,
  elements: 'strings' | 'numbers',
): MetadataArray | undefined {
  const value = metadata.get(key) as Partial<MetadataArray> | undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && typeof value[elements] === 'function') {
    return value as MetadataArray;
  }
  throw new EmbError('corrupt', `${name}: "${key}" is no array of ${elements}`);
}

/** Numbers of every token. @throws EmbError "corrupt" when they are fewer than the tokens */
export async function numbersOf(
  name: string,
  metadata: Metadata,
  key: string,
  count: number,
): Promise<ArrayLike<number> | undefined> {
  const array = arrayOf(name, metadata, key, 'numbers');
  if (array === undefined) return undefined;
  if (array.length < count) {
    throw new EmbError('corrupt', `${name}: "${key}" has ${array.length} numbers, expected ${count}`);
  }
  return array.numbers?.();
}

/** The tokens of a GGUF vocabulary where they lie: by id, by bytes, and what kind each is. */
export class GgufPieces {
  readonly strings: PackedStrings;
  readonly count: number;
  private readonly types: ArrayLike<number> | undefined;
  private readyIndex: StringIndex | undefined;

  constructor(strings: PackedStrings, count: number, types: ArrayLike<number> | undefined) {
    this.strings = strings;
    this.count = count;
    this.types = types;
  }

  static async read(name: string, metadata: Metadata): Promise<GgufPieces> {
    const array = arrayOf(name, metadata, 'tokenizer.ggml.tokens', 'strings');
    const strings = await array?.strings?.();
    if (array === undefined || strings === undefined) {
      throw new EmbError(
        'corrupt',
        `${name}: "tokenizer.ggml.tokens" is missing, expected an array of strings`,
      );
    }
    const types = await numbersOf(name, metadata, 'tokenizer.ggml.token_type', array.length);
    return new GgufPieces(strings, array.length, types);
  }

  private get index(): StringIndex {
    this.readyIndex ??= new StringIndex(this.strings);
    return this.readyIndex;
  }

  /** Id of the token of exactly these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.index.find(bytes, start, end);
  }

  /** The same when their hash is known. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    return this.index.findHashed(hash, bytes, start, end);
  }

  idOf(text: string): number | undefined {
    const bytes = encoder.encode(text);
    const id = bytes.length === 0 ? -1 : this.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  }

  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.count;
  }

  lengthOf(id: number): number {
    return this.strings.ends[id] - this.strings.starts[id];
  }

  /** A view of a token's bytes as they are written. */
  bytesOf(id: number): Uint8Array {
    return this.strings.bytes.subarray(this.strings.starts[id], this.strings.ends[id]);
  }

  /** A token as it is written; llama.cpp names empty ones by their id. */
  textOf(id: number): string {
    const bytes = this.bytesOf(id);
    return bytes.length === 0 ? `[EMPTY_${id}]` : decoder.decode(bytes);
  }

  /** The kind of a token, which some names decide whatever the file says. */
  typeOf(id: number): number {
    const type = this.types?.[id] ?? tokenTypes.normal;
    if (type === tokenTypes.control) return type;
    const first = this.strings.bytes[this.strings.starts[id]];
    // All of those names begin with <, [, _ or ▁.
    if (first !== 0x3c && first !== 0x5b && first !== 0x5f && first !== 0xe2) return type;
    const text = this.textOf(id);
    if (userDefinedNames.has(text)) return tokenTypes.userDefined;
    return controlNames.has(text) && !(text === '</s>' && this.hasPlainEnd) ? tokenTypes.control : type;
  }

  /** Gemma 4 and PLaMo write a plain token </s>. */
  private get hasPlainEnd(): boolean {
    return this.idOf('<|tool_response>') !== undefined || this.idOf('<|plamo:eos|>') !== undefined;
  }

  isSpecial(id: number): boolean {
    const type = this.typeOf(id);
    return type === tokenTypes.control || type === tokenTypes.unknown;
  }

  /** Ids of the tokens that are found in a text before the rest is cut: control, unknown and user-defined ones. */
  parsedIds(): number[] {
    const ids = new Set<number>();
    const { types = [] } = this;
    const { control, unknown, userDefined } = tokenTypes;
    for (let id = 0; id < Math.min(this.count, types.length); id++) {
      const type = types[id];
      if (type === control || type === unknown || type === userDefined) ids.add(id);
    }
    for (const name of [...controlNames, ...userDefinedNames]) {
      const id = this.idOf(name);
      if (id !== undefined && this.typeOf(id) !== tokenTypes.normal) ids.add(id);
    }
    return [...ids];
  }

  *names(): Generator<string> {
    for (let id = 0; id < this.count; id++) yield this.textOf(id);
  }
}

/** Tokens `<0x00>` to `<0xFF>`, -1 for those that are lacking. */
export function byteTokens(pieces: GgufPieces): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const hex = byte.toString(16).toUpperCase().padStart(2, '0');
    return pieces.idOf(`<0x${hex}>`) ?? -1;
  });
}

/** The byte that a token `<0xE4>` stands for; undefined for any other. */
export function byteOfToken(text: string): number | undefined {
  const hex = /^<0x([0-9a-fA-F]{2})>$/.exec(text)?.[1];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}
