import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  mkdir,
  readdir,
  rename,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { paths } from "#lib/paths.ts";
import {
  largePicture,
  readUpload,
  saveUpload,
  thumbnailOf,
} from "#lib/search_page/served_pictures.ts";
import { plain } from "../support/colour_encoder.ts";
import { ask, openOver, withFolder } from "../support/search_app.ts";

/** A wide picture, red on its left, as a camera held upright takes it. */
async function lyingOnItsSide(width: number, height: number) {
  const picture = sharp({
    create: { width, height, channels: 3, background: "blue" },
  }).composite([{
    input: {
      create: { width: width / 2, height, channels: 3, background: "red" },
    },
    left: 0,
    top: 0,
  }]);
  // 6: to be turned to the right, so that its left becomes the top.
  return await picture.withMetadata({ orientation: 6 }).jpeg().toBuffer();
}

/** Whether a picture is upright: that many pixels, red above, blue below. */
async function isUpright(bytes: Uint8Array, width: number, height: number) {
  const { data, info } = await sharp(bytes).raw()
    .toBuffer({ resolveWithObject: true });
  deepEqual([info.width, info.height], [width, height]);
  const last = data.length - info.channels;
  ok(data[0] > 200 && data[2] < 60, "red above");
  ok(data[last] < 60 && data[last + 2] > 200, "blue below");
}

Deno.test("thumbnails and large pictures are turned as the camera says", () =>
  withFolder(async (folder) => {
    const file = join(folder, "lying.jpg");
    await writeFile(file, await lyingOnItsSide(2000, 1000));
    const app = await openOver(folder);
    const id = app.searcher.spaces[0].collection.idOf(0);
    await isUpright((await ask(app, `thumbnail/${id}`)).bytes, 480, 480);
    await isUpright((await ask(app, `picture/${id}`)).bytes, 1000, 2000);
    await isUpright((await ask(app, `whole/${id}`)).bytes, 1000, 2000);
    const { picture } = (await ask(
      app,
      "upload",
      await lyingOnItsSide(2000, 1000),
    )).json;
    await isUpright(
      (await ask(app, `uploaded/${picture.slice(7)}`)).bytes,
      512,
      1024,
    );
    await app.close();
  }));

Deno.test("of a long picture a tile has its middle, and the light box all its pixels", async () => {
  const sizeOf = async (bytes: Uint8Array) => {
    const { width, height } = await sharp(bytes).metadata();
    return [width, height];
  };
  const of = async (width: number, height: number) => {
    const picture = await sharp({
      create: { width, height, channels: 3, background: "red" },
    }).png().toBuffer();
    return await Promise.all([
      thumbnailOf(picture).then(sizeOf),
      largePicture(picture).then(sizeOf),
      largePicture(picture, "whole").then(sizeOf),
    ]);
  };
  await withFolder(async () => {
    deepEqual(await of(300, 200), [[200, 200], [300, 200], [300, 200]]);
    deepEqual(await of(790, 20_000), [[480, 480], [397, 10_063], [
      790,
      20_000,
    ]]);
    deepEqual(await of(60_000, 40), [[40, 40], [60_000, 40], [60_000, 40]]);
    deepEqual(await of(12_000, 9000), [[480, 480], [2309, 1732], [6532, 4899]]);
    deepEqual(
      (await of(100_000, 40))[2],
      [65_500, 26],
      "as long as a JPEG can be",
    );
  });
});

Deno.test("a thumbnail of an older size is not served", () =>
  withFolder(async (folder) => {
    const file = join(folder, "a.png");
    await writeFile(file, await plain("red", "png", 600));
    await thumbnailOf(file);
    const kept = join(paths.search, "thumbnails");
    const [name] = await readdir(kept);
    equal(name.replace(/^\w{32}/, ""), "-480.webp");
  }));

Deno.test("a thumbnail is made once, and anew when the file changes", () =>
  withFolder(async (folder) => {
    const file = join(folder, "a.png");
    const kept = () => readdir(join(paths.search, "thumbnails"));
    await writeFile(file, await plain("red", "png", 64));
    const first = await thumbnailOf(file);
    deepEqual(await thumbnailOf(file), first);
    equal((await kept()).length, 1);
    await writeFile(file, await plain("blue", "png", 64));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    const second = await thumbnailOf(file);
    ok((await sharp(second).stats()).dominant.b > 200);
    equal((await kept()).length, 2);
    await rejects(thumbnailOf(join(folder, "gone.png")), /file not found/);
    await rejects(largePicture(join(folder, "gone.png")));
  }));

Deno.test("an upload is kept small under its content's name, and read by no other", () =>
  withFolder(async () => {
    const picture = await plain("red", "png", 700);
    const name = await saveUpload(picture);
    equal(await saveUpload(picture), name);
    const { width, height, format } = await sharp(await readUpload(name))
      .metadata();
    deepEqual([width, height, format], [512, 512, "jpeg"]);
    equal(await readUpload("0".repeat(64)), undefined);
    equal(await readUpload("../thumbnails/x"), undefined);
    await rejects(saveUpload(new Uint8Array(9)), /not a JPEG/);
  }));

Deno.test("of a panorama as much of its height is kept as of any picture", () =>
  withFolder(async () => {
    const wide = await sharp(await plain("red", "png", 900))
      .resize(18_000, 900, { fit: "fill" }).png().toBuffer();
    const { width, height } = await sharp(
      await readUpload(await saveUpload(wide)),
    ).metadata();
    deepEqual([width, height], [10_240, 512]);
  }));

Deno.test("of uploads, the 200 newest are kept", () =>
  withFolder(async () => {
    const first = await saveUpload(await plain("red"));
    const folder = join(paths.search, "uploads");
    const hour = 3_600_000, now = Date.now();
    await utimes(join(folder, `${first}.jpg`), now / 1000, (now - hour) / 1000);
    for (let age = 0; age < 199; age++) {
      const path = join(folder, `${String(age).padStart(64, "0")}.jpg`);
      await writeFile(path, "");
      await utimes(path, now / 1000, (now - age * 1000) / 1000);
    }
    equal((await readdir(folder)).length, 200);
    const second = await saveUpload(await plain("blue"));
    ok(await readUpload(second), "the newest stays");
    equal(await readUpload(first), undefined, "the oldest is gone");
    equal((await readdir(folder)).length, 200);
    await saveUpload(await plain("green"));
    const names = await readdir(folder);
    deepEqual(
      [names.length, names.includes(`${String(198).padStart(64, "0")}.jpg`)],
      [200, false],
    );
  }));

Deno.test("a query's picture that cannot be written can be searched for all the same", async () => {
  // A file where the folder is to be.
  const uploads = join(paths.search, "uploads");
  const aside = `${uploads}-aside`;
  await mkdir(uploads, { recursive: true });
  await rename(uploads, aside);
  await writeFile(uploads, "");
  try {
    const name = await saveUpload(await plain("teal"));
    ok((await readUpload(name))!.length > 0);
  } finally {
    await rm(uploads);
    await rename(aside, uploads);
  }
});
