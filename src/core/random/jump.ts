import { loadMersenneKernel } from '../../kernels/mersenne.ts';
import { blockWords, extend, twist } from './mt19937.ts';

/** Degree of the characteristic polynomial of MT19937. */
const degree = 19937;
/**
 * Exponents of its other terms. The highest is 623 below the degree, so 16 whole words can be reduced at once.
 * Source: Berlekamp-Massey over the generator's own output; the polynomial is a fact of the generator.
 */
// biome-ignore format: a data table
export const lowerTerms = [
  19314,19087,18860,18691,18633,18406,18237,18179,18068,17952,17841,17783,17725,17498,17445,17329,17271,17160,17044,16933,
  16875,16822,16817,16595,16590,16537,16421,16368,16363,16252,16141,16136,16025,15967,15909,15682,15629,15576,15513,15455,
  15349,15344,15228,15117,15059,15006,15001,14953,14779,14774,14721,14605,14552,14547,14436,14325,14320,14209,14151,14093,
  13866,13813,13760,13697,13639,13533,13528,13412,13301,13243,13190,13185,13137,12963,12958,12905,12789,12736,12731,12673,
  12620,12509,12504,12393,12335,12277,11997,11944,11881,11838,11717,11712,11611,11485,11384,11374,11321,11215,11157,11147,
  11089,10920,10761,10693,10128,9969,9901,9505,8206,7979,7752,7583,7525,7477,7129,6569,6337,5661,4753,4362,
  4135,3908,3681,3454,3227,3000,2773,2493,1870,1643,1585,1416,1189,0,
];

/** Words of a reduced polynomial: 623 * 32 + 1 bits. */
const polynomialWords = 624;
/** Words of a square, and one that shifted writes may spill into. */
const squareWords = 2 * polynomialWords + 1;
const chunkWords = 16;

/** A jump costs as much as so many twists, in plain code and in the kernel. */
const plainJumpFrom = 3000;
const kernelJumpFrom = 5000;
/** Below this the kernel's 0.5 ms of compiling is not worth it. */
const kernelFrom = 100;

/** Coefficients go into windows four at a time: 16 precombined sequences halve the work, 32 would not pay any more. */
const nibbleBits = 4;
const nibbles = Math.ceil(degree / nibbleBits / 8) * 8;
const sequenceWords = nibbles * nibbleBits + blockWords;

/**
 * Replaces a block of raw words by the one `blocks` later, in place, in the cheapest way: twisting, or a jump from afar.
 */
export function advanceBlocks(state: Int32Array, blocks: number): void {
  const kernel = blocks >= kernelFrom ? loadMersenneKernel(lowerTerms) : undefined;
  if (kernel !== undefined) {
    if (blocks >= kernelJumpFrom) kernel.jump(state, blocks);
    else kernel.twist(state, blocks);
  } else if (blocks >= plainJumpFrom) state.set(jumpBlocks(state, blocks));
  else if (blocks > 0) twist(state, blocks);
}

/**
 * The raw words of the block that is `count` blocks after `block`, without making those between.
 *
 * Shape: block [624] → [624]. Not for the seeded array, whose word 0 is no state: start at block 0.
 * Cost: the same few milliseconds for any count up to 2^53 / 624.
 * Source: Haramoto, Matsumoto, Nishimura, Panneton, L'Ecuyer 2008, "Efficient jump ahead for F2-linear generators":
 * x^(624 count) mod the characteristic polynomial says which windows of the raw sequence to XOR.
 */
export function jumpBlocks(block: Int32Array, count: number): Int32Array {
  return combineWindows(combineNibbles(block), powerOfX(count * blockWords));
}

