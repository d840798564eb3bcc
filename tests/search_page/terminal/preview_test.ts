import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import sharp from "sharp";
import { decode } from "sixel";
import { drawPicture } from "#lib/search_page/terminal/preview.ts";

/** Noise, so that a PNG of it needs many pieces; red on its left. */
async function picture(width: number, height: number): Promise<Uint8Array> {
  const data = new Uint8Array(3 * width * height);
  let seed = 1;
  for (let i = 0; i < data.length; i++) {
    seed = (seed * 48271) % 2147483647;
    data[i] = (i / 3) % width < width / 2
      ? (i % 3 === 0 ? 255 : 0)
      : seed & 255;
  }
  return await sharp(data, { raw: { width, height, channels: 3 } }).png()
    .toBuffer();
}

Deno.test("a picture for Kitty comes in pieces that are one PNG", async () => {
  const drawn = await drawPicture(await picture(600, 300), "kitty");
  ok(drawn.endsWith("\x1b\\\n"));
  const pieces = drawn.trimEnd().split("\x1b\\").slice(0, -1).map((piece) => {
    const [start, data] = piece.split(";");
    ok(start.startsWith("\x1b_G"));
    return { keys: start.slice(3), data };
  });
  ok(pieces.length > 2);
  strictEqual(pieces[0].keys, "a=T,f=100,q=2,c=24,m=1");
  pieces.forEach(({ keys, data }, i) => {
    ok(data.length <= 4096 && (data.length % 4 === 0));
    if (i > 0) strictEqual(keys, `m=${Number(i < pieces.length - 1)}`);
  });
  const png = Buffer.from(pieces.map(({ data }) => data).join(""), "base64");
  const { format, width, height } = await sharp(png).metadata();
  deepStrictEqual([format, width, height], ["png", 480, 240]);
  match(await drawPicture(await picture(20, 60), "kitty"), /,r=12,m=0;/);
});

Deno.test("a picture for iTerm2 is a file in base64, with its size", async () => {
  const drawn = await drawPicture(await picture(60, 90), "iterm2");
  const [head, data] = drawn.split(":");
  const [, bytes] = head.match(/inline=1;size=(\d+);height=12;preserve/)!;
  ok(head.startsWith("\x1b]1337;File=") && data.endsWith("\x07\n"));
  const file = Buffer.from(data.slice(0, -2), "base64");
  strictEqual(file.length, Number(bytes));
  strictEqual((await sharp(file).metadata()).height, 90);
});

Deno.test("a picture in Sixel decodes to what it was, nearly", async () => {
  const drawn = await drawPicture(await picture(480, 96), "sixel");
  ok(drawn.startsWith("\x1bP") && drawn.endsWith("\x1b\\\n"));
  const dots = drawn.slice(drawn.indexOf("q") + 1, -"\x1b\\\n".length);
  const { width, height, data32 } = decode(dots);
  deepStrictEqual([width, height], [240, 48]);
  const [red, green, blue] = new Uint8Array(data32.buffer, data32.byteOffset);
  ok(red > 240 && green < 15 && blue < 15, `${red} ${green} ${blue}`);
});

Deno.test("a picture in half blocks is two dots a character, and fits its lines", async () => {
  const drawn = await drawPicture(await picture(200, 100), "blocks");
  const lines = drawn.trimEnd().split("\n");
  strictEqual(lines.length, 6);
  strictEqual(lines[0].split("▀").length - 1, 24);
  ok(lines[0].startsWith("\x1b[38;2;255;0;0;48;2;255;0;0m▀"));
});

Deno.test("a picture is no wider than the terminal, in any protocol", async () => {
  const wide = await picture(200, 100);
  for (const columns of [20, 5, 1]) {
    const drawn = await drawPicture(wide, "blocks", { columns });
    strictEqual(drawn.split("\n")[0].split("▀").length - 1, columns);
  }
  match(await drawPicture(wide, "kitty", { columns: 5 }), /,c=5,/);
  match(await drawPicture(wide, "iterm2", { columns: 5 }), /;width=5;/);
  const sixel = await drawPicture(wide, "sixel", { columns: 5 });
  match(sixel, /"1;1;50;25/);
});

Deno.test("half blocks have the nearest of 256 colours where there are no more", async () => {
  const drawn = await drawPicture(await picture(200, 100), "blocks", {
    trueColour: false,
  });
  ok(drawn.startsWith("\x1b[38;5;196;48;5;196m▀"), "red is 16 + 36 × 5");
  ok(!drawn.includes("8;2;"));
});
