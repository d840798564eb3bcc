import { deepStrictEqual, match } from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captionsBeside } from "#lib/captions/beside.ts";

Deno.test("captionsBeside() reads metadata.jsonl of a folder and of its splits, and says what is odd", async () => {
  const folder = await mkdtemp(join(tmpdir(), "beside-"));
  try {
    await mkdir(join(folder, "train"));
    const write = (name: string, ...rows: object[]) =>
      writeFile(
        join(folder, name),
        rows.map((row) => JSON.stringify(row)).join("\n"),
      );
    await write("metadata.jsonl", { file_name: "test/a.jpg", text: "Test A" });
    await write(
      "train/metadata.jsonl",
      { file_name: "owl/a.jpg", caption: "Train A", author: "Ada" },
      { file_name: "owl/b.jpg", label: 3, license: "CC0" },
    );
    await write("captions.json", {
      "train/owl/a.jpg": "an older caption",
      "train/owl/c.jpg": "Train C",
      "../up.jpg": "x",
    });
    const found = ["test/a.jpg", "train/owl/a.jpg", "train/owl/b.jpg"];
    const { captioned, problems } = await captionsBeside(folder, [
      ...found,
      "train/owl/c.jpg",
    ]);
    deepStrictEqual(
      [...captioned].map(([path, { caption, author, license }]) =>
        [path, caption, author, license].join("|")
      ).toSorted(),
      [
        "test/a.jpg|Test A||",
        "train/owl/a.jpg|Train A|Ada|",
        "train/owl/b.jpg|||CC0",
        "train/owl/c.jpg|Train C||",
      ],
    );
    match(problems.join("\n"), /^"\.\.\/up\.jpg" is no path [^\n]*$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("captionsBeside() knows authors and licences by all their names, in tables and in any folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "beside-"));
  try {
    await mkdir(join(folder, "birds", "owl"), { recursive: true });
    await writeFile(
      join(folder, "metadata.csv"),
      '\ufeffFile_Name;Licence;Creator\r\nbirds/a.jpg;CC0;"Ada; Bob"\r\n' +
        "gone.jpg;CC0;Ada\r\n",
    );
    const rows = [
      { file_name: "b.jpg", License: "CC BY 4.0", Author: "Ada" },
      { file_name: "c.jpg", licence: "CC BY", photographer: "Bob" },
      {
        file_name: "d.jpg",
        license_url: "https://cc.example/by",
        artist: "Eve",
      },
      ...["e", "f", "g", "h"].map((name) => ({ file_name: `${name}.jpg` })),
    ];
    await writeFile(
      join(folder, "birds", "owl", "metadata.jsonl"),
      rows.map((row) => JSON.stringify(row)).join("\n"),
    );
    await writeFile(
      join(folder, "captions.json"),
      '{"birds/owl/b.jpg": "An owl"}',
    );
    const found = ["birds/a.jpg"]
      .concat(["b", "c", "d"].map((name) => `birds/owl/${name}.jpg`));
    const { captioned, problems } = await captionsBeside(folder, found);
    deepStrictEqual(
      found.map((path) => captioned.get(path)!)
        .map(({ caption, author, license }) => [caption, author, license]),
      [
        ["", "Ada; Bob", "CC0"],
        ["An owl", "Ada", "CC BY 4.0"],
        ["", "Bob", "CC BY"],
        ["", "Eve", "https://cc.example/by"],
      ],
    );
    deepStrictEqual(problems.map((one) => one.replace(folder, "")), [
      "/metadata.csv: gone.jpg is no picture that is there",
      "/birds/owl/metadata.jsonl: birds/owl/e.jpg, birds/owl/f.jpg, " +
      "birds/owl/g.jpg and 1 more are no pictures that are there",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