/** x^exponent modulo the characteristic polynomial, bit i of word w for the term 32 w + i. */
function powerOfX(exponent: number): Int32Array {
  let leading = exponent;
  let squarings = 0;
  while (leading >= degree) {
    leading = Math.floor(leading / 2);
    squarings++;
  }
  const power = new Int32Array(squareWords);
  power[leading >>> 5] = 1 << (leading & 31);
  for (let place = squarings - 1; place >= 0; place--) {
    // Squares have even terms only, so the bit of the exponent is a shift inside each word.
    const bit = Math.floor(exponent / 2 ** place) % 2;
    square(power, bit);
    reduce(power);
  }
  return power;
}

/** Squares in place, top word first, and multiplies by x^shift. */
function square(power: Int32Array, shift: number): void {
  for (let i = polynomialWords - 1; i >= 0; i--) {
    const word = power[i];
    power[2 * i + 1] = spread(word >>> 16) << shift;
    power[2 * i] = spread(word & 0xffff) << shift;
  }
}

/** Puts a zero bit above each of 16 bits. */
function spread(half: number): number {
  let x = (half | (half << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** Replaces every term from x^19937 on by lower ones, in place, highest first. */
function reduce(power: Int32Array): void {
  const chunk = new Int32Array(chunkWords);
  const first = degree >>> 5;
  for (let low = polynomialWords - chunkWords; low >= 0; low -= chunkWords) {
    for (let i = 0; i < chunkWords; i++) {
      const at = first + low + i;
      chunk[i] = (power[at] >>> 1) | (power[at + 1] << 31);
    }
    for (let t = 0; t < lowerTerms.length; t++)
      addShifted(power, low + (lowerTerms[t] >>> 5), chunk, lowerTerms[t] & 31);
  }
  power[first] &= 1;
  power.fill(0, polynomialWords);
}

function addShifted(power: Int32Array, at: number, chunk: Int32Array, shift: number): void {
  let carry = 0;
  for (let i = 0; i < chunkWords; i++) {
    const word = chunk[i];
    power[at + i] ^= (word << shift) | carry;
    // Two steps, because a shift by 32 is a shift by 0.
    carry = (word >>> 1) >>> (31 - shift);
  }
  power[at + chunkWords] ^= carry;
}

/**
 * The raw sequence after a block, in 16 versions: version b is the XOR of those shifted by 0..3 whose bit is set in b.
 *
 * Shape: [16, sequenceWords]; version 0 is zeros.
 */
function combineNibbles(block: Int32Array): Int32Array {
  const versions = new Int32Array(16 * sequenceWords);
  const raw = versions.subarray(sequenceWords, 2 * sequenceWords);
  raw.set(block);
  extend(raw);
  for (let bit = 1; bit < nibbleBits; bit++) versions.set(raw.subarray(bit), sequenceWords << bit);
  for (let b = 3; b < 16; b++) {
    const low = b & -b;
    if (b === low) continue;
    const version = versions.subarray(b * sequenceWords, (b + 1) * sequenceWords);
    addFour(version, versions, low * sequenceWords, (b - low) * sequenceWords, 0, 0);
  }
  return versions;
}

/** XORs the windows of 624 words that start where the power has a coefficient. */
function combineWindows(versions: Int32Array, power: Int32Array): Int32Array {
  const out = new Int32Array(blockWords);
  for (let nibble = 0; nibble < nibbles; nibble += 4) {
    const bits = power[nibble >>> 3] >>> (4 * (nibble & 4));
    const at = nibble * nibbleBits;
    const a = (bits & 15) * sequenceWords + at;
    const b = ((bits >>> 4) & 15) * sequenceWords + at + 4;
    const c = ((bits >>> 8) & 15) * sequenceWords + at + 8;
    const d = ((bits >>> 12) & 15) * sequenceWords + at + 12;
    addFour(out, versions, a, b, c, d);
  }
  return out;
}

/** XORs four runs of words, as long as out, onto it. */
function addFour(out: Int32Array, words: Int32Array, a: number, b: number, c: number, d: number): void {
  for (let i = 0; i < out.length; i++) out[i] ^= words[a + i] ^ words[b + i] ^ words[c + i] ^ words[d + i];
}
