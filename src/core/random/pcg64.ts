/** The multiplier 0x2360ED051FC65DA44385DF649FCCF645, 16 bits at a time, lowest first. */
const m0 = 0xf645;
const m1 = 0x9fcc;
const m2 = 0xdf64;
const m3 = 0x4385;
const m4 = 0x5da4;
const m5 = 0x1fc6;
const m6 = 0xed05;
const m7 = 0x2360;
const multiplier = 0x2360ed051fc65da44385df649fccf645n;

const two16 = 2 ** 16;
const two32 = 2 ** 32;

/** 128-bit state and increment, 32 bits at a time, lowest first: [state 4, increment 4]. */
export type Pcg64State = Uint32Array;

/**
 * The PCG64 state of numpy.random.default_rng(seed).
 *
 * Units: seed >= 0, of any size.
 * Source: numpy/random/bit_generator.pyx (SeedSequence) and pcg64.c (pcg_setseq_128_srandom).
 */
export function seedPcg64(seed: bigint): Pcg64State {
  const words = generateSeedWords(seed);
  const wide = (high: number) => (wordPair(words, high) << 64n) | wordPair(words, high + 2);
  const increment = BigInt.asUintN(128, (wide(4) << 1n) | 1n);
  const state = BigInt.asUintN(128, (increment + wide(0)) * multiplier + increment);
  const out = new Uint32Array(8);
  for (let i = 0; i < 4; i++) {
    out[i] = Number(BigInt.asUintN(32, state >> BigInt(32 * i)));
    out[4 + i] = Number(BigInt.asUintN(32, increment >> BigInt(32 * i)));
  }
  return out;
}

function wordPair(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at + 1]) << 32n) | BigInt(words[at]);
}

/** SeedSequence(seed).generate_state(4, uint64), as eight 32-bit words, low half first. */
function generateSeedWords(seed: bigint): Uint32Array {
  const entropy = [];
  for (let rest = seed; rest > 0n; rest >>= 32n) entropy.push(Number(BigInt.asUintN(32, rest)));
  const pool = mixEntropy(entropy);
  const words = new Uint32Array(8);
  let constant = 0x8b51f9dd;
  for (let i = 0; i < words.length; i++) {
    let word = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    word = Math.imul(word, constant);
    words[i] = word ^ (word >>> 16);
  }
  return words;
}

function mixEntropy(entropy: number[]): Int32Array {
  const pool = new Int32Array(4);
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    let word = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    word = Math.imul(word, constant);
    return word ^ (word >>> 16);
  };
  const mix = (a: number, b: number) => {
    const word = (Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b)) | 0;
    return word ^ (word >>> 16);
  };
  for (let i = 0; i < 4; i++) pool[i] = hash(entropy[i] ?? 0);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (let from = 4; from < entropy.length; from++) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(entropy[from]));
  }
  return pool;
}

/**
 * Fills `into` with 32-bit draws: of each 64-bit output the low half first, then the high half.
 *
 * Shape: into [even length]. Exact in doubles: a 32-bit word times 16 bits is below 2^48, and no column sums more than 2^52.
 * Source: pcg64.h, PCG XSL-RR 128/64: state = state * multiplier + increment, output of the new state.
 */
export function drawPcg64(pcg: Pcg64State, into: Int32Array): void {
  const [, , , , i0, i1, i2, i3] = pcg;
  let s0 = pcg[0];
  let s1 = pcg[1];
  let s2 = pcg[2];
  let s3 = pcg[3];
  for (let at = 0; at < into.length; at += 2) {
    // Column c of 16 bits: the words s_i times m_j with 2 i + j = c. Odd columns give their low half here, the rest to the next pair.
    const odd0 = s0 * m1;
    const odd0High = Math.floor(odd0 / two16);
    const sum0 = s0 * m0 + (odd0 - odd0High * two16) * two16 + i0;
    const carry0 = Math.floor(sum0 / two32);
    const odd1 = s0 * m3 + s1 * m1;
    const odd1High = Math.floor(odd1 / two16);
    const sum1 = s0 * m2 + s1 * m0 + (odd1 - odd1High * two16) * two16 + odd0High + carry0 + i1;
    const carry1 = Math.floor(sum1 / two32);
    const odd2 = s0 * m5 + s1 * m3 + s2 * m1;
    const odd2High = Math.floor(odd2 / two16);
    const sum2 = s0 * m4 + s1 * m2 + s2 * m0 + (odd2 - odd2High * two16) * two16 + odd1High + carry1 + i2;
    const carry2 = Math.floor(sum2 / two32);
    const odd3 = s0 * m7 + s1 * m5 + s2 * m3 + s3 * m1;
    const odd3Low = odd3 - Math.floor(odd3 / two16) * two16;
    const sum3 = s0 * m6 + s1 * m4 + s2 * m2 + s3 * m0 + odd3Low * two16 + odd2High + carry2 + i3;
    s0 = sum0 - carry0 * two32;
    s1 = sum1 - carry1 * two32;
    s2 = sum2 - carry2 * two32;
    s3 = sum3 - Math.floor(sum3 / two32) * two32;
    const low = s0 ^ s2;
    const high = s1 ^ s3;
    const turn = (s3 >>> 26) & 31;
    // A 64-bit rotation right by the top 6 bits: bit 5 swaps the halves, shifts by 32 are done in two steps.
    const a = s3 >= 2 ** 31 ? high : low;
    const b = s3 >= 2 ** 31 ? low : high;
    into[at] = (a >>> turn) | ((b << 1) << (31 - turn));
    into[at + 1] = (b >>> turn) | ((a << 1) << (31 - turn));
  }
  pcg[0] = s0;
  pcg[1] = s1;
  pcg[2] = s2;
  pcg[3] = s3;
}
