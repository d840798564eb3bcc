import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import sharp from "sharp";
import { hitGrid, imageGrid } from "#lib/display/grid.ts";
import type { Picture } from "#lib/records.ts";
import {
  bundle,
  foreignMarkup,
  HOSTILE,
  outcome,
  picture,
  runScript,
} from "../support/shown.ts";

Deno.test("imageGrid() shows hostile titles, captions and alt texts as text", async () => {
  const image = await picture(40, 30);
  const grid = bundle(
    await imageGrid(
      [{ image, alt: HOSTILE, title: HOSTILE, caption: HOSTILE, query: true }, {
        image,
        alt: HOSTILE,
        title: HOSTILE,
        caption: HOSTILE,
        good: true,
      }, { image: `/${HOSTILE}`, alt: HOSTILE }],
      { caption: HOSTILE },
    ),
  );
  deepEqual(foreignMarkup(grid["text/html"]), []);
  equal(grid["text/html"].match(/<img /g)?.length, 2);
  equal(grid["text/plain"].split("\n").length, 4);
  equal(/[^\n\P{Cc}]/u.test(grid["text/html"]), false);
  ok(!grid["text/plain"].includes("\u001b"));
});

Deno.test("imageGrid() gives a corrupt picture a cell with the reason, and the others their numbers", async () => {
  const whole = await sharp(await picture(300, 300)).jpeg().toBuffer();
  const items = [
    { image: whole, alt: "first" },
    { image: new TextEncoder().encode("<html>404"), alt: "second" },
    { image: whole.subarray(0, whole.length / 2), alt: "third" },
    { image: "/nowhere/of/all/birds/owl.jpg", alt: "fourth" },
    { image: whole, alt: "fifth", title: "owl" },
  ];
  const grid = bundle(await imageGrid(items));
  const lines = grid["text/plain"].split("\n");
  equal(lines[0], "1. first");
  match(
    lines[1],
    /^2\. second · no picture: HTML is not supported, expected a JPEG/,
  );
  match(lines[2], /^3\. third · no picture: /);
  equal(lines[3], "4. fourth · all/birds/owl.jpg · no picture: file not found");
  equal(lines[4], "5. owl");
  equal(grid["text/html"].match(/<img /g)?.length, 2);
  ok(!grid["text/html"].includes("/nowhere"));
  // Room for the reason where there is no picture beside it to give some.
  const alone = bundle(await imageGrid([{ image: "/nowhere.jpg", alt: "a" }]));
  match(alone["text/html"], /height:64px[^>]*><i>no picture: file not found</);
});

Deno.test("imageGrid() says by sign and word which hits are relevant, and keeps queries apart", async () => {
  const image = await picture(20, 20);
  const grid = bundle(
    await imageGrid([
      { image, alt: "a", good: true },
      { image, alt: "b", good: false },
      { image, alt: "q", query: true },
    ]),
  );
  equal(
    grid["text/plain"],
    "Query: q\n1. a · ✓ relevant\n2. b · ✗ not relevant",
  );
  // Readable where styles are stripped: the words are in the markup.
  const plain = grid["text/html"].replace(/ style="[^"]*"/g, "");
  ok(plain.indexOf('alt="q"') < plain.indexOf('alt="a"'));
  match(plain, /Query<\/th>.*Hits/s);
  // In one line there, too.
  match(plain, /✓&nbsp;relevant<.*✗&nbsp;not&nbsp;relevant</s);
});

Deno.test("imageGrid() makes small thumbnails: six pictures stay well under 30 KB", async () => {
  const image = await picture(1024, 768);
  const items = Array.from({ length: 6 }, () => ({ image, alt: "noise" }));
  const { "text/html": html } = bundle(await imageGrid(items));
  ok(html.length < 6_000, `${html.length} bytes`);
  match(html, /width="112" height="84"/);
});

Deno.test("imageGrid() lays out no pictures at all, and refuses impossible sizes", async () => {
  match(
    `${await imageGrid([], { caption: "Above 0.9" })}`,
    /Above 0\.9\nno pictures/,
  );
  await rejects(
    imageGrid([], { columns: 0 }),
    /imageGrid: expected columns from 1 to 50, got 0/,
  );
});

