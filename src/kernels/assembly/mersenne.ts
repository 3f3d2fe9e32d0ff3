// The SIMD twin of ../../core/random/{mt19937,jump}.ts: the same words, by the same steps, in a memory of its own.
// A short run gains most: this is compiled at once, where plain loops first run slowly.

const blockWords: usize = 624;
const blockBytes: usize = blockWords * 4;
const middleBytes: usize = 397 * 4;
const degree: u64 = 19937;

// The memory: state, result, exponents of the polynomial (u16), power of x, a chunk with zeros around it, 16 sequences.
export const stateAt: usize = 4096;
const resultAt: usize = 8192;
export const termsAt: usize = 12288;
const powerAt: usize = 16384;
const powerBytes: usize = 1264 * 4;
const chunkAt: usize = 32768 + 16;
const sequencesAt: usize = 65536;
const sequenceBytes: usize = 20640 * 4;

// @ts-ignore: decorators are AssemblyScript's
@inline
function mixed(upper: v128, lower: v128): v128 {
  const joined = v128.or(v128.and(upper, i32x4.splat(0x80000000)), v128.and(lower, i32x4.splat(0x7fffffff)));
  const odd = i32x4.neg(v128.and(lower, i32x4.splat(1)));
  return v128.xor(i32x4.shr_u(joined, 1), v128.and(odd, i32x4.splat(0x9908b0df)));
}

// @ts-ignore
@inline
function mixedWord(upper: u32, lower: u32): u32 {
  return (((upper & 0x80000000) | (lower & 0x7fffffff)) >> 1) ^ ((0 - (lower & 1)) & 0x9908b0df);
}

/** Replaces the state by the one `blocks` twists later. */
export function twist(blocks: i32): void {
  const wrap = blockBytes - middleBytes;
  for (let block = 0; block < blocks; block++) {
    let p = stateAt;
    while (p < stateAt + 224 * 4) {
      v128.store(p, v128.xor(v128.load(p + middleBytes), mixed(v128.load(p), v128.load(p, 4))));
      p += 16;
    }
    while (p < stateAt + wrap) {
      store<u32>(p, load<u32>(p + middleBytes) ^ mixedWord(load<u32>(p), load<u32>(p, 4)));
      p += 4;
    }
    const last = stateAt + blockBytes - 4;
    while (p < last) {
      v128.store(p, v128.xor(v128.load(p - wrap), mixed(v128.load(p), v128.load(p, 4))));
      p += 16;
    }
    store<u32>(p, load<u32>(p - wrap) ^ mixedWord(load<u32>(p), load<u32>(stateAt)));
  }
}

/** Replaces the state by the one that x^exponent stands for; exponent = 624 blocks, `terms` exponents at termsAt. */
export function jump(exponent: f64, terms: i32): void {
  raise(<u64>exponent, <usize>terms);
  combineNibbles();
  combineWindows();
  memory.copy(stateAt, resultAt, blockBytes);
}

function raise(exponent: u64, terms: usize): void {
  let places: i32 = 0;
  while (exponent >> places >= degree) places++;
  const leading = <u32>(exponent >> places);
  memory.fill(powerAt, 0, powerBytes);
  store<u32>(powerAt + (<usize>(leading >> 5) << 2), 1 << (leading & 31));
  for (let place = places - 1; place >= 0; place--) {
    square(<u32>(exponent >> place) & 1);
    reduce(terms);
  }
}

// @ts-ignore
@inline
function spread(half: u32): u32 {
  let x = (half | (half << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

function square(shift: u32): void {
  for (let at: isize = <isize>blockBytes - 4; at >= 0; at -= 4) {
    const word = load<u32>(powerAt + at);
    store<u32>(powerAt + 2 * at, spread(word & 0xffff) << shift);
    store<u32>(powerAt + 2 * at, spread(word >> 16) << shift, 4);
  }
}

function reduce(terms: usize): void {
  const first: usize = (<usize>degree >> 5) << 2;
  for (let low: isize = <isize>blockBytes - 64; low >= 0; low -= 64) {
    const base = powerAt + low;
    for (let i: usize = 0; i < 64; i += 16) {
      const from = base + first + i;
      v128.store(chunkAt + i, v128.or(i32x4.shr_u(v128.load(from), 1), i32x4.shl(v128.load(from, 4), 31)));
    }
    for (let t: usize = 0; t < terms; t++) {
      const exponent = <u32>load<u16>(termsAt + 2 * t);
      addShifted(base + (<usize>(exponent >> 5) << 2), exponent & 31);
    }
  }
  store<u32>(powerAt + first, load<u32>(powerAt + first) & 1);
  memory.fill(powerAt + blockBytes, 0, powerBytes - blockBytes);
}

// @ts-ignore
@inline
function addShifted(to: usize, shift: i32): void {
  for (let i: usize = 0; i < 80; i += 16) {
    const word = i32x4.shl(v128.load(chunkAt + i), shift);
    // Two steps, because a shift by 32 is a shift by 0.
    const carry = i32x4.shr_u(i32x4.shr_u(v128.load(chunkAt + i - 4), 1), 31 - shift);
    v128.store(to + i, v128.xor(v128.load(to + i), v128.or(word, carry)));
  }
}

function combineNibbles(): void {
  const raw = sequencesAt + sequenceBytes;
  memory.copy(raw, stateAt, blockBytes);
  for (let p = raw + blockBytes; p < raw + sequenceBytes; p += 16) {
    const from = p - blockBytes;
    v128.store(p, v128.xor(v128.load(from + middleBytes), mixed(v128.load(from), v128.load(from, 4))));
  }
  for (let bit: usize = 1; bit < 4; bit++) {
    memory.copy(sequencesAt + (sequenceBytes << bit), raw + 4 * bit, sequenceBytes - 4 * bit);
  }
  for (let b: usize = 3; b < 16; b++) {
    const low = b & (0 - b);
    if (low == b) continue;
    const to = sequencesAt + b * sequenceBytes;
    const x = to - low * sequenceBytes;
    const y = sequencesAt + low * sequenceBytes;
    for (let i: usize = 0; i < sequenceBytes; i += 16) v128.store(to + i, v128.xor(v128.load(x + i), v128.load(y + i)));
  }
}

// @ts-ignore
@inline
function windowAt(bits: u32, nibble: usize, word: usize): usize {
  return sequencesAt + <usize>((bits >> (4 * <u32>nibble)) & 15) * sequenceBytes + word * 128 + nibble * 16;
}

function combineWindows(): void {
  memory.fill(resultAt, 0, blockBytes);
  for (let word: usize = 0; word < blockWords; word++) {
    const bits = load<u32>(powerAt + 4 * word);
    const a = windowAt(bits, 0, word);
    const b = windowAt(bits, 1, word);
    const c = windowAt(bits, 2, word);
    const d = windowAt(bits, 3, word);
    const e = windowAt(bits, 4, word);
    const f = windowAt(bits, 5, word);
    const g = windowAt(bits, 6, word);
    const h = windowAt(bits, 7, word);
    for (let i: usize = 0; i < blockBytes; i += 16) {
      const ab = v128.xor(v128.load(a + i), v128.load(b + i));
      const cd = v128.xor(v128.load(c + i), v128.load(d + i));
      const ef = v128.xor(v128.load(e + i), v128.load(f + i));
      const gh = v128.xor(v128.load(g + i), v128.load(h + i));
      const sum = v128.xor(v128.xor(ab, cd), v128.xor(ef, gh));
      v128.store(resultAt + i, v128.xor(v128.load(resultAt + i), sum));
    }
  }
}
