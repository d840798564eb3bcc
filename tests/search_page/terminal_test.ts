import { equal, match } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { hitOf } from "#lib/search_page/engine/searcher.ts";
import { drawHits } from "#lib/search_page/terminal.ts";
import { plain } from "../support/colour_encoder.ts";
import { withFolder } from "../support/search_app.ts";
import { vectorSpace } from "../support/vector_space.ts";

const { collection } = vectorSpace([
  { path: "red.png", vector: [1], caption: "A red\nwall\x1b[2J", title: "red" },
  { path: "gone.png", vector: [1], title: "gone" },
]);
const hits = [0, 1].map((row) => ({
  ...hitOf(collection, row),
  value: 0.5 / (row + 1),
}));

/** Runs with the terminal's variables as given. */
async function withTerminal(
  variables: Record<string, string>,
  body: () => Promise<void>,
): Promise<void> {
  const { COLORTERM, NO_COLOR } = process.env;
  delete process.env.COLORTERM;
  delete process.env.NO_COLOR;
  Object.assign(process.env, variables);
  try {
    await body();
  } finally {
    delete process.env.COLORTERM;
    delete process.env.NO_COLOR;
    if (COLORTERM !== undefined) process.env.COLORTERM = COLORTERM;
    if (NO_COLOR !== undefined) process.env.NO_COLOR = NO_COLOR;
  }
}

const LIST = "  1  0.500  red.png  A red wall [2J\n  2  0.250  gone.png  gone";

Deno.test("hits are a list of lines where there is no terminal with colours", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "red.png"), await plain("red"));
    const draw = (isTTY: boolean, variables: Record<string, string>) =>
      withTerminal(variables, async () => {
        equal(await drawHits(hits, folder, { isTTY }), LIST);
      });
    await draw(true, {});
    await draw(false, { COLORTERM: "truecolor" });
    await draw(true, { COLORTERM: "truecolor", NO_COLOR: "1" });
    equal(await drawHits([], folder, {}), "no pictures");
    const captions = ["A wall", "Red", "Paint"];
    match(
      await drawHits([{ ...hits[0], captions }], folder, {}),
      /red\.png {2}A red wall .* {2}\(and 2 more\)$/,
    );
  }));

Deno.test("a terminal with colours shows small pictures, two pixels a character", () =>
  withFolder((folder) =>
    withTerminal({ COLORTERM: "24bit" }, async () => {
      await writeFile(
        join(folder, "red.png"),
        await plain("#ff0000", "png", 200),
      );
      const drawn = await drawHits(hits, folder, { isTTY: true });
      const lines = drawn.split("\n");
      equal(lines.length, 12 + 2, "12 lines of 24 rows; none for what is gone");
      const pixel = "\x1b[38;2;255;0;0;48;2;255;0;0m▀";
      equal(lines[0], pixel.repeat(24) + "\x1b[0m");
      match(lines[12], /^ {2}1 {2}0.500/);
    })
  ));
