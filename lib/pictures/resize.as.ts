/**
 * The two passes that resize a picture: each value is a sum of bytes times
 * weights, whole numbers of 32 bits, as in Pillow, so that no bit differs.
 *
 * ```text
 * rows      R G B R G B …  ──▶  R R …  G G …  B B …   narrower, in bytes
 * columns   of one colour  ──▶  fewer, as normalised floats
 * ```
 *
 * In AssemblyScript, which `deno task kernels` compiles to resize.wasm: it is
 * TypeScript whose numbers have sizes. A `usize` is an address in the module's
 * memory; a `v128` is 16 bytes in lanes, as `i32x4`, which are 4 of 32 bits.
 *
 * A place of a resized line has 4 + 4 × `taps` bytes at `places`: the number of
 * the first pixel that it is made of, then the weights of that and the next ones.
 */

/** Bits of a weight after the point. */
const POINT = 22;
const HALF = 1 << (POINT - 1);

/** Resizes rows, four at a time, from `rowBytes` bytes to 3 × `size` each. */
export function rows(
  picture: usize,
  rowBytes: usize,
  count: usize,
  places: usize,
  taps: usize,
  size: usize,
  to: usize,
): void {
  for (let row: usize = 0; row < count; row += 4) {
    let place = places;
    for (let x: usize = 0; x < size; x++) {
      let at = picture + 3 * load<u32>(place);
      let a = i32x4.splat(HALF), b = a, c = a, d = a;
      for (const end = place + 4 * taps; place < end; at += 3) {
        const weight = v128.load_splat<i32>(place += 4);
        a = i32x4.add(a, i32x4.mul(pixel(at), weight));
        b = i32x4.add(b, i32x4.mul(pixel(at + rowBytes), weight));
        c = i32x4.add(c, i32x4.mul(pixel(at + 2 * rowBytes), weight));
        d = i32x4.add(d, i32x4.mul(pixel(at + 3 * rowBytes), weight));
      }
      place += 4;
      put(a, to + x, size);
      put(b, to + x + 3 * size, size);
      put(c, to + x + 6 * size, size);
      put(d, to + x + 9 * size, size);
    }
    picture += 4 * rowBytes;
    to += 12 * size;
  }
}

/**
 * Sums up rows of 3 × `size` bytes to `size` rows, 16 values at a time: the last
 * ones run over the end. A colour's values are multiplied by the first of its
 * two floats at `colours`, and the second is added.
 */
export function columns(
  from: usize,
  places: usize,
  taps: usize,
  size: usize,
  colours: usize,
  to: usize,
): void {
  for (let colour: usize = 0; colour < 3; colour++) {
    const scale = v128.load_splat<f32>(colours + 8 * colour);
    const shift = v128.load_splat<f32>(colours + 8 * colour, 4);
    for (let y: usize = 0; y < size; y++) {
      const place = places + y * (4 + 4 * taps);
      const end = place + 4 * taps;
      const first = from + (3 * load<u32>(place) + colour) * size;
      for (let x: usize = 0; x < size; x += 16) {
        let a = i32x4.splat(HALF), b = a, c = a, d = a;
        let at = first + x;
        for (let tap = place; tap < end; at += 3 * size) {
          const weight = v128.load_splat<i32>(tap += 4);
          const low = v128.load_ext<u8>(at), high = v128.load_ext<u8>(at, 8);
          a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
          b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
          c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
          d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
        }
        v128.store(to + 4 * x, normalised(a, scale, shift));
        v128.store(to + 4 * x, normalised(b, scale, shift), 16);
        v128.store(to + 4 * x, normalised(c, scale, shift), 32);
        v128.store(to + 4 * x, normalised(d, scale, shift), 48);
      }
      to += 4 * size;
    }
  }
}

/** Red, green and blue, and a byte that nobody looks at. */
function pixel(at: usize): v128 {
  const bytes = v128.load_zero<u32>(at);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
}

/** Writes the first three sums, each to the place of its colour. */
function put(sums: v128, to: usize, size: usize): void {
  const bytes = byteValues(sums);
  store<u8>(to, i32x4.extract_lane(bytes, 0));
  store<u8>(to + size, i32x4.extract_lane(bytes, 1));
  store<u8>(to + 2 * size, i32x4.extract_lane(bytes, 2));
}

/** Four sums as floats. */
function normalised(sums: v128, scale: v128, shift: v128): v128 {
  const values = f32x4.convert_i32x4_s(byteValues(sums));
  return f32x4.add(f32x4.mul(values, scale), shift);
}

/** Without the bits after the point, and within 0 to 255. */
function byteValues(sums: v128): v128 {
  const whole = i32x4.shr_s(sums, POINT);
  return i32x4.min_s(i32x4.max_s(whole, i32x4.splat(0)), i32x4.splat(255));
}
