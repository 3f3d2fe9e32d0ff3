// PyTorch's scalar normal fill: radius * cos(theta) with the float functions of glibc >= 2.28, which are double polynomials.
// Source: torch-init SPEC section 4b; glibc logf and sincosf (ARM optimized-routines, MIT), constants as doubles.

const f = Math.fround;

/** Multiplying by a power of two is exact, and faster than dividing. */
const perUniform = 1 / 0x1000000;

/** 1 / c and ln c for the 16 subintervals of logf. */
// biome-ignore format: a data table
const inverses = [
  1.398907162146528, 1.3403141896637998, 1.286432210124115, 1.2367150214269895, 1.1906977166711752, 1.1479821020556429,
  1.1082251448272158, 1.0711297413057381, 1.036437278977283, 1.0, 0.9492859795739057, 0.8951049428609004,
  0.8476821620351103, 0.8050314851692001, 0.7664671008843108, 0.731428603316328,
];
// biome-ignore format: a data table
const logarithms = [
  -0.33569133332882284, -0.2929040563774074, -0.2518726580937369, -0.21245868807117255, -0.17453945183745634,
  -0.1380057072319758, -0.10275976698545139, -0.06871392447020525, -0.0357891387398228, 0.0, 0.05204517742929496,
  0.11081431298787942, 0.1652495223695143, 0.21687389031699977, 0.2659635028121397, 0.3127556664073557,
];
const log0 = -0.25089342214237154;
const log1 = 0.333456765744066;
const log2 = -0.4999997485802103;
/** Top of the first subinterval, as float bits. */
const logOffset = 0x3f330000;

const quadrantsPerUnit = 10680707.430881744;
const halfPi = 1.5707963267948966;
const cos1 = -0.49999999725108224;
const cos2 = 0.041666623324344516;
const cos3 = -0.001388676379437604;
const cos4 = 2.4390450703564542e-5;
const sin1 = -0.16666654943701084;
const sin2 = 0.008332178146138854;
const sin3 = -0.00019517298981385723;
/** glibc compares the top 12 bits: of pi / 4 and of 2^-12. */
const quarterPiTop = 0x3f4;
const tinyTop = 0x398;

const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);

/**
 * Sixteen uniforms at a time to sixteen normals, as PyTorch on a CPU without AVX2 does.
 *
 * Shape: words and out [16 groups]; in a group, value j and j + 8 come from words j and j + 8.
 * Units: words are the low 24 bits of generator outputs, k for the uniform k / 2^24.
 */
export function fillScalar(words: Int32Array, out: Float32Array, from: number, to: number): void {
  for (let at = from; at < to; at += 16) {
    for (let i = at; i < at + 8; i++) {
      const radius = f(Math.sqrt(-2 * logOf(1 - words[i] * perUniform)));
      writePair(out, i, radius, f(2 * Math.PI * (words[i + 8] * perUniform)));
    }
  }
}

/** logf */
function logOf(x: number): number {
  if (x === 1) return 0;
  floats[0] = x;
  const shifted = (bits[0] - logOffset) | 0;
  const i = (shifted >> 19) & 15;
  const k = shifted >> 23;
  bits[0] -= shifted & 0xff800000;
  const r = floats[0] * inverses[i] - 1;
  const y0 = logarithms[i] + k * Math.LN2;
  const r2 = r * r;
  const y = log0 * r2 + (log1 * r + log2);
  return f(y * r2 + (y0 + r));
}

/** sincosf for 0 <= angle <= 2 pi; + 0 turns -0 into 0 as adding the mean does. */
function writePair(out: Float32Array, at: number, radius: number, angle: number): void {
  floats[0] = angle;
  const top = bits[0] >>> 20;
  if (top < tinyTop) {
    out[at] = f(radius) + 0;
    out[at + 8] = f(radius * angle) + 0;
    return;
  }
  let quadrant = 0;
  let x = angle;
  if (top >= quarterPiTop) {
    quadrant = (((angle * quadrantsPerUnit) | 0) + 0x800000) >> 24;
    x = angle - quadrant * halfPi;
  }
  const x2 = x * x;
  const x4 = x2 * x2;
  // Signs and places are computed: branches on random bits cost more.
  x *= 1 - ((quadrant + 1) & 2);
  const x3 = x * x2;
  const s = f(x + x3 * sin1 + x3 * x2 * (sin2 + x2 * sin3));
  // A sign flips exactly, so one factor stands for the negated coefficients.
  const c = f((1 - (quadrant & 2)) * (1 + x2 * cos1 + x4 * cos2 + x4 * x2 * (cos3 + x2 * cos4)));
  const swap = (quadrant & 1) << 3;
  out[at + swap] = f(radius * c) + 0;
  out[at + 8 - swap] = f(radius * s) + 0;
}
