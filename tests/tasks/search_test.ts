import { deepStrictEqual, equal, match, strictEqual } from "node:assert/strict";
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
  name:
    "task search ends with one line of JSON: what fits, the line, absolute paths",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const file = join(folder, "blue.png");
      const captions = ["A red wall.", "Paint."];
      await writeFile(
        join(folder, "captions.json"),
        JSON.stringify({ "red.png": captions }),
      );
      await writeFile(join(folder, "green.png"), await plain("green"));
      await writeFile(join(folder, "photo.heic"), "x");
      const args = ["--images", folder, "--image", file, "--mode", "visual"];
      const { code, out } = await run(data, "search", ...args, "--json");
      strictEqual(out.length, 1);
      const { query, encoder, cut, line, hits, leftOut } = JSON.parse(out[0]);
      strictEqual(`${query} ${encoder} ${hits.length}`, `${file} offline 2`);
      strictEqual(line >= cut, true);
      strictEqual(leftOut[0].path, "photo.heic");
      const red = hits.find(({ relativePath }: { relativePath: string }) =>
        relativePath === "red.png"
      );
      strictEqual(red.path, join(folder, "red.png"));
      strictEqual(red.fits, red.similarity > cut && red.similarity >= line);
      deepStrictEqual(red.captions, captions);
      const fits = hits.some((hit: { fits: boolean }) => hit.fits);
      strictEqual(code, fits ? 0 : 1);
      strictEqual((await readdir(folder)).length, 5, "nothing is written here");

      const only = await run(data, "search", ...args, "-f0");
      const paths = hits.filter((hit: { fits: boolean }) => hit.fits)
        .map(({ path }: { path: string }) => `${path}\0`);
      strictEqual(only.out.join("\n"), paths.join(""));
      strictEqual(only.code, code);
    }),
});

Deno.test({
  name:
    "task search takes rclip's hand: signs, weights, pictures, folders passed over",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      for (const place of ["old", ".hidden"]) {
        await mkdir(join(folder, place));
        await writeFile(join(folder, place, "green.png"), await plain("green"));
      }
      const found = async (...args: string[]) => {
        const { code, output, out } = await run(
          data,
          ...["search", "--images", folder, "--json", ...args],
        );
        strictEqual(code < 2, true, output);
        return JSON.parse(out[0]).hits
          .map((hit: { relativePath: string }) => hit.relativePath).sort();
      };
      deepStrictEqual(await found("2:paint", "+", "wall", "-", "dog"), [
        ...["blue.png", "old/green.png", "red.png"],
      ]);
      strictEqual((await found("paint", "--include-hidden")).length, 3);
      for (const old of ["old", "old/", "./old", join(folder, "old")]) {
        deepStrictEqual(await found("paint", "--exclude-dir", old), [
          ...["blue.png", "red.png"],
        ], old);
      }
      deepStrictEqual(
        await found("-t1", "-n", "-s", "dog", "-a", join(folder, "blue.png")),
        [(await found("-n", "-s", "dog", join(folder, "blue.png")))[0]],
      );
    }),
});

Deno.test({
  name:
    "task search counts near copies as one result, and names each: in its lines, in -f and in JSON",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const copied = ["a.jpg", "b.jpg", "c.jpg"];
      const lemon = join(paths.sample, "food", "fruit", "lemon.jpg");
      for (const name of copied) {
        await Deno.copyFile(lemon, join(folder, name));
      }
      const args = ["--images", folder, "--mode", "visual", "a lemon", "-t1"];
      const json = await run(data, "search", ...args, "--json");
      const { hits } = JSON.parse(json.out[0]);
      strictEqual(hits.length, 1);
      const [{ path, copies }] = hits;
      strictEqual(copies.length, 2);
      deepStrictEqual(
        [path, ...copies].sort(),
        copied.map((name) => join(folder, name)),
      );
      const lines = await run(data, "search", ...args);
      match(lines.out.at(-1)!, /\.jpg {2}\(and 2 near copies\)/);
      const files = await run(data, "search", ...args, "-f0");
      const all = [path, ...copies].map((one) => `${one}\0`).join("");
      strictEqual(files.out.join("\n"), all);
    }),
});

