/**
 * The two sums over pixels that all four metrics come down to, 16 bytes at a
 * time: differences, Σ |x − y|, for L1; products, Σ x y, for the others.
 *
 * In AssemblyScript, which `deno task kernels` compiles to pixel_sums.wasm: it is
 * TypeScript whose numbers have sizes. A `usize` is an address in the module's
 * memory; a `v128` is 16 bytes in lanes, as `i16x8`, which are 8 of 16 bits.
 *
 * Both compare a vector at x with four from a on, which lie `size` bytes apart,
 * since reading takes about as long as computing, and write four float64. Sizes
 * are multiples of 16; zeros at the end of a vector add nothing.
 */

/** Bytes after which a 16-bit lane, plus 2 × 255 a step, would overflow. */
const DIFFERENCES: usize = 128 * 16;
/** Bytes after which four 32-bit lanes, each plus 4 × 255² a step, would. */
const PRODUCTS: usize = 512 * 16;

export function differences(x: usize, a: usize, size: usize, to: usize): void {
  const b = a + size, c = b + size, d = c + size;
  memory.fill(to, 0, 32);
  for (let at: usize = 0; at < size;) {
    const end = min(at + DIFFERENCES, size);
    let sumA = i16x8.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
    for (; at < end; at += 16) {
      const bytes = v128.load(x + at);
      sumA = i16x8.add(sumA, difference(bytes, a + at));
      sumB = i16x8.add(sumB, difference(bytes, b + at));
      sumC = i16x8.add(sumC, difference(bytes, c + at));
      sumD = i16x8.add(sumD, difference(bytes, d + at));
    }
    add(to, i32x4.extadd_pairwise_i16x8_u(sumA));
    add(to + 8, i32x4.extadd_pairwise_i16x8_u(sumB));
    add(to + 16, i32x4.extadd_pairwise_i16x8_u(sumC));
    add(to + 24, i32x4.extadd_pairwise_i16x8_u(sumD));
  }
}

export function products(x: usize, a: usize, size: usize, to: usize): void {
  const b = a + size, c = b + size, d = c + size;
  memory.fill(to, 0, 32);
  for (let at: usize = 0; at < size;) {
    const end = min(at + PRODUCTS, size);
    let sumA = i32x4.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
    for (; at < end; at += 16) {
      const low = v128.load_ext<u8>(x + at);
      const high = v128.load_ext<u8>(x + at, 8);
      sumA = i32x4.add(sumA, product(low, high, a + at));
      sumB = i32x4.add(sumB, product(low, high, b + at));
      sumC = i32x4.add(sumC, product(low, high, c + at));
      sumD = i32x4.add(sumD, product(low, high, d + at));
    }
    add(to, sumA);
    add(to + 8, sumB);
    add(to + 16, sumC);
    add(to + 24, sumD);
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

/** Adds four lanes to a float64. */
function add(to: usize, lanes: v128): void {
  const four = i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
  f64.store(to, f64.load(to) + four);
}
