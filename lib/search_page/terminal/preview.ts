/**
 * A picture as what a terminal takes it for: bytes of a protocol, or half blocks.
 *
 * A preview takes 24 characters in width or 12 lines, whichever is reached first,
 * and less where the terminal is narrower; a character is about twice as high as
 * wide. Half blocks take 16 million colours, or the 256 that older terminals have.
 *
 * ```ts
 * import { drawPicture } from "#lib/search_page/terminal/preview.ts";
 * import { strictEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const red = await sharp({
 *   create: { width: 1, height: 2, channels: 3, background: "#ff0000" },
 * }).png().toBuffer();
 * strictEqual(
 *   await drawPicture(red, "blocks"),
 *   "\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[0m\n",
 * );
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { image2sixel } from "sixel";
import {
  decodePicture,
  encodePicture,
  type ImageSource,
} from "../../pictures/pictures.ts";
import type { Protocol } from "./protocol.ts";

/** Most characters of the longer side, if it lies; half as many lines if it stands. */
const WIDTH = 24;

/** Dots of a character, which is twice as high: enough for sharp ones. */
const DOTS = 20;

/** A Sixel picture is as large as its dots are: for characters of 10 by 20. */
const SIXEL_DOTS = 10;

/** Most that Kitty takes at once, in characters of base64. */
const PIECE = 4096;

/** What a terminal has. */
export interface PreviewOptions {
  /** Characters in width. @default enough */
  columns?: number;
  /** Whether it has 16 million colours; else 256. @default true */
  trueColour?: boolean;
}

/**
 * Draws a picture, ending in a line break.
 *
 * @throws {PictureError} If there is no whole picture.
 */
export async function drawPicture(
  image: ImageSource,
  protocol: Protocol,
  { columns = WIDTH, trueColour = true }: PreviewOptions = {},
): Promise<string> {
  const width = Math.max(1, Math.min(WIDTH, columns));
  if (protocol === "blocks") return await blocks(image, width, trueColour);
  if (protocol === "sixel") return await sixel(image, width);
  const picture = await encodePicture(image, { format: "png" }, {
    longest: DOTS * width,
  });
  const { data } = picture;
  const text = Buffer.from(data).toString("base64");
  const lies = picture.width >= picture.height;
  const lines = Math.ceil(width / 2);
  return protocol === "kitty"
    ? kitty(text, lies ? `c=${width}` : `r=${lines}`)
    : iterm2(text, data.length, lies ? `width=${width}` : `height=${lines}`);
}

/** In pieces, of which each says whether one follows; no answers are wanted. */
function kitty(text: string, size: string): string {
  let drawn = "";
  for (let start = 0; start < text.length; start += PIECE) {
    const first = start === 0 ? `a=T,f=100,q=2,${size},` : "";
    const more = Number(start + PIECE < text.length);
    const piece = text.slice(start, start + PIECE);
    drawn += `\x1b_G${first}m=${more};${piece}\x1b\\`;
  }
  return `${drawn}\n`;
}

function iterm2(text: string, bytes: number, size: string): string {
  return `\x1b]1337;File=inline=1;size=${bytes};${size};preserveAspectRatio=1:${text}\x07\n`;
}

async function sixel(image: ImageSource, columns: number): Promise<string> {
  const { data, width, height } = await decodePicture(image, {
    longest: SIXEL_DOTS * columns,
  });
  const rgba = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  }
  return `${image2sixel(rgba, width, height)}\n`;
}

/** In upper half blocks: ink above, paper below. */
async function blocks(
  image: ImageSource,
  longest: number,
  trueColour: boolean,
): Promise<string> {
  const { data, width, height } = await decodePicture(image, { longest });
  const colour = (x: number, y: number) => {
    const at = 3 * (Math.min(y, height - 1) * width + x);
    const rgb = data.subarray(at, at + 3);
    return trueColour ? `2;${rgb.join(";")}` : `5;${cubeColour(rgb)}`;
  };
  let text = "";
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x++) {
      text += `\x1b[38;${colour(x, y)};48;${colour(x, y + 1)}m▀`;
    }
    text += "\x1b[0m\n";
  }
  return text;
}

/** The nearest of the 216 colours from 16 on: six levels of each, 0, 95, 135, … 255. */
function cubeColour(rgb: Uint8Array): number {
  const level = (value: number) =>
    value < 48 ? 0 : value < 115 ? 1 : Math.floor((value - 35) / 40);
  const [red, green, blue] = rgb;
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}