Deno.test({
  name: "contact-sheet search without --images searches where one stands",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const out: string[] = [];
      const { code } = await runChild(Deno.execPath(), [
        ...["run", "-A", "--config", join(paths.root, "deno.json")],
        join(paths.root, "tasks", "contact_sheet.ts"),
        ...["search", "--json", "./red.png", "+", "paint"],
      ], {
        cwd: folder,
        env: { CONTACT_SHEET_DATA: data, CONTACT_SHEET_ENCODER: "offline" },
        onLine: (line, stream) => stream === "stdout" && out.push(line),
      });
      strictEqual(code < 2, true);
      strictEqual(JSON.parse(out[0]).hits[0].path, join(folder, "blue.png"));
    }),
});

Deno.test({
  name:
    "contact-sheet search gives its answer though the folder it stands in is removed meanwhile",
  ignore: missing || Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder, data) => {
      await run(data, "search", "--images", folder, "blue");
      const out: string[] = [];
      const { code, output } = await runChild(Deno.execPath(), [
        ...["run", "-A", "--config", join(paths.root, "deno.json")],
        join(paths.root, "tasks", "contact_sheet.ts"),
        ...["search", "-n", "blue"],
      ], {
        cwd: folder,
        env: { CONTACT_SHEET_DATA: data, CONTACT_SHEET_ENCODER: "offline" },
        onLine(line, stream) {
          if (stream === "stdout") out.push(line);
          // The pictures are listed by then.
          else if (line.startsWith("Encoder ")) {
            Deno.removeSync(folder, { recursive: true });
          }
        },
      });
      strictEqual(code, 0, output);
      strictEqual(out.length, 2);
      match(output, /changed or gone since they were indexed: \w+\.png, \w+/);
    }),
});

Deno.test({
  name:
    "task search says when nothing fits, ends with 1, and -f prints nothing",
  ignore: missing,
  async fn() {
    const data = await Deno.makeTempDir({ prefix: "command-" });
    try {
      const birds = join(paths.sample, "animals", "water bird");
      const args = ["--images", birds, "computer"];
      const { code, out } = await run(data, "search", ...args);
      strictEqual(code, 1);
      strictEqual(out[0], "Nothing here seems to show this. The nearest:");
      match(out[1], /^ {2}1 {2}0\.\d{3} {2}−0\.\d\d {2}[\w-]+\.jpg {2}/);
      const fitting = await run(data, "search", "-f", ...args);
      strictEqual(fitting.code, 1);
      deepStrictEqual(fitting.out, []);
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
});

Deno.test({
  name: "task search prints a list, and says where nothing tells what fits",
  ignore: missing,
  fn: () =>
    withFolder(async (folder, data) => {
      const { code, out, output } = await run(
        data,
        ...["search", "--images", folder, "something", "blue"],
      );
      equal(code, 0);
      match(out[0], /^ {2}1 {2}-?0\.\d{3} {2}(red|blue)\.png {2}(red|blue)$/);
      equal(out.length, 2);
      match(output, /^ {2}There are too few pictures to tell what fits\.$/m);
      // No terminal: no grid, and no pictures that nobody asked for.
      const grid = await run(data, "search", "-i", "--images", folder, "x");
      equal(grid.out.some((line) => line.includes("\x1b")), false);
      match(grid.output, /^-i needs a terminal .* an ordinary search$/m);
      const json = await run(data, "search", "--images", folder, "x", "--json");
      const { cut, line } = JSON.parse(json.out[0]);
      deepStrictEqual([cut, line], [null, null]);
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
        /none of the 2 pictures in .* can be read; (blue|red)\.png: .*; left out: 1 \.heic: /,
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
          /^search: expected words or a picture, got neither$/,
        ],
        [
          ["search", "-t", "cat"],
          /^--top: expected a whole number from 1 to 200, got cat$/,
        ],
        [
          ["search", "--image", "-f.jpg"],
          /^--image: expected a file, -f\.jpg is not there$/,
        ],
        [
          ["search", "--top", "0", "x"],
          /^--top: expected a whole number from 1 to 200, got 0$/,
        ],
        [
          ["search", "-0", "x"],
          /^search: expected --filepath-only \(-f\) with --null \(-0\), got/,
        ],
        [
          ["search", "-p", "--json", "x"],
          /^search: expected one of --preview and --json, got both$/,
        ],
        [
          ["search", "--exclude-dir=", "x"],
          /^--exclude-dir: expected a folder's name, .* got ""$/,
        ],
        [
          ["search", "--exclude-dir", "..", "x"],
          /^--exclude-dir: expected a folder's name, .* got \.\.$/,
        ],
        [
          ["search", "--index", "faiss", "y"],
          /^--index: expected exact, hnsw or chroma, got faiss$/,
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
