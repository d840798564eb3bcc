import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Exif } from "sharp";
import { FileHashes } from "#lib/embeddings/file_hashes.ts";
import { KeptFacts } from "#lib/embeddings/kept_facts.ts";
import { NO_FACTS, photoFacts, withFile } from "#lib/pictures/photo_facts.ts";

/** A photograph with these notes. */
const photo = (exif: Exif, orientation = 1) =>
  sharp({
    create: { width: 60, height: 40, channels: 3, background: "red" },
  }).jpeg().withExif(exif).withMetadata({ orientation }).toBuffer();

const taken = async (date: string) =>
  (await photoFacts(await photo({ IFD2: { DateTimeOriginal: date } }))).date;

Deno.test("photoFacts() reads what a camera notes", async () => {
  const facts = await photoFacts(
    await photo({
      IFD0: { Make: "Canon", Model: "Canon EOS 5D" },
      IFD2: {
        DateTimeOriginal: "2019:06:01 12:00:00",
        LensModel: "EF50mm f/1.8 STM",
        ExposureTime: "1/250",
        FNumber: "28/10",
        ISOSpeedRatings: "400",
        FocalLength: "50/1",
      },
      IFD3: {
        GPSLatitudeRef: "N",
        GPSLatitude: "51/1 30/1 0/1",
        GPSLongitudeRef: "W",
        GPSLongitude: "0/1 6/1 0/1",
      },
    }),
  );
  deepStrictEqual(facts, {
    ...{ width: 60, height: 40, bytes: 0 },
    ...{ date: "2019-06-01T12:00:00", dateFrom: "EXIF" },
    ...{ camera: "Canon EOS 5D", lens: "EF50mm f/1.8 STM" },
    exposure: "1/250 s, f/2.8, ISO 400, 50 mm",
    place: { latitude: 51.5, longitude: -0.1 },
  });
});

Deno.test("width and height are as the picture is shown", async () => {
  const { width, height } = await photoFacts(await photo({}, 6));
  deepStrictEqual([width, height], [40, 60]);
});

Deno.test("a camera's maker is said once", async () => {
  const camera = async (Make: string, Model: string) =>
    (await photoFacts(await photo({ IFD0: { Make, Model } }))).camera;
  strictEqual(await camera("NIKON CORPORATION", "NIKON D90"), "NIKON D90");
  strictEqual(await camera("Apple", "iPhone 12"), "Apple iPhone 12");
});

Deno.test("dates that cannot be are none", async () => {
  for (
    const date of [
      ...["0000:00:00 00:00:00", "1700:01:01 00:00:00", "2019:13:41 00:00:00"],
      ...["2999:01:01 00:00:00", "2019:06:31 00:00:00", "yesterday", "    :  "],
      "0019:06:01 12:00:00",
    ]
  ) strictEqual(await taken(date), "", date);
  strictEqual(await taken("1839:01:07 10:00:00"), "1839-01-07T10:00:00");
});

Deno.test("what strangers noted is one line of bounded length", async () => {
  const Model = `A\u001b[31m\u0007 <b>${"x".repeat(500)}`;
  const { camera } = await photoFacts(await photo({ IFD0: { Model } }));
  strictEqual(camera.length, 80);
  ok(camera.startsWith("A [31m <b>xxx"), camera);
});

Deno.test("damaged notes cost neither the size nor the picture", async () => {
  const whole = await photo({ IFD0: { Model: "Canon EOS 5D" } });
  const at = whole.indexOf("Exif\0\0") + 6;
  for (let seed = 0; seed < 300; seed++) {
    const bytes = Buffer.from(whole);
    for (let i = 0; i < 6; i++) bytes[at + (seed * 31 + i * 17) % 60] = seed;
    const { width, height, camera } = await photoFacts(bytes);
    deepStrictEqual([width * height, typeof camera], [2400, "string"]);
  }
  deepStrictEqual(await photoFacts(Buffer.from("<svg/>")), NO_FACTS);
  deepStrictEqual(await photoFacts("/not/there.jpg"), NO_FACTS);
});

Deno.test("a picture without a date has that of its file, by the clock here", () => {
  const noon = new Date(2020, 0, 2, 12, 30);
  const { date, dateFrom, bytes } = withFile(NO_FACTS, 7, noon.getTime());
  deepStrictEqual([date, dateFrom, bytes], [
    ...["2020-01-02T12:30:00", "file", 7],
  ]);
  deepStrictEqual(withFile(NO_FACTS, 7, 0).date.slice(0, 2), "19");
  deepStrictEqual(withFile(NO_FACTS, 7, 1e15).dateFrom, "");
});

Deno.test("facts are kept by content: a renamed file is not opened for them again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "facts-"));
  const kept = join(folder, "facts.jsonl");
  const source = join(folder, "a.jpg");
  const Model = "Canon EOS 5D";
  await writeFile(source, await photo({ IFD0: { Model } }));
  await utimes(source, 0, new Date(2020, 0, 2));
  const files = await FileHashes.open(join(folder, "files.jsonl"));
  const sha256 = await files.of(source);
  const facts = await KeptFacts.open(kept, files);
  const { camera, date, bytes } = await facts.of({ source, sha256 });
  deepStrictEqual([camera, date], [Model, "2020-01-02T00:00:00"]);
  strictEqual(bytes, (await readFile(source)).length);
  await facts.save();
  await writeFile(kept, (await readFile(kept, "utf8")) + '{"sha256":"cut sh');
  await rm(source);
  const again = await KeptFacts.open(kept, files);
  strictEqual((await again.of({ source: "b.jpg", sha256 })).camera, Model);
  await rm(folder, { recursive: true });
});
