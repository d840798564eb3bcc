import { deepEqual, equal, match } from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import { plain } from "../support/colour_encoder.ts";

const missing = !offlineEncoderReady();
if (missing) {
  console.warn("search_command_test: skipped, set-up has not been run");
}

/** Runs a command with data of its own. */
async function run(data: string, task: string, ...args: string[]) {
  const out: string[] = [];
  const { code, output } = await runChild(
    Deno.execPath(),
    ["run", "-A", join(paths.root, "tasks", `${task}.ts`), ...args],
    {
      env: {
        CONTACT_SHEET_DATA: data,
        CONTACT_SHEET_ENCODER: "offline",
        NO_COLOR: "1",
      },
      onLine: (line, stream) => stream === "stdout" && out.push(line),
    },
  );
  return { code, output, out };
}

async function withFolder(
  body: (folder: string, data: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "command-" });
  const folder = join(root, "pictures");
  await mkdir(folder);
  for (const colour of ["red", "blue"]) {
    await writeFile(join(folder, `${colour}.png`), await plain(colour));
  }
  try {
    await body(folder, join(root, "data"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test({
  name: "task search says once that its encoder knows English only",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const { code, output, out } = await run(
        data,
        ...["search", "--images", folder, "--json", "ein roter Apfel"],
      );
      equal(code, 0);
      equal(output.match(/offline, knows English only/g)?.length, 1);
      equal(out.length, 1, "and not on standard output");
    }),
});

Deno.test({
  name: "task search finds a picture by itself, and ends with one line of JSON",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const file = join(folder, "blue.png");
      const captions = ["A blue wall.", "Paint."];
      await writeFile(
        join(folder, "captions.json"),
        JSON.stringify({ "blue.png": captions }),
      );
      const { code, out } = await run(
        data,
        ...["search", "--images", folder, "--image", file, "--top", "1"],
        "--json",
      );
      equal(code, 0);
      equal(out.length, 1);
      const { query, encoder, hits } = JSON.parse(out[0]);
      equal(`${query} ${encoder} ${hits.length}`, `${file} offline 1`);
      equal(hits[0].path, "blue.png");
      equal(hits[0].similarity > 0.98, true);
      deepEqual(hits[0].captions, captions);
      equal((await readdir(folder)).length, 3);
    }),
});

Deno.test({
  name: "task search prints a list, and says when nothing fits",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const { code, out } = await run(
        data,
        ...["search", "--images", folder, "something", "blue"],
      );
      equal(code, 0);
      match(out[0], /^ {2}1 {2}-?0\.\d{3} {2}(red|blue)\.png {2}(red|blue)$/);
      equal(out.length, 2);
    }),
});

Deno.test({
  name:
    "task search says what is odd in a folder, and fails where none is good",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      await writeFile(join(folder, "captions.json"), '{"red.png": ');
      await writeFile(join(folder, "red.png"), "no picture");
      await writeFile(join(folder, "photo.heic"), "x");
      const args = ["--images", folder, "blue", "--json"];
      const some = await run(data, "search", ...args);
      const { leftOut } = JSON.parse(some.out[0]);
      equal(
        leftOut.map(({ path }: { path: string }) => path).join(),
        "photo.heic,red.png",
      );
      match(some.output, /^ {2}left out: 1 \.heic: not JPEG/m);
      equal(some.code, 0);
      match(some.output, /^ {2}left out: red\.png: /m);
      match(some.output, /captions\.json: is cut off at line 1, column 12/);

      await writeFile(join(folder, "blue.png"), "no picture");
      const none = await run(data, "search", "--images", folder, "blue");
      equal(none.code, 2);
      match(
        none.output,
        /none of the 2 pictures in .* can be read; (blue|red)\.png: /,
      );
    }),
});

Deno.test({
  name: "task search and serve say in one line what is wrong",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const cases: [string[], RegExp][] = [
        [
          ["search"],
          /^search: expected either words or --image FILE, got neither$/,
        ],
        [
          ["search", "--top", "0", "x"],
          /^--top: expected a whole number from 1 to 200, got 0$/,
        ],
        [
          ["search", "--mode", "x", "y"],
          /^--mode: expected smart, text or visual, got x$/,
        ],
        [
          ["search", "--image", join(folder, "gone")],
          /^--image: expected a file, .*gone is not there$/,
        ],
        [
          ["search", "a".repeat(100_000)],
          /^text: expected at most 1000 characters, got 100000$/,
        ],
        [
          ["search", "--image", join(paths.root, "LICENSE")],
          /LICENSE cannot be decoded: not a JPEG/,
        ],
        [
          ["serve", join(folder, "gone")],
          /^serve: expected a folder, .*gone is not there$/,
        ],
        [["serve", "a", "b"], /^serve: expected one folder, got 2$/],
        [["serve", "--port", "x"], /^--port: expected a whole number/],
      ];
      for (const [[task, ...args], words] of cases) {
        const { code, output } = await run(data, task, ...args);
        equal(code, 2, output);
        match(output, words);
      }
    }),
});
