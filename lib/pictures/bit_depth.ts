/**
 * Pictures of more than 8 bits, of which no header says which number is white:
 * cameras and microscopes write 10, 12 or 14 bits into 16, others floats from 0
 * to 1, or 32 bits. Taken for full 16 bits or for 0 to 255, they come out black.
 *
 * So white is read off the picture: the end of the narrowest usual range that
 * holds its values, but for a few: a hot pixel, or "no data" as -9999.
 *
 * ```ts
 * import { whiteOf } from "#lib/pictures/bit_depth.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(whiteOf(3360, "ushort"), 4095); // 12 bits in 16
 * equal(whiteOf(0.8, "float"), 1);
 * equal(whiteOf(0.8 * 2 ** 16, "ushort"), 65_535);
 * ```
 *
 * @module
 */
import type { Metadata, Sharp } from "sharp";
import { Fault, type Open } from "./whole.ts";

/**
 * The value that is white.
 *
 * @param largest The largest value in the picture.
 * @param depth What a value is, in the words of libvips: "ushort", "float".
 */
export function whiteOf(largest: number, depth: string): number {
  const sign = /^(short|int)$/.test(depth) ? 1 : 0;
  const bits = [8, 10, 12, 14, 16 - sign].find((n) => largest < 2 ** n);
  const white = depth === "float" && largest <= 1
    ? 1
    : bits
    ? 2 ** bits - 1
    : 2 ** (32 - sign);
  // Below a sixteenth of white, all would be black to the eye.
  return largest > 0 && 16 * largest < white ? largest : white;
}

/**
 * A picture in 8 bits, from one whose white is not what its format says.
 *
 * @param open Begins to decode it, anew each time.
 * @returns Undefined where libvips knows white itself.
 * @throws {Fault} If there is no telling, or no way to show it.
 */
export async function scaledPicture(
  bytes: Uint8Array,
  open: Open,
): Promise<Sharp | undefined> {
  // Only these formats hold such pictures; a PNG tells it in its 25th byte.
  const isTiff = /^(II|MM)/.test(String.fromCharCode(bytes[0], bytes[1]));
  if (!isTiff && !(bytes[0] === 0x89 && bytes[24] === 16)) return undefined;
  const facts = await open().metadata();
  const { depth, space, channels, hasAlpha } = facts;
  if (channels > 4) throw notSupported(`${channels} channels`);
  if (depth === "uchar" || space === "lab") return undefined;

  const look = () => open().resize(LOOK).removeAlpha();
  let { values } = await read(look(), facts);
  // Half floats of one colour are rounded on their way: so they become 16 bits.
  const isRounded = depth === "float" && space === "grey16" &&
    values.every((value) => !(value > 1));
  const factor = isRounded ? 65_535 : 1;
  if (isRounded) ({ values } = await read(look(), facts, factor));
  // What begins with white, libvips has turned round, by the largest number.
  const isTurned = isTiff && isWhiteLeast(bytes);
  const most = { ushort: 65_535, uint: 2 ** 32 - 1 }[depth as "uint"];
  if (isTurned && most) {
    values = values.map((value) => Math.max(0, most - value));
  }
  const { least, white } = isRounded
    ? { least: 0, white: factor }
    : rangeOf(values, depth!);
  if (depth === "ushort" && white === most) return undefined;
  if (space === "cmyk") throw notSupported("ink in other than 8 or 16 bits");

  const whole = await read(open().autoOrient(), facts, factor);
  const pixels = new Uint8Array(whole.values.length);
  const colours = hasAlpha ? whole.channels - 1 : whole.channels;
  // But floats and numbers with a sign, which it leaves.
  const [black, light] = !isTurned
    ? [least, white]
    : most
    ? [most - white, most - least]
    : [white, least];
  for (let at = 0; at < pixels.length; at++) {
    const isColour = at % whole.channels < colours;
    // Opacity is from 0 to 1, or to the largest number.
    const [from, to] = isColour ? [black, light] : [0, most ?? 1];
    const value = 255 * (whole.values[at] - from) / (to - from);
    pixels[at] = value > 255 ? 255 : value > 0 ? value + 0.5 : 0;
  }
  const { width, height, channels: each } = whole;
  return open(pixels, { raw: { width, height, channels: each } });
}

/** So much of a picture tells its range. */
const LOOK = {
  width: 1000,
  height: 1000,
  fit: "inside",
  withoutEnlargement: true,
  kernel: "nearest",
} as const;

/** All values as they are stored. */
async function read(picture: Sharp, { space }: Metadata, factor = 1) {
  picture.pipelineColourspace(space).toColourspace(space);
  if (factor !== 1) picture.linear(factor, 0);
  const { data, info } = await picture.raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const { buffer, byteOffset, byteLength } = data;
  return {
    ...info,
    values: new Float32Array(buffer, byteOffset, byteLength / 4),
  };
}

/** Between which values a picture's colours lie, but for a thousandth of them. */
function rangeOf(values: Float32Array, depth: string) {
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0) throw notSupported("no value that is a number");
  const few = Math.floor(sorted.length / 1000);
  const [low, high, largest] = [few, -1 - few, -1].map((at) => sorted.at(at)!);
  // Far below 0 lies what stands for "no data".
  if (low < 0 && -low < 16 * high) return { least: low, white: high };
  // Of whole numbers the largest tells, unless all else were black beside it.
  const white = whiteOf(largest, depth);
  const tells = depth !== "float" && 16 * high >= white;
  return { least: 0, white: tells ? white : whiteOf(Math.max(high, 0), depth) };
}

/** Whether a TIFF says that 0 is white, in its 262nd tag. */
function isWhiteLeast(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const isBig = view.getUint16(2, little) === 43;
  const start = isBig
    ? Number(view.getBigUint64(8, little))
    : view.getUint32(4, little);
  const entry = isBig ? 20 : 12;
  const first = start + (isBig ? 8 : 2);
  for (let at = first; at + entry <= bytes.length; at += entry) {
    const tag = view.getUint16(at, little);
    if (tag >= 262) {
      return tag === 262 &&
        view.getUint16(at + entry - (isBig ? 8 : 4), little) === 0;
    }
  }
  return false;
}

function notSupported(what: string): Fault {
  return new Fault("not supported", `${what}: not supported`);
}
