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
