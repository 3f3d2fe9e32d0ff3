import { advanceBlocks } from './jump.ts';
import { blockWords, seedState, temper, twist } from './mt19937.ts';
import type { NormalStream } from './normal-stream.ts';
import { fillAvx2 } from './torch-avx2.ts';
import { fillScalar } from './torch-scalar.ts';

const f = Math.fround;
const group = 16;

/**
 * The values of `torch.manual_seed(seed); torch.empty(count).normal_(0, std)` on a CPU.
 *
 * Units: seed in -2^63 .. 2^64 - 1, of which the low 32 bits count; std rounds to float32 when count >= 16.
 * Cost: value i needs MT19937 block floor(i / 624), reached by twisting or, from afar, by a jump of constant cost.
 * Source: torch-init SPEC sections 2 to 7; ATen/native/cpu/DistributionTemplates.h (normal_fill).
 */
export function openTorchNormals(
  seed: bigint,
  count: number,
  std: number,
  family: 'torch' | 'torch-scalar',
): NormalStream {
  const low = Number(BigInt.asUintN(32, seed));
  return count < group ? new FewNormals(low, count, std) : new ManyNormals(low, count, std, family);
}

/** Fewer than 16 values: Box-Muller in double, four words a pair. */
class FewNormals implements NormalStream {
  readonly #values: Float32Array;

  constructor(seed: number, count: number, std: number) {
    const state = seedState(seed);
    twist(state);
    this.#values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const angle = 2 * Math.PI * uniform53(state[2 * i], state[2 * i + 1]);
      const radius = Math.sqrt(-2 * Math.log1p(-uniform53(state[2 * i + 2], state[2 * i + 3])));
      this.#values[i] = radius * Math.cos(angle) * std + 0;
      // An odd count drops the last sine: writing past the end does nothing.
      this.#values[i + 1] = radius * Math.sin(angle) * std + 0;
    }
  }

  approach(): boolean {
    return true;
  }

  draw(start: number, into: Float32Array): void {
    into.set(this.#values.subarray(start, start + into.length));
  }
}

/** The low 53 bits of two words, high word first, as a number in 0..1. */
function uniform53(high: number, low: number): number {
  return ((temper(high) & 0x1fffff) * 2 ** 32 + (temper(low) >>> 0)) / 2 ** 53;
}

class ManyNormals implements NormalStream {
  readonly #count: number;
  readonly #std: number;
  readonly #fill: typeof fillAvx2;
  /** Block 0, where jumps and steps back start. */
  readonly #first: Int32Array;
  readonly #state: Int32Array;
  readonly #words = new Int32Array(blockWords);
  readonly #values = new Float32Array(blockWords);
  #block = 0;
  /** The last 16 values, when count is no multiple of 16. */
  #tail: Float32Array | undefined;

  constructor(seed: number, count: number, std: number, family: 'torch' | 'torch-scalar') {
    this.#count = count;
    this.#std = f(std);
    this.#fill = family === 'torch' ? fillAvx2 : fillScalar;
    this.#first = seedState(seed);
    twist(this.#first);
    this.#state = this.#first.slice();
  }

  approach(): boolean {
    return true;
  }

  draw(start: number, into: Float32Array): void {
    const end = start + into.length;
    const bodyEnd = this.#count % group === 0 ? this.#count : this.#count - group;
    let at = start;
    while (at < end && at < bodyEnd) {
      const offset = at % blockWords;
      this.#seek((at - offset) / blockWords);
      const length = Math.min(blockWords - offset, Math.min(end, bodyEnd) - at);
      const from = offset - (offset % group);
      const to = offset + length + (group - 1) - ((offset + length + group - 1) % group);
      this.#take(from, to, from);
      this.#fill(this.#words, this.#values, from, to);
      into.set(this.#values.subarray(offset, offset + length), at - start);
      at += length;
    }
    if (at < end) into.set(this.#tailValues().subarray(at - bodyEnd, end - bodyEnd), at - start);
    if (this.#std !== 1) scale(into, this.#std, this.#fill === fillAvx2);
  }

  /** The last 16 values come from 16 words of their own, after all others. */
  #tailValues(): Float32Array {
    if (this.#tail === undefined) {
      const offset = this.#count % blockWords;
      const block = (this.#count - offset) / blockWords;
      const inBlock = Math.min(group, blockWords - offset);
      this.#seek(block);
      this.#take(offset, offset + inBlock, 0);
      if (inBlock < group) {
        this.#seek(block + 1);
        this.#take(0, group - inBlock, inBlock);
      }
      this.#tail = new Float32Array(group);
      this.#fill(this.#words, this.#tail, 0, group);
    }
    return this.#tail;
  }

  /** Uniforms of words from..to of the current block to `at` on. */
  #take(from: number, to: number, at: number): void {
    for (let i = from; i < to; i++) this.#words[at + i - from] = temper(this.#state[i]) & 0xffffff;
  }

  #seek(block: number): void {
    if (block < this.#block) {
      this.#state.set(this.#first);
      this.#block = 0;
    }
    advanceBlocks(this.#state, block - this.#block);
    this.#block = block;
  }
}

/** fma rounds once, so that a tiny negative product stays -0; multiplying and then adding the mean makes it 0. */
function scale(values: Float32Array, std: number, fused: boolean): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = fused ? values[i] * std + 0 : f(values[i] * std) + 0;
  }
}
