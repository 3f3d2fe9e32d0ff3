// The SIMD twin of ../gram.ts, compiled by scripts/generate-wasm.mjs. Addresses are bytes in the arena.

import { addProduct } from './fused';

/** Rows of a chunk; ../gram.ts knows it too. A panel is [256, 8] float32. */
const panelBytes: usize = 256 * 32;

/**
 * Shifts and scales rows and lays them out in panels of eight columns, with a column of ones behind the last dimension.
 *
 * Shape: data f32 [rows, dim], shift f32 [width] → panels f32 [width / 8, 256, 8]
 * Returns how many rows were laid out; those with a value that is not finite are passed over.
 */
export function packRows(
  data: usize,
  rows: i32,
  dim: i32,
  shift: usize,
  scale: f32,
  width: i32,
  panels: usize,
): i32 {
  const wide = dim & ~7;
  const factor = f32x4.splat(scale);
  let packed = 0;
  for (let row = 0; row < rows; row++) {
    let out = panels + ((<usize>packed) << 5);
    let finite = f32x4.splat(0);
    for (let column = 0; column < wide; column += 8) {
      const at = (<usize>column) << 2;
      const v = v128.load(data + at);
      const w = v128.load(data + at, 16);
      finite = f32x4.add(finite, f32x4.add(f32x4.sub(v, v), f32x4.sub(w, w)));
      v128.store(out, f32x4.mul(f32x4.sub(v, v128.load(shift + at)), factor));
      v128.store(out, f32x4.mul(f32x4.sub(w, v128.load(shift + at, 16)), factor), 16);
      out += panelBytes;
    }
    let rest: f32 = 0;
    for (let column = wide; column < width; column++) {
      let value: f32 = column == dim ? 1 : 0;
      if (column < dim) {
        const at = (<usize>column) << 2;
        const x = load<f32>(data + at);
        rest += x - x;
        value = (x - load<f32>(shift + at)) * scale;
      }
      const place = column - wide;
      store<f32>(out + (<usize>(place >> 3)) * panelBytes + ((<usize>(place & 7)) << 2), value);
    }
    rest += f32x4.extract_lane(finite, 0) + f32x4.extract_lane(finite, 1);
    rest += f32x4.extract_lane(finite, 2) + f32x4.extract_lane(finite, 3);
    if (rest == 0) packed++;
    data += (<usize>dim) << 2;
  }
  return packed;
}

/** Adds four float32 sums to float64 ones. */
// @ts-expect-error: AssemblyScript decorator
@inline
function addLanes(at: usize, v: v128): void {
  v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(v)));
  const high = i32x4.shuffle(v, v, 2, 3, 2, 3);
  v128.store(at, f64x2.add(v128.load(at, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** Products of four columns with eight: eight sums that stay in registers. */
function addTile(a: usize, b: usize, rows: i32, sums: usize, stride: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (let row = 0; row < rows; row++) {
    const v = v128.load(b);
    const w = v128.load(b, 16);
    let x = v128.load32_splat(a);
    a0 = addProduct(a0, x, v);
    a1 = addProduct(a1, x, w);
    x = v128.load32_splat(a, 4);
    b0 = addProduct(b0, x, v);
    b1 = addProduct(b1, x, w);
    x = v128.load32_splat(a, 8);
    c0 = addProduct(c0, x, v);
    c1 = addProduct(c1, x, w);
    x = v128.load32_splat(a, 12);
    d0 = addProduct(d0, x, v);
    d1 = addProduct(d1, x, w);
    a += 32;
    b += 32;
  }
  addLanes(sums, a0);
  addLanes(sums + 32, a1);
  addLanes(sums + stride, b0);
  addLanes(sums + stride + 32, b1);
  addLanes(sums + 2 * stride, c0);
  addLanes(sums + 2 * stride + 32, c1);
  addLanes(sums + 3 * stride, d0);
  addLanes(sums + 3 * stride + 32, d1);
}

/**
 * Adds the products of columns with every later one: of every `step`-th panel, from `first` on.
 *
 * Shape: panels f32 [width / 8, 256, 8] → sums f64 [width, width]; tiles on and above the diagonal are added to
 */
export function addProducts(
  panels: usize,
  rows: i32,
  width: i32,
  sums: usize,
  first: i32,
  step: i32,
): void {
  const count = width >> 3;
  const stride = (<usize>width) << 3;
  for (let i = first; i < count; i += step) {
    const a = panels + (<usize>i) * panelBytes;
    const line = sums + (<usize>i) * 8 * stride;
    for (let j = i; j < count; j++) {
      const b = panels + (<usize>j) * panelBytes;
      const out = line + ((<usize>j) << 6);
      addTile(a, b, rows, out, stride);
      addTile(a + 16, b, rows, out + 4 * stride, stride);
    }
  }
}
