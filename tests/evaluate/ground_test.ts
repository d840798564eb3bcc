import { deepStrictEqual, ok } from "node:assert/strict";
import sharp from "sharp";
import { groundColours, paintGround } from "#lib/evaluate/ground.ts";
import { decodePicture } from "#lib/pictures/pictures.ts";

Deno.test("groundColours() gives the same colours each time, none nearly white", () => {
  const colours = groundColours(1000);
  deepStrictEqual(groundColours(3), colours.slice(0, 3));
  ok(new Set(colours.map(String)).size > 990);
  ok(colours.flat().every((level) => level >= 0 && level < 240));
});

Deno.test("paintGround() paints what is nearly white, and nothing else", async () => {
  const pixels = Uint8Array.of(
    ...[240, 240, 240],
    ...[255, 255, 239],
    ...[255, 255, 255],
    ...[0, 0, 0],
  );
  const raw = { width: 2, height: 2, channels: 3 } as const;
  const image = await sharp(pixels, { raw }).png().toBuffer();
  const painted = await paintGround(image, [1, 2, 3]);
  const { data } = await decodePicture(painted, { longest: 320 });
  deepStrictEqual(
    [...data],
    [1, 2, 3, 255, 255, 239, 1, 2, 3, 0, 0, 0],
  );
});
