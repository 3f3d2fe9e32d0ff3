import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { Bzip2Block, blockRoom } from './bzip2-block.ts';

/** Bytes that a block takes at most: 900,001 symbols of 20 bits, and its tables. Before one is decoded so many are there. */
const longestBlock = 5 << 19;

const blockMagic = [0x314159, 0x265359];
const endMagic = [0x177245, 0x385090];

/**
 * What a bz2 file holds, all of its streams one after another, a piece at a time.
 *
 * Source: the bzip2 1.0.8 program, decompress.c; https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf. Bytes behind the
 * last stream are let be, as the program does.
 * Cost: 9 MB of memory, whatever the file says.
 * @throws EmbError "corrupt" where it does not decode, ends early or a checksum differs
 */
export async function* bunzip2(source: ByteSource): AsyncIterable<Uint8Array> {
  const input = new Input(source);
  const block = new Bzip2Block(source.name);
  for (let isFirst = true; ; isFirst = false) {
    const bytes = await input.bytes();
    const level = bytes[3] - 0x30;
    const isStream = bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68 && level >= 1 && level <= 9;
    if (!isStream && isFirst) {
      throw new EmbError('corrupt', `${source.name}: does not begin with BZh, expected a bz2 file`);
    }
    if (!isStream) return;
    input.takeBits(32);
    let streamSum = 0;
    for (;;) {
      block.begin(await input.bytes(), input.bit);
      const magic = [block.read(24), block.read(24)];
      const sum = ((block.read(16) << 16) | block.read(16)) >>> 0;
      if (isSame(magic, endMagic)) {
        if (sum !== streamSum) throw block.corrupt(`has the CRC ${hex(streamSum)}, expected ${hex(sum)}`);
        input.takeBits(block.bitsRead);
        input.alignToByte();
        break;
      }
      if (!isSame(magic, blockMagic))
        throw block.corrupt('has neither a block nor an end where one should begin');
      block.decode(level * blockRoom);
      input.takeBits(block.bitsRead);
      yield* block.pieces(sum);
      streamSum = (((streamSum << 1) | (streamSum >>> 31)) ^ sum) >>> 0;
    }
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, index) => value === b[index]);
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}

/** The compressed bytes from a bit on, as many as a block may need. */
class Input {
  readonly #source: ByteSource;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Place in the file of the first of #bytes. */
  #base = 0;
  /** Place in the file of the next bit, in bits. */
  #position = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Number of the next bit within the first of bytes(). */
  get bit(): number {
    return this.#position % 8;
  }

  /** From the byte with the next bit on. */
  async bytes(): Promise<Uint8Array> {
    const start = Math.floor(this.#position / 8);
    const end = Math.min(start + longestBlock, this.#source.byteLength);
    if (end > this.#base + this.#bytes.length) {
      const reach = Math.min(start + 2 * longestBlock, this.#source.byteLength);
      this.#bytes = await this.#source.read(start, reach);
      this.#base = start;
    }
    return this.#bytes.subarray(start - this.#base);
  }

  takeBits(count: number): void {
    this.#position += count;
  }

  alignToByte(): void {
    this.#position = Math.ceil(this.#position / 8) * 8;
  }
}
