/**
 * The two sums over pixels that all four metrics come down to, in
 * AssemblyScript, which `deno task kernels` compiles to pixel_sums.wasm:
 *
 * ```text
 * differences   Σ |x − y|    L1 distance
 * products      Σ x y        L2 distance, cosine, correlation
 * ```
 *
 * It is TypeScript whose numbers have sizes. A `usize` is an address in the
 * module's memory; a `v128` is 16 bytes, worked on in lanes: `i8x16` are 16 of
 * 8 bits, `i16x8` are 8 of 16 bits.
 *
 * Both compare one vector with four, which lie `size` bytes apart: reading from
 * memory takes about as long as computing, so a vector that is read is used four
 * times. Sizes are multiples of 16 bytes; zeros at the end add nothing.
 */

/** Steps of 16 bytes before a 16-bit lane, plus 2 × 255 a step, overflows. */
const DIFFERENCES: usize = 128;
/** Steps before four 32-bit lanes, each plus 4 × 255² a step, overflow. */
const PRODUCTS: usize = 512;

/** Writes four float64 to `sums`. */
export function differences(one: usize, a: usize, size: usize, sums: usize): void {
  const b = a + size, c = b + size, d = c + size;
  let at: usize = 0;
  clear(sums);
  while (at < size) {
    const end = min(at + 16 * DIFFERENCES, size);
    let sumA = i16x8.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
    for (; at < end; at += 16) {
      const x = v128.load(one + at);
      sumA = i16x8.add(sumA, difference(x, a + at));
      sumB = i16x8.add(sumB, difference(x, b + at));
      sumC = i16x8.add(sumC, difference(x, c + at));
      sumD = i16x8.add(sumD, difference(x, d + at));
    }
    add(sums, i32x4.extadd_pairwise_i16x8_u(sumA));
    add(sums + 8, i32x4.extadd_pairwise_i16x8_u(sumB));
    add(sums + 16, i32x4.extadd_pairwise_i16x8_u(sumC));
    add(sums + 24, i32x4.extadd_pairwise_i16x8_u(sumD));
  }
}

/** Writes four float64 to `sums`. */
export function products(one: usize, a: usize, size: usize, sums: usize): void {
  const b = a + size, c = b + size, d = c + size;
  let at: usize = 0;
  clear(sums);
  while (at < size) {
    const end = min(at + 16 * PRODUCTS, size);
    let sumA = i32x4.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
    for (; at < end; at += 16) {
      const low = v128.load_ext<u8>(one + at), high = v128.load_ext<u8>(one + at, 8);
      sumA = i32x4.add(sumA, product(low, high, a + at));
      sumB = i32x4.add(sumB, product(low, high, b + at));
      sumC = i32x4.add(sumC, product(low, high, c + at));
      sumD = i32x4.add(sumD, product(low, high, d + at));
    }
    add(sums, sumA);
    add(sums + 8, sumB);
    add(sums + 16, sumC);
    add(sums + 24, sumD);
  }
}

/** |x − y| of 16 bytes, two added up in each of 8 lanes. */
function difference(x: v128, at: usize): v128 {
  const y = v128.load(at);
  // Below 0 is 0, so that one of the two is 0 and the other |x − y|.
  const gap = v128.or(i8x16.sub_sat_u(x, y), i8x16.sub_sat_u(y, x));
  return i16x8.extadd_pairwise_i8x16_u(gap);
}

/** Products of 16 bytes, widened to 16 bits, four added up in each of 4 lanes. */
function product(low: v128, high: v128, at: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(low, v128.load_ext<u8>(at)),
    i32x4.dot_i16x8_s(high, v128.load_ext<u8>(at, 8)),
  );
}

function clear(sums: usize): void {
  memory.fill(sums, 0, 32);
}

/** Adds four lanes to a float64. */
function add(sum: usize, lanes: v128): void {
  const four = i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
  f64.store(sum, f64.load(sum) + four);
}
