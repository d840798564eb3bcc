/**
 * Sums over rows of 8-bit codes, 16 of them at a time: products with a query's
 * codes, from which L2, cosine and correlation come, and differences from a
 * query's own numbers, for L1.
 *
 * In AssemblyScript, as pixel_sums.as.ts. Several threads work on one memory,
 * each on rows of its own, and the compiler is told so:
 *
 * @options --enable relaxed-simd,threads --sharedMemory --maximumMemory 65536
 *
 * A row is `size` bytes, a multiple of 16, of which those past its end are 0 and
 * add nothing. `rows` is a multiple of 4: reading takes about as long as
 * computing, so that a part of the query is read once for four rows. Written is
 * a float64 a row.
 */

/** What was added to the query's numbers, so that none is below 0. */
const MIDDLE: f64 = 8192;

/**
 * Σ code × number, exact. Of the query's numbers, each MIDDLE more than it is,
 * the upper seven bits stand first and then the lower seven: only with numbers
 * from 0 to 127 does the relaxed instruction give the same on every processor,
 * and overflows no 16-bit lane on its way. A 32-bit lane holds 2¹⁹ codes. `sums`
 * has the sum of each row's codes, 32 bits.
 */
export function products(
  query: usize,
  sums: usize,
  at: usize,
  size: usize,
  rows: i32,
  to: usize,
): void {
  const low = query + size;
  for (let row = 0; row < rows; row += 4) {
    const b = at + size, c = b + size, d = c + size;
    let highA = i32x4.splat(0), highB = highA, highC = highA, highD = highA;
    let lowA = highA, lowB = highA, lowC = highA, lowD = highA;
    for (let i: usize = 0; i < size; i += 16) {
      const h = v128.load(query + i), l = v128.load(low + i);
      const codesA = v128.load(at + i), codesB = v128.load(b + i);
      highA = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesA, h, highA);
      lowA = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesA, l, lowA);
      highB = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesB, h, highB);
      lowB = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesB, l, lowB);
      const codesC = v128.load(c + i), codesD = v128.load(d + i);
      highC = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesC, h, highC);
      lowC = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesC, l, lowC);
      highD = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesD, h, highD);
      lowD = i32x4.relaxed_dot_i8x16_i7x16_add_s(codesD, l, lowD);
    }
    put(to, highA, lowA, sums);
    put(to + 8, highB, lowB, sums + 4);
    put(to + 16, highC, lowC, sums + 8);
    put(to + 24, highD, lowD, sums + 12);
    at = d + size;
    sums += 16;
    to += 32;
  }
}

/** Σ |scale × code − query|, in 32-bit floats; `scales` has a float32 a row. */
export function differences(
  query: usize,
  scales: usize,
  at: usize,
  size: usize,
  rows: i32,
  to: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const scale = v128.load_splat<f32>(scales);
    let sumA = f32x4.splat(0), sumB = sumA, sumC = sumA, sumD = sumA;
    for (let i: usize = 0; i < size; i += 16) {
      const codes = v128.load(at + i), numbers = query + 4 * i;
      const low = i16x8.extend_low_i8x16_s(codes);
      const high = i16x8.extend_high_i8x16_s(codes);
      const a = i32x4.extend_low_i16x8_s(low);
      const b = i32x4.extend_high_i16x8_s(low);
      const c = i32x4.extend_low_i16x8_s(high);
      const d = i32x4.extend_high_i16x8_s(high);
      sumA = f32x4.add(sumA, difference(a, scale, numbers));
      sumB = f32x4.add(sumB, difference(b, scale, numbers + 16));
      sumC = f32x4.add(sumC, difference(c, scale, numbers + 32));
      sumD = f32x4.add(sumD, difference(d, scale, numbers + 48));
    }
    const lanes = f32x4.add(f32x4.add(sumA, sumB), f32x4.add(sumC, sumD));
    f64.store(
      to,
      f64(f32x4.extract_lane(lanes, 0)) + f64(f32x4.extract_lane(lanes, 1)) +
        f64(f32x4.extract_lane(lanes, 2)) + f64(f32x4.extract_lane(lanes, 3)),
    );
    at += size;
    scales += 4;
    to += 8;
  }
}

/** |scale × code − number| of four. */
@inline
function difference(codes: v128, scale: v128, at: usize): v128 {
  const numbers = f32x4.mul(f32x4.convert_i32x4_s(codes), scale);
  return f32x4.abs(f32x4.sub(numbers, v128.load(at)));
}

/** Puts the two parts of a sum together, without what MIDDLE adds to it. */
@inline
function put(to: usize, high: v128, low: v128, codes: usize): void {
  const added = MIDDLE * f64(i32.load(codes));
  f64.store(to, 128 * sum(high) + sum(low) - added);
}

/** Four lanes added up. */
@inline
function sum(lanes: v128): f64 {
  return f64(i32x4.extract_lane(lanes, 0)) +
    f64(i32x4.extract_lane(lanes, 1)) +
    f64(i32x4.extract_lane(lanes, 2)) + f64(i32x4.extract_lane(lanes, 3));
}
