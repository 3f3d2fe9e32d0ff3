import type { NormalStream } from './normal-stream.ts';
import { drawPcg64, type Pcg64State, seedPcg64 } from './pcg64.ts';

const f = Math.fround;
/** Right edge of the ziggurat's base layer and the area of a layer (Marsaglia and Tsang 2000, 256 layers). */
const edge = 3.6541528853610088;
const area = 0.004928673233974655;
const layers = 256;
const unit23 = 2 ** 23;

const bufferDraws = 8192;
/** Values between two remembered states. */
const checkpointValues = 2 ** 18;

interface Ziggurat {
  /** Width of a layer over 2^23. */
  widths: Float32Array;
  /** Density at a layer's edge. */
  heights: Float32Array;
  /** 23-bit draws below this are inside at once. */
  insides: Int32Array;
  negativeInverseEdge: number;
}

/** Where the stream stands: values drawn, generator state before the buffer, draws of it that are used. */
interface Checkpoint {
  value: number;
  pcg: Pcg64State;
  used: number;
}

/**
 * The values of `numpy.random.default_rng(seed).standard_normal(count, dtype=float32) * float32(std)`.
 *
 * Units: seed >= 0.
 * Cost: values are rejected now and then, so value i needs all before it; states passed on the way are remembered, every 262,144 values.
 * Source: torch-init SPEC section 8; numpy/random/src/distributions/distributions.c (random_standard_normal_f). In the tail
 * log1pf is correctly rounded, as in glibc >= 2.41; older glibc differs by one ulp in one value per million.
 */
export function openNumpyNormals(seed: bigint, std: number): NormalStream {
  return new NumpyNormals(seed, std);
}

class NumpyNormals implements NormalStream {
  readonly #std: number;
  readonly #ziggurat = buildZiggurat();
  readonly #pcg: Pcg64State;
  readonly #before: Pcg64State;
  readonly #buffer = new Int32Array(bufferDraws);
  readonly #checkpoints: Checkpoint[];
  #used = bufferDraws;
  #value = 0;
  #skipped: Float32Array | undefined;

  constructor(seed: bigint, std: number) {
    this.#std = f(std);
    this.#pcg = seedPcg64(seed);
    this.#before = this.#pcg.slice();
    this.#checkpoints = [{ value: 0, pcg: this.#pcg.slice(), used: bufferDraws }];
  }

  approach(start: number): boolean {
    this.#rewind(start);
    if (start - this.#value > checkpointValues) this.#skip(checkpointValues);
    return start - this.#value <= checkpointValues;
  }

  draw(start: number, into: Float32Array): void {
    this.#rewind(start);
    while (this.#value < start) this.#skip(Math.min(checkpointValues, start - this.#value));
    this.#advance(into);
    if (this.#std !== 1) for (let i = 0; i < into.length; i++) into[i] *= this.#std;
  }

  /** To the last remembered state that is not after start, when the stream is beyond or before that. */
  #rewind(start: number): void {
    const known = Math.min(Math.floor(start / checkpointValues), this.#checkpoints.length - 1);
    const checkpoint = this.#checkpoints[known];
    if (this.#value <= start && this.#value >= checkpoint.value) return;
    this.#pcg.set(checkpoint.pcg);
    this.#value = checkpoint.value;
    this.#used = bufferDraws;
    if (checkpoint.used < bufferDraws) {
      this.#refill();
      this.#used = checkpoint.used;
    }
  }

  #skip(count: number): void {
    this.#skipped ??= new Float32Array(checkpointValues);
    this.#advance(this.#skipped.subarray(0, count));
  }

  /** Draws the next values, stopping at multiples of checkpointValues to remember the state. */
  #advance(into: Float32Array): void {
    let at = 0;
    while (at < into.length) {
      const next = this.#checkpoints.length * checkpointValues;
      const length = this.#value < next ? Math.min(into.length - at, next - this.#value) : into.length - at;
      this.#fill(into.subarray(at, at + length));
      at += length;
      this.#value += length;
      if (this.#value === next) {
        const fresh = this.#used === bufferDraws;
        this.#checkpoints.push({
          value: next,
          pcg: (fresh ? this.#pcg : this.#before).slice(),
          used: this.#used,
        });
      }
    }
  }

  #fill(into: Float32Array): void {
    const { widths, insides } = this.#ziggurat;
    const buffer = this.#buffer;
    let i = 0;
    while (i < into.length) {
      if (this.#used === bufferDraws) this.#refill();
      let used = this.#used;
      let draw = 0;
      let layer = 0;
      let x = 0;
      let inside = true;
      // 99 of 100 draws need no more than this loop.
      while (i < into.length && used < bufferDraws) {
        draw = buffer[used++];
        layer = draw & 255;
        x = (draw >>> 9) * widths[layer];
        inside = draw >>> 9 < insides[layer];
        if (!inside) break;
        into[i++] = (draw & 256) !== 0 ? -x : x;
      }
      this.#used = used;
      if (!inside) {
        if (layer === 0) into[i++] = this.#drawTail(draw >>> 9);
        else if (this.#isUnderCurve(layer, f(x))) into[i++] = (draw & 256) !== 0 ? -x : x;
      }
    }
  }

  #isUnderCurve(layer: number, x: number): boolean {
    const { heights } = this.#ziggurat;
    const height = f(f(f(heights[layer - 1] - heights[layer]) * this.#uniform()) + heights[layer]);
    return height < Math.exp(-0.5 * x * x);
  }

  /** A value beyond the edge, with its sign. */
  #drawTail(within: number): number {
    for (;;) {
      const xx = f(this.#ziggurat.negativeInverseEdge * f(Math.log1p(-this.#uniform())));
      const yy = -f(Math.log1p(-this.#uniform()));
      if (f(yy + yy) > f(xx * xx)) {
        const x = f(f(edge) + xx);
        return (within & 256) !== 0 ? -x : x;
      }
    }
  }

  #uniform(): number {
    if (this.#used === bufferDraws) this.#refill();
    return (this.#buffer[this.#used++] >>> 8) / 2 ** 24;
  }

  #refill(): void {
    this.#before.set(this.#pcg);
    drawPcg64(this.#pcg, this.#buffer);
    this.#used = 0;
  }
}

/** The tables of distributions.c, from their definition: layers of equal area under exp(-x^2 / 2). */
export function buildZiggurat(): Ziggurat {
  const widths = new Float32Array(layers);
  const heights = new Float32Array(layers);
  const insides = new Int32Array(layers);
  const base = area / Math.exp(-0.5 * edge * edge);
  let x = edge;
  let outer = base;
  insides[0] = Math.round((edge / base) * unit23);
  widths[0] = base / unit23;
  heights[0] = 1;
  for (let layer = layers - 1; layer > 0; layer--) {
    widths[layer] = x / unit23;
    heights[layer] = Math.exp(-0.5 * x * x);
    outer = x;
    x = layer === 1 ? 0 : Math.sqrt(-2 * Math.log(area / x + Math.exp(-0.5 * x * x)));
    insides[layer] = Math.round((x / outer) * unit23);
  }
  return { widths, heights, insides, negativeInverseEdge: -f(1 / edge) };
}
