/**
 * Photographs of the search page, taken by a real browser.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import sharp from "sharp";
import { photographPage } from "#lib/search_page/photograph.ts";
import { openOver, paint, withFolder } from "../support/search_app.ts";

const WINDOW = { width: 800, height: 600 };

/** Runs `test` with the address of a page over a few shades. */
const withAddress = (test: (url: string) => Promise<void>) =>
  withFolder(async (folder) => {
    await paint(folder, 4);
    const app = await openOver(folder);
    try {
      await test(app.url);
    } finally {
      await app.close();
    }
  });

Deno.test("a photograph has the format, the size and the theme asked for", () =>
  withAddress(async (url) => {
    const options = { ...WINDOW, scale: 1.5, format: "png" } as const;
    const picture = await photographPage(url, "red", options);
    const { format, width, height } = await sharp(picture).metadata();
    deepStrictEqual([format, width, height], ["png", 1200, 900]);
    const other = await photographPage(url, "red", { theme: "dark" });
    const [light, dark] = await Promise.all(
      [picture, other].map((one) => sharp(one).greyscale().stats()),
    );
    ok(dark.channels[0].mean < light.channels[0].mean);
  }));

Deno.test("a photograph shows what may not fit, below what fits", () =>
  withAddress(async (url) => {
    const options = { ...WINDOW, format: "png" } as const;
    const picture = await photographPage(url, "red", options);
    const { data, info } = await sharp(picture).removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    const last = (isOf: (red: number, blue: number) => boolean) => {
      for (let i = data.length - 3; i >= 0; i -= 3) {
        if (isOf(data[i], data[i + 2])) return Math.floor(i / 3 / info.width);
      }
      return -1;
    };
    const lastRed = last((red, blue) => red > 200 && blue < 50);
    const lastBlue = last((red, blue) => blue > 200 && red < 10);
    ok(lastRed > 0 && lastBlue > lastRed, `${lastRed}, ${lastBlue}`);
  }));
