import { match, strictEqual } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hitOf } from "#lib/search_page/engine/search_result.ts";
import { drawResult } from "#lib/search_page/terminal/hits.ts";
import { plain } from "../../support/colour_encoder.ts";
import { withFolder } from "../../support/search_app.ts";
import { vectorSpace } from "../../support/vector_space.ts";

const { collection } = vectorSpace([
  { path: "red.png", vector: [1], caption: "A red\nwall\x1b[2J", title: "red" },
  { path: "gone.png", vector: [1], title: "gone" },
]);
const hits = [0, 1].map((row) => ({
  ...hitOf(collection, row),
  value: 0.5 / (row + 1),
  fits: row === 0,
}));

Deno.test("a hit is a line: rank, similarity, how far above the line, path; with nothing that a terminal obeys", async () => {
  strictEqual(
    await drawResult({ hits, line: 0.42 }),
    "  1  0.500  +0.08  red.png  A red wall [2J\n" +
      "These may not fit:\n" +
      "  2  0.250  −0.17  gone.png  gone",
  );
  strictEqual(
    await drawResult({ hits: hits.slice(1), line: 0.42 }),
    "Nothing here seems to show this. The nearest:\n" +
      "  1  0.250  −0.17  gone.png  gone",
  );
  strictEqual(
    await drawResult({ hits: hits.slice(0, 1) }),
    "  1  0.500  red.png  A red wall [2J",
  );
  const captions = ["A wall", "Red", "Paint"];
  match(
    await drawResult({ hits: [{ ...hits[0], captions }] }),
    / {2}\(and 2 more\)$/,
  );
  for (const copies of [["a.png"], ["a.png", "b.png"]]) {
    match(
      await drawResult({ hits: [{ ...hits[0], copies }] }),
      / red\.png {2}\(and (1 near copy|2 near copies)\) {2}A red wall/,
    );
  }
  strictEqual(await drawResult({ hits: [] }), "no pictures to compare with");
});

Deno.test("a hit's line stands below its picture, alone where that is gone", () =>
  withFolder(async (folder) => {
    const red = await plain("#ff0000", "png", 200);
    await writeFile(join(folder, "red.png"), red);
    const drawn = await drawResult({ hits, line: 0.4 }, {
      protocol: "blocks",
      sourceOf: ({ path }) => join(folder, path),
    });
    const lines = drawn.split("\n");
    strictEqual(
      lines.length,
      12 + 3,
      "12 lines of 24 rows; none of what is gone",
    );
    const pixel = "\x1b[38;2;255;0;0;48;2;255;0;0m▀";
    strictEqual(lines[0], pixel.repeat(24) + "\x1b[0m");
    match(lines[12], /^ {2}1 {2}0\.500/);
  }));
