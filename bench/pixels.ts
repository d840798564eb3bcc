/**
 * `task bench pixels`: one query over 800 pictures of 448 x 448 pixels, by each
 * metric, against NumPy as the seed projects used it, and against the time that
 * it takes to read the gallery from memory.
 *
 * @module
 */
import { PixelGallery } from "../lib/compare/pixel_gallery.ts";
import {
  add,
  addLanes32,
  assemble,
  get,
  i32,
  load,
  or,
  repeatWhileBelow,
  set,
  storeF64,
  toF64,
} from "../lib/pictures/assembler.ts";
import { QUERIES_A_PASS } from "../lib/compare/pixel_kernels.ts";
import { type MetricName, metrics } from "../lib/compare/metrics.ts";
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
    const value = numbers?.[name];
    rows.push(
      row(`${name}, one query`, "ms", one, "NumPy float64", value),
      row(
        `${name}, ${QUERIES_A_PASS} at once, each`,
        "ms",
        await measure(QUERIES_A_PASS),
        "NumPy float64",
        value,
      ),
      row(`${name}, one query`, "ms", one, "reading once", reading),
    );
  }
  return rows;
};

/** Reads as many bytes from a memory of its own. */
function reader(bytes: number): () => void {
  const [position, end, seen] = [0, 1, 2];
  const module = assemble([{
    name: "read",
    parameters: 2,
    locals: { vectors: 1 },
    body: [
      ...repeatWhileBelow(position, get(end), [
        ...[0, 16, 32, 48].flatMap((offset) =>
          set(seen, or(get(seen), load(get(position), offset)))
        ),
        ...set(position, add(get(position), i32(64))),
      ]),
      // Used, or the engine would leave the reading out.
      ...storeF64(i32(0), toF64(addLanes32(get(seen)))),
    ],
  }]);
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(bytes / 2 ** 16),
  });
  // Untouched memory is not there yet.
  new Uint8Array(memory.buffer).fill(1);
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(module),
    { host: { memory } },
  );
  const read = exports.read as (start: number, end: number) => void;
  return () => read(0, bytes);
}