Deno.test("imageGrid() turns pictures as their EXIF says, and lays transparency on white", async () => {
  const red = await sharp({
    create: { width: 30, height: 60, channels: 3, background: "red" },
  }).png().toBuffer();
  const create = { width: 60, height: 60, channels: 4 } as const;
  const clear = { create: { ...create, background: "#00000000" } };
  // A red left half, which a camera held upright took: it is the upper one.
  const lying = await sharp(clear).composite([{ input: red, left: 0, top: 0 }])
    .png().toBuffer();
  const wide = await sharp(lying).resize(120, 60, { fit: "fill" })
    .flatten({ background: "white" }).withMetadata({ orientation: 6 })
    .jpeg().toBuffer();
  const grid = bundle(
    await imageGrid([{ image: wide, alt: "turned" }, {
      image: await sharp(clear).png().toBuffer(),
      alt: "clear",
    }]),
  )["text/html"];
  match(grid, /alt="turned" width="56" height="112"/);
  const drawn = [...grid.matchAll(/base64,([^"]+)/g)].map(([, data]) =>
    Buffer.from(data, "base64")
  );
  const [turned, white] = await Promise.all(
    drawn.map((file) =>
      sharp(file).raw().toBuffer({ resolveWithObject: true })
    ),
  );
  equal(`${turned.info.width} × ${turned.info.height}`, "56 × 112");
  const at = (x: number, y: number) => {
    const start = 3 * (y * turned.info.width + x);
    return [...turned.data.subarray(start, start + 3)];
  };
  ok(at(28, 20)[1] < 60, `above: ${at(28, 20)}`);
  ok(at(28, 92)[1] > 200, `below: ${at(28, 92)}`);
  ok(white.data.every((value) => value > 250));
});

Deno.test("imageGrid() cuts titles and captions to two lines, at a word, and keeps the whole in the title attribute", async () => {
  const image = await picture(20, 20);
  const grid = async (title: string, caption?: string, columns?: number) => {
    const items = [{ image, alt: "a", title, caption }];
    return bundle(await imageGrid(items, { columns }));
  };
  const shown = async (title: string, columns?: number) =>
    (await grid(title, undefined, columns))["text/html"]
      .match(/<b(?: title="(.*?)")?>(.*?)<\/b>/)!.slice(1);
  // 112 pixels hold about 15 letters a line.
  deepEqual(await shown("a motor vehicle"), [undefined, "a motor vehicle"]);
  deepEqual(
    await shown("a musical instrument"),
    [undefined, "a musical instrument"],
  );
  const long = "A blackbuck antelope with twisted horns & more.";
  deepEqual(await shown(long), [
    long.replace("&", "&amp;"),
    "A blackbuck antelope with…",
  ]);
  // Fewer columns are wider.
  equal((await shown(long, 3))[0], undefined);
  equal(
    (await shown("one two-three four, fivefive-six"))[1],
    "one two-three four, fivefive…",
  );
  equal((await shown("é".repeat(16)))[1], `${"é".repeat(14)}…`);
  equal((await shown(`1${"\n ".repeat(40)}2`))[1], "1 2");
  const { "text/html": html, "text/plain": text } = await grid(
    "x",
    `${"word ".repeat(11)}last words`,
  );
  match(
    html,
    /<b>x<\/b><br><span title="(word ){11}last words">(word ){5}word…</,
  );
  match(text, /^1\. x · (word ){11}last…$/);
});

Deno.test("imageGrid() makes thumbnails of 112 pixels or more, larger in fewer columns", async () => {
  const image = await picture(400, 400);
  const width = async (columns?: number, query?: boolean) => {
    const items = [{ image, alt: "a" }, { image, alt: "q", query }];
    const { "text/html": html } = bundle(await imageGrid(items, { columns }));
    return Number(html.match(/<img [^>]*width="(\d+)"/)![1]);
  };
  deepEqual(
    [await width(), await width(10), await width(undefined, true)],
    [112, 112, 112],
  );
  deepEqual([await width(4), await width(3), await width(1)], [160, 220, 220]);
});

Deno.test("imageGrid() numbers its cells row by row, six a row or as many as asked for", async () => {
  const image = await picture(20, 20);
  const items = Array.from({ length: 7 }, (_, n) => ({ image, alt: `${n}` }));
  const rowsOf = async (...rest: Parameters<typeof imageGrid>) =>
    bundle(await imageGrid(...rest))["text/html"].split("</tr>").slice(0, -1)
      .map((row) =>
        [...row.matchAll(/<b>(\d)\.</g)].map(([, n]) => n).join("")
      );
  deepEqual(await rowsOf(items), ["123456", "7"]);
  deepEqual(await rowsOf(items, { columns: 3 }), ["123", "456", "7"]);
  const asked = [...items, { image, alt: "q", query: true }];
  deepEqual(await rowsOf(asked), ["", "12345", "67"]);
  // A picture alone needs no number.
  deepEqual(await rowsOf(items.slice(0, 1)), [""]);
  const html = bundle(await imageGrid(asked))["text/html"];
  match(html, /<td [^>]*rowspan="2"[^>]*><div[^>]*><img [^>]*alt="q"/);
  match(html, /colspan="5">Hits/);
});

Deno.test("imageGrid() takes thumbnails of 16 to 512 pixels", async () => {
  const items = [{ image: await picture(600, 300), alt: "wide" }];
  for (const size of [15, 513, 100.5]) {
    await rejects(imageGrid(items, { size }), {
      name: "RangeError",
      message: `imageGrid: expected size from 16 to 512, got ${size}`,
    });
  }
  await rejects(imageGrid(items, { columns: 51 }), /from 1 to 50, got 51/);
  const html = async (size: number) =>
    bundle(await imageGrid(items, { size }))["text/html"];
  match(await html(512), /width="512" height="256"/);
  match(await html(16), /<td [^>]*width="16"/);
});

Deno.test("hitGrid() marks hits of the query's class, with values fit to read", async () => {
  const made = (name: string, term: string): Picture => ({
    ...{ category: "", url: "", page: "", author: "", license: "" },
    path: `train/${term}/${name}.jpg`,
    term,
    caption: `A ${name} & more`,
  });
  const gallery = [made("a", "owl"), made("b", "saw"), made("c", "owl")];
  const query = { ...made("q", "owl"), path: "test/owl/q.jpg" };
  const hits = [{ index: 2, value: 0.98765 }, { index: 1, value: -1234567.8 }];
  const shown = bundle(
    await hitGrid(query, hits, gallery, { caption: "By x" }),
  );
  deepEqual(shown["text/plain"].split("\n"), [
    "By x",
    "Query: owl · query · test/owl/q.jpg · no picture: file not found",
    "1. owl · 0.988 · ✓ relevant · train/owl/c.jpg · no picture: file not found",
    "2. saw · -1,234,568 · ✗ not relevant · train/saw/b.jpg · no picture: file " +
    "not found",
  ]);
  const [text] = bundle(
    await hitGrid(undefined, [{ index: 0, value: 100 }], gallery),
  )["text/plain"].split("\n");
  equal(text, "1. owl · 100 · train/owl/a.jpg · no picture: file not found");
});

Deno.test("hitGrid() says what each picture shows, for those who do not see it", async () => {
  const data = await Deno.makeTempDir();
  const { stdout } = await outcome(runScript(
    `
    const { hitGrid } = await import("#lib/display/grid.ts");
    const { picturePath } = await import("#lib/dataset/dataset.ts");
    const { jupyterDisplay } = await import("#lib/display/display.ts");
    const owl = { path: "train/owl/a.jpg", term: "owl", caption: "A snowy owl" };
    await Deno.mkdir(picturePath({ path: "train/owl" }), { recursive: true });
    await Deno.copyFile("data/sample/animals/fish/${
      [...Deno.readDirSync("data/sample/animals/fish")][0].name
    }", picturePath(owl));
    const shown = await hitGrid(undefined, [{ index: 0, value: 1 }], [owl]);
    console.log(shown[jupyterDisplay]()["text/html"]);`,
    { CONTACT_SHEET_DATA: data },
  ));
  match(stdout, /<img src="data:image\/jpeg[^>]* alt="A snowy owl" width=/);
  await Deno.remove(data, { recursive: true });
});
