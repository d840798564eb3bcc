/**
 * Makes the sample pictures from two Debian packages.
 *
 * `tuxpaint-stamps-default` holds photographs cut out of their background (PNG
 * with transparency), `gcompris-qt-data` photographs with the world around the
 * thing (WebP in Qt resource files). Get and unpack both on Debian or Ubuntu
 * with
 *
 * ```text
 * apt-get download tuxpaint-stamps-default gcompris-qt-data
 * for package in *.deb; do dpkg -x $package unpacked; done
 * deno run -A data/sample/make.ts unpacked
 * ```
 *
 * captions.json says which file becomes which picture. A stamp is laid on a
 * white canvas of a camera's shape (4:3, 1:1 or 3:4, whichever holds it best),
 * so that a square crop of the middle still shows what it is of; a photograph
 * is made smaller. The same packages, captions.json and sharp give the same
 * bytes again.
 */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import process from "node:process";
import sharp from "sharp";
import { writeAtomic } from "../../lib/files.ts";
import { paths } from "../../lib/paths.ts";
import { readResource } from "./rcc.ts";

/** Longest side of a canvas, and of a photograph, in pixels. */
const longest = 256, longestPhotograph = 320;
/** Small stamps are enlarged, but never so far that they turn to mush. */
const largestScale = 2;
/** The white left around a stamp, as a share of the canvas's sides. */
const margin = 1 / 16;

const usage = "deno run -A data/sample/make.ts UNPACKED_FOLDER";

/** The canvas's width to its height, as a camera's formats have it. */
function canvasShape(width: number, height: number): [number, number] {
  if (width / height > 7 / 6) return [4, 3];
  if (width / height < 6 / 7) return [3, 4];
  return [1, 1];
}

/** One stamp on its white canvas, as JPEG. */
async function compose(stamp: Uint8Array): Promise<Uint8Array> {
  const { width, height } = await sharp(stamp).metadata();
  const [across, down] = canvasShape(width, height);
  // The canvas is `across` by `down` squares of this side, in stamp pixels.
  const side = Math.max(width / across, height / down) * (1 + 2 * margin);
  const scale = Math.min(
    largestScale,
    longest / (side * Math.max(across, down)),
  );
  const canvas = {
    width: Math.round(side * across * scale),
    height: Math.round(side * down * scale),
  };
  const object = await sharp(stamp)
    .resize(Math.round(width * scale), Math.round(height * scale), {
      fit: "fill",
    })
    .png()
    .toBuffer();
  return await sharp({
    create: { ...canvas, channels: 3, background: "white" },
  })
    .composite([{ input: object, gravity: "centre" }])
    .jpeg({ quality: 90, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

/** A photograph with its longest side made shorter, as JPEG. */
async function shrink(photograph: Uint8Array): Promise<Uint8Array> {
  return await sharp(photograph)
    .resize(longestPhotograph, longestPhotograph, {
      fit: "inside",
      withoutEnlargement: true,
    })
    .jpeg({ quality: 90, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

/** The picture that captions.json makes of a source. */
async function make(share: string, source: string): Promise<Uint8Array> {
  if (source.endsWith(".png")) {
    return await compose(
      await readFile(join(share, "tuxpaint/stamps", source)),
    );
  }
  // Each activity has a resource file of its own.
  const [activity] = source.split("/");
  const rcc = await readFile(join(share, `gcompris-qt/rcc/${activity}.rcc`));
  return await shrink(
    readResource(rcc, `gcompris/src/activities/${source}`),
  );
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(
      `${usage}\n\nMakes the sample pictures from the folder in which the ` +
        "Debian packages tuxpaint-stamps-default and gcompris-qt-data are " +
        "unpacked.",
    );
    return;
  }
  const [unpacked] = positionals;
  if (positionals.length !== 1) {
    throw new Error(
      `expected one folder, got ${positionals.length}: ${usage}`,
    );
  }
  const share = join(unpacked, "usr/share");
  for (const folder of ["tuxpaint/stamps", "gcompris-qt/rcc"]) {
    await access(join(share, folder)).catch(() => {
      throw new Error(
        `${unpacked} has no folder usr/share/${folder}: unpack tuxpaint-stamps-default and gcompris-qt-data into it`,
      );
    });
  }
  const captions: Record<string, { source: string }> = JSON.parse(
    await readFile(join(paths.sample, "captions.json"), "utf8"),
  );
  let bytes = 0;
  for (const [path, { source }] of Object.entries(captions)) {
    const picture = await make(share, source);
    await writeAtomic(join(paths.sample, path), picture);
    bytes += picture.length;
  }
  const count = Object.keys(captions).length;
  console.log(`${count} pictures, ${(bytes / 1e6).toFixed(2)} MB`);
}

try {
  await main();
} catch (error) {
  console.error(`make.ts: ${(error as Error).message}`);
  process.exitCode = 1;
}
