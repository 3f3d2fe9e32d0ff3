// The SIMD twin of ../digest.ts, compiled by scripts/generate-wasm.mjs. Addresses are bytes in the arena.

/** The bits of four values; those of -0 are those of 0. */
// @ts-expect-error: AssemblyScript decorator
@inline
function bitsOf(v: v128): v128 {
  return v128.andnot(v, f32x4.eq(v, f32x4.splat(0)));
}

/** Adds the squares of four values to two sums. */
// @ts-expect-error: AssemblyScript decorator
@inline
function addSquares(sum: v128, v: v128): v128 {
  const low = f64x2.promote_low_f32x4(v);
  const high = f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3));
  return f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
}

/**
 * A hash of every row and the sum of its squares.
 *
 * Shape: data f32 [rows, dim], keys u32 [dim + 8] → hashes u64 [rows], squares f64 [rows]
 * Source: NH of Black, Halevi, Krawczyk, Krovetz & Rogaway 1999 (UMAC): the sum of products of pairs of values, keys added to them.
 */
export function digestRows(
  data: usize,
  rows: i32,
  dim: i32,
  keys: usize,
  hashes: usize,
  squares: usize,
): void {
  const wide = (<usize>(dim & ~7)) << 2;
  const bytes = (<usize>dim) << 2;
  for (let row = 0; row < rows; row++) {
    let h = i64x2.splat(0);
    let g = h;
    let s = f64x2.splat(0);
    let t = s;
    for (let at: usize = 0; at < wide; at += 32) {
      const v = v128.load(data + at);
      const w = v128.load(data + at, 16);
      const x = i32x4.add(bitsOf(v), v128.load(keys + at));
      const y = i32x4.add(bitsOf(w), v128.load(keys + at, 16));
      h = i64x2.add(h, i64x2.extmul_low_i32x4_u(x, y));
      g = i64x2.add(g, i64x2.extmul_high_i32x4_u(x, y));
      s = addSquares(s, v);
      t = addSquares(t, w);
    }
    h = i64x2.add(h, g);
    s = f64x2.add(s, t);
    let hash = i64x2.extract_lane(h, 0) + i64x2.extract_lane(h, 1);
    let square = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
    for (let at = wide; at < bytes; at += 4) {
      const value = load<f32>(data + at);
      const bits: u32 = value == 0 ? 0 : load<u32>(data + at);
      // One factor more than values: neighbors in the list of keys make a pair.
      hash += <i64>((<u64>(bits + load<u32>(keys + at))) * (<u64>(load<u32>(keys + at, 4) | 1)));
      square += <f64>value * <f64>value;
    }
    store<i64>(hashes, hash);
    store<f64>(squares, square);
    data += bytes;
    hashes += 8;
    squares += 8;
  }
}

/**
 * Counts values by their upper 16 bits.
 *
 * Shape: data u32 [count] → buckets u32 [65536], added to
 */
export function countUpper(data: usize, count: i32, buckets: usize): void {
  const end = data + ((<usize>count) << 2);
  const wide = data + ((<usize>(count & ~3)) << 2);
  while (data < wide) {
    const a = buckets + ((<usize>load<u16>(data, 2)) << 2);
    store<u32>(a, load<u32>(a) + 1);
    const b = buckets + ((<usize>load<u16>(data, 6)) << 2);
    store<u32>(b, load<u32>(b) + 1);
    const c = buckets + ((<usize>load<u16>(data, 10)) << 2);
    store<u32>(c, load<u32>(c) + 1);
    const d = buckets + ((<usize>load<u16>(data, 14)) << 2);
    store<u32>(d, load<u32>(d) + 1);
    data += 16;
  }
  for (; data < end; data += 4) {
    const a = buckets + ((<usize>load<u16>(data, 2)) << 2);
    store<u32>(a, load<u32>(a) + 1);
  }
}

/**
 * Counts the values of some buckets by their lower 16 bits.
 *
 * Shape: data u32 [count], slots u8 [65536]: 0 for buckets that are not asked for, else 1 + the number of the counters → counters u32
 * [slots, 65536], added to
 */
export function countLower(data: usize, count: i32, slots: usize, counters: usize): void {
  const end = data + ((<usize>count) << 2);
  for (; data < end; data += 4) {
    const bits = load<u32>(data);
    const slot = <usize>load<u8>(slots + (<usize>(bits >>> 16)));
    if (slot == 0) continue;
    const at = counters + ((((slot - 1) << 16) + (<usize>(bits & 0xffff))) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/**
 * Counts values by their upper 16 bits and keeps those whose bucket is flagged.
 *
 * Shape: data u32 [count] → buckets u32 [65536], added to; flags u8 [65536], 0 or 4; kept u32, with room for count more
 * Returns where the kept values end. Few are flagged, so four flags cost one branch.
 */
export function countAndKeep(data: usize, count: i32, buckets: usize, flags: usize, kept: usize): usize {
  const end = data + ((<usize>count) << 2);
  const wide = data + ((<usize>(count & ~3)) << 2);
  while (data < wide) {
    const a = <usize>load<u16>(data, 2);
    const b = <usize>load<u16>(data, 6);
    const c = <usize>load<u16>(data, 10);
    const d = <usize>load<u16>(data, 14);
    store<u32>(buckets + (a << 2), load<u32>(buckets + (a << 2)) + 1);
    store<u32>(buckets + (b << 2), load<u32>(buckets + (b << 2)) + 1);
    store<u32>(buckets + (c << 2), load<u32>(buckets + (c << 2)) + 1);
    store<u32>(buckets + (d << 2), load<u32>(buckets + (d << 2)) + 1);
    const p = <usize>load<u8>(flags + a);
    const q = <usize>load<u8>(flags + b);
    const r = <usize>load<u8>(flags + c);
    const s = <usize>load<u8>(flags + d);
    if ((p | q | r | s) != 0) {
      store<u32>(kept, load<u32>(data));
      kept += p;
      store<u32>(kept, load<u32>(data, 4));
      kept += q;
      store<u32>(kept, load<u32>(data, 8));
      kept += r;
      store<u32>(kept, load<u32>(data, 12));
      kept += s;
    }
    data += 16;
  }
  for (; data < end; data += 4) {
    const upper = <usize>load<u16>(data, 2);
    const at = buckets + (upper << 2);
    store<u32>(at, load<u32>(at) + 1);
    store<u32>(kept, load<u32>(data));
    kept += <usize>load<u8>(flags + upper);
  }
  return kept;
}
