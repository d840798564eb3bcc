/**
 * `task bench pixels`: one query over 800 pictures of 448 x 448 pixels, by each
 * metric, against NumPy as the seed projects used it, with 64-bit floats, and as
 * it is fastest with 32-bit floats and with bytes; and against the time that it
 * takes to read the gallery from memory.
 *
 * @module
 */
import { PixelGallery, QUERIES_A_PASS } from "../lib/compare/pixel_gallery.ts";
import { type MetricName, metrics } from "../lib/compare/metrics.ts";
import { openKernels } from "../lib/pictures/kernels.ts";
import { type Bench, medianMs, row } from "./harness.ts";

const PICTURES = 800;
const SIZE = 448;
/** As many rows as the peer needs for a steady time; it takes 8 bytes a value. */
const PEER_PICTURES = 100;

/** Measures. */
export const bench: Bench = async ({ log, peer }) => {
  const length = SIZE * SIZE * 3;
  const gallery = new PixelGallery(PICTURES, length);
  const noise = Uint8Array.from(
    { length },
    (_, i) => Math.imul(i, 0x9e3779b1) >>> 24,
  );
  for (let picture = 0; picture < PICTURES; picture++) {
    noise[picture] ^= 1;
    gallery.set(picture, noise);
  }
  const numbers = await peer(
    "pixels.py",
    ...[PICTURES, PEER_PICTURES, length].map(String),
  );
  log(`${PICTURES} pictures of ${SIZE} x ${SIZE}, ${PICTURES * length} bytes`);
  const reading = await medianMs(reader(PICTURES * length));
  const rows = [];
  for (const name of Object.keys(metrics) as MetricName[]) {
    const measure = async (count: number) => {
      const queries = new Array<Uint8Array>(count).fill(noise);
      return await medianMs(() => gallery.compare(queries, name)) / count;
    };
    const one = await measure(1);
    for (const width of ["float64", "float32", "uint8"]) {
      const peer = `NumPy ${width}`, value = numbers?.[width][name];
      rows.push(row(`${name}, one query`, "ms", one, peer, value));
    }
    rows.push(
      row(`${name}, one query`, "ms", one, "reading once", reading),
      row(
        `${name}, ${QUERIES_A_PASS} at once, each`,
        "ms",
        await measure(QUERIES_A_PASS),
        "NumPy float64",
        numbers?.float64[name],
      ),
    );
  }
  return rows;
};

/** Reads as many bytes from a memory of its own. */
function reader(bytes: number): () => void {
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(bytes / 2 ** 16),
  });
  // Untouched memory is not there yet.
  new Uint8Array(memory.buffer).fill(1);
  const file = new URL("./kernels/reading.wasm", import.meta.url);
  const { read } = openKernels(file, memory);
  return () => read(bytes);
}
