// PyTorch's normal_fill_16_AVX2 in float32 arithmetic: Cephes polynomials, compiled with fused multiply-add.
// f(a * b + c) is that fused operation: the product is exact in double, and rounding twice never shows for any of the 2^24 inputs.
// Source: torch-init SPEC section 4a; ATen/native/cpu/{DistributionTemplates,avx_mathfun}.h. The numbers are float32 values.

const f = Math.fround;

/** Multiplying by a power of two is exact, and faster than dividing. */
const perUniform = 1 / 0x1000000;
const perMantissa = 1 / 0x40000000;

/** float32 sqrt(1/2), times 2^30. */
const rootHalf = 759250112;
const log0 = 0.07037683576345444;
const log1 = -0.11514610052108765;
const log2 = 0.11676998436450958;
const log3 = -0.12420140951871872;
const log4 = 0.14249323308467865;
const log5 = -0.16668057441711426;
const log6 = 0.2000071406364441;
const log7 = -0.24999994039535522;
const log8 = 0.3333333134651184;
const ln2Low = -0.00021219444170128554;
const ln2High = 0.693359375;
const twoPi = 6.2831854820251465;
const fourOverPi = 1.2732394933700562;
const quarterPi1 = -0.78515625;
const quarterPi2 = -0.00024187564849853516;
const quarterPi3 = -3.774895063202166e-8;
const sin0 = -0.00019515295571181923;
const sin1 = 0.008332161232829094;
const sin2 = -0.16666655242443085;
const cos0 = 2.44331567955669e-5;
const cos1 = -0.0013887316454201937;
const cos2 = 0.04166664555668831;

/**
 * Sixteen uniforms at a time to sixteen normals, as PyTorch on a CPU with AVX2 does.
 *
 * Shape: words and out [16 groups]; in a group, value j and j + 8 come from words j and j + 8.
 * Units: words are the low 24 bits of generator outputs, k for the uniform k / 2^24.
 */
export function fillAvx2(words: Int32Array, out: Float32Array, from: number, to: number): void {
  for (let at = from; at < to; at += 16) {
    for (let i = at; i < at + 8; i++) writePair(out, i, radiusOf(words[i]), words[i + 8]);
  }
}

/** sqrt(-2 ln(1 - k / 2^24)) */
function radiusOf(k: number): number {
  const m = 0x1000000 - k;
  const zeros = Math.clz32(m);
  // The mantissa in [0.5, 1), times 2^30; doubled when it is below sqrt(1/2). No branch: it would be mispredicted 4 times in 10.
  const mantissa = m << (zeros - 2);
  const doubled = (mantissa - rootHalf) >>> 31;
  const exponent = 8 - zeros - doubled;
  const x = (mantissa << doubled) * perMantissa - 1;
  const z = f(x * x);
  let y = f(log0 * x + log1);
  y = f(y * x + log2);
  y = f(y * x + log3);
  y = f(y * x + log4);
  y = f(y * x + log5);
  y = f(y * x + log6);
  y = f(y * x + log7);
  y = f(y * x + log8);
  y = f(y * x);
  y = f(y * z + f(exponent * ln2Low));
  y = f(y - 0.5 * z);
  return f(Math.sqrt(-2 * f(exponent * ln2High + f(x + y))));
}

/** out[at] = radius * cos, out[at + 8] = radius * sin of 2 pi k / 2^24; + 0 turns -0 into 0 as adding the mean does. */
function writePair(out: Float32Array, at: number, radius: number, k: number): void {
  const angle = f(twoPi * (k * perUniform));
  const octant = ((f(angle * fourOverPi) | 0) + 1) & ~1;
  let x = f(octant * quarterPi1 + angle);
  x = f(octant * quarterPi2 + x);
  x = f(octant * quarterPi3 + x);
  const z = f(x * x);
  let c = f(cos0 * z + cos1);
  c = f(c * z + cos2);
  c = f(c * z);
  c = f(c * z - 0.5 * z);
  c = f(c + 1);
  let s = f(sin0 * z + sin1);
  s = f(s * z + sin2);
  s = f(s * z);
  s = f(s * x + x);
  // Odd quadrants swap the two; signs and places are computed, since branches on random bits cost more.
  const swap = (octant & 2) << 2;
  out[at + swap] = f(radius * c * (1 - ((octant & 4) >> 1))) + 0;
  out[at + 8 - swap] = f(radius * s * (1 - (((octant + 2) & 4) >> 1))) + 0;
}
