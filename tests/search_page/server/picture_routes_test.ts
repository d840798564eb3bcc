import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  chmod,
  mkdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { BlobReader, TextWriter, ZipReader } from "@zip.js/zip.js";
import { archiveOf, MOST_FILES } from "#lib/search_page/server/archive.ts";
import type { SourcePicture } from "#lib/search_page/index/collection.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { fileManagerFor } from "#lib/search_page/server/reveal.ts";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, openOver, paint, withFolder } from "../../support/search_app.ts";

const idOf = (
  { searcher: { spaces: [{ collection }] } }: SearchApp,
  path: string,
) => collection.idOf(collection.rowOf(path)!);

const post = (app: SearchApp, path: string, body: unknown) =>
  ask(app, path, JSON.stringify(body));

/** The names and texts in a zip. */
async function unzip(bytes: Uint8Array): Promise<Map<string, string>> {
  const zip = new ZipReader(new BlobReader(new Blob([bytes as BlobPart])));
  const files = new Map<string, string>();
  for (const entry of await zip.getEntries()) {
    if (!entry.directory) {
      files.set(entry.filename, await entry.getData(new TextWriter()));
    }
  }
  return files;
}

const picture = (
  path: string,
  known: Partial<SourcePicture>,
): SourcePicture => ({
  ...{ path, source: path, title: "", caption: "", term: "", category: "" },
  ...{ author: "", license: "", url: "", page: "" },
  ...known,
});

Deno.test("an original is the file's own bytes, to be saved under its name", () =>
  withFolder(async (folder) => {
    const name = "Säge 'n' <b>\"owl\".png";
    const bytes = await plain("red");
    await writeFile(join(folder, name), bytes);
    const app = await openOver(folder);
    const answer = await ask(app, `original/${idOf(app, name)}`);
    deepStrictEqual(answer.bytes, new Uint8Array(bytes));
    const saved = answer.headers.get("content-disposition")!;
    match(saved, /^attachment; filename\*=UTF-8''[!-~]+$/);
    strictEqual(decodeURIComponent(saved.split("''")[1]), name);
    for (const path of ["original/1", "original/-1", "original/..%2fx"]) {
      strictEqual((await ask(app, path)).status, 404, path);
    }
    await rm(join(folder, name));
    match(
      (await ask(app, `original/${idOf(app, name)}`)).json.error,
      /is gone/,
    );
    await app.close();
  }));

Deno.test("an archive has the files as they are, and who made them", () =>
  withFolder(async (folder) => {
    await paint(folder, 2);
    await writeFile(join(folder, "red.png"), "no picture");
    await writeFile(
      join(folder, "captions.jsonl"),
      JSON.stringify({
        file_name: "paint/red/red-0.png",
        caption: "A wall.",
        author: "Ada\nLovelace",
        license: "CC0 1.0",
      }),
    );
    const app = await openOver(folder);
    const paths = ["paint/red/red-0.png", "paint/blue/blue-1.png"];
    const { status, headers, bytes } = await post(app, "archive", { paths });
    strictEqual(status, 200);
    strictEqual(headers.get("content-type"), "application/zip");
    const files = await unzip(bytes);
    deepStrictEqual([...files.keys()], [...paths, "CREDITS.txt"]);
    strictEqual(
      files.get(paths[0]),
      new TextDecoder().decode(await readFile(join(folder, paths[0]))),
    );
    match(
      files.get("CREDITS.txt")!,
      /red-0\.png\n {2}“A wall\.” by Ada Lovelace, CC0 1\.0\n/,
    );
    for (const paths of [[], "a", ["nobody"], [5], undefined]) {
      const { status } = await post(app, "archive", { paths });
      ok(status === 400 || status === 404, `${status}`);
    }
    await app.close();
  }));

Deno.test("names in an archive stay below it, and none is there twice", async () => {
  const source = await plain("red");
  const paths = [
    ...["../../etc/passwd.png", "/abs/a.png", "a/b.png", "A/b.PNG", "a/b.png"],
    ...["c:\\x\u0007y.png", "CREDITS.txt", "..", "5"],
  ];
  const zip = archiveOf(paths.map((path) => picture(path, { source })));
  const names = [...(await unzip(await new Response(zip).bytes())).keys()];
  deepStrictEqual(names, [
    ...["etc/passwd.png", "abs/a.png", "a/b.png", "A/b.PNG.png", "a/b (2).png"],
    ...["c_/x_y.png", "CREDITS.txt.png", "picture.png", "5.png", "CREDITS.txt"],
  ]);
});

Deno.test("an archive leaves out what is gone, and is bounded", async () => {
  const pictures = [picture("gone.png", { source: "/not/there.png" })];
  const files = await unzip(await new Response(archiveOf(pictures)).bytes());
  deepStrictEqual([...files], [
    ["CREDITS.txt", "gone.png: left out, its file is gone\n"],
  ]);
  let message = "";
  try {
    archiveOf(new Array(MOST_FILES + 1).fill(pictures[0]));
  } catch (error) {
    ({ message } = error as Error);
  }
  match(message, /^5001 pictures of 0\.0 GB: expected at most 5000 and 2 GB/);
});

Deno.test("of a list in which some are gone, the others are packed and hidden", () =>
  withFolder(async (folder) => {
    await paint(folder, 2);
    const app = await openOver(folder);
    const paths = ["gone\n.png", "paint/red/red-0.png"];
    const { status, bytes } = await post(app, "archive", { paths });
    strictEqual(status, 200);
    const files = await unzip(bytes);
    deepStrictEqual([...files.keys()], [paths[1], "CREDITS.txt"]);
    match(
      files.get("CREDITS.txt")!,
      /^gone .png: left out, it is gone or has another name\n/,
    );
    const hide = (hidden: boolean) => post(app, "hide", { paths, hidden });
    const { hidden } = app.searcher.spaces[0].collection;
    strictEqual((await hide(true)).status, 200);
    deepStrictEqual([...hidden], [paths[1]]);
    // What is hidden and gone can be shown again: it may come back.
    await rm(join(folder, paths[1]));
    await app.rescan();
    strictEqual((await hide(false)).status, 200);
    deepStrictEqual([...hidden], []);
    match((await hide(true)).json.error, /^no picture "gone/);
    deepStrictEqual((await post(app, "select", { paths })).json, {
      gone: paths,
    });
    await app.close();
  }));

Deno.test("an archive keeps the dates of the files, the only ones that some have", () =>
  withFolder(async (folder) => {
    const changed = new Date("2001-02-03T04:05:06Z");
    const source = join(folder, "a.png");
    const old = join(folder, "old.png");
    await writeFile(source, await plain("red"));
    await writeFile(old, await plain("red"));
    await utimes(source, changed, changed);
    // Before a zip's first year.
    await utimes(old, new Date(0), new Date(0));
    const zip = await new Response(
      archiveOf([
        picture("a.png", { source }),
        picture("old.png", {
          source: old,
        }),
      ]),
    ).blob();
    const [first, second] = await new ZipReader(new BlobReader(zip))
      .getEntries();
    strictEqual(first.lastModDate.getTime(), changed.getTime());
    ok(second.lastModDate.getUTCFullYear() <= 1980);
  }));

Deno.test("a hidden picture is no result, also after a restart, until it is shown", () =>
  withFolder(async (folder) => {
    await paint(folder, 2);
    const path = "paint/red/red-0.png";
    const isFound = async (app: SearchApp) => {
      const { hits } = await app.search({ text: "red", cut: "none", fold: 2 });
      return hits.some((hit) => hit.path === path);
    };
    let app = await openOver(folder);
    strictEqual(await isFound(app), true);
    strictEqual(
      (await post(app, "hide", { paths: [path], hidden: true })).status,
      200,
    );
    strictEqual(await isFound(app), false);
    await app.close();
    app = await openOver(folder);
    strictEqual(await isFound(app), false);
    const { json } = await ask(app, "hidden");
    deepStrictEqual(json.map((hit: SourcePicture) => hit.path), [path]);
    await post(app, "hide", { paths: [path], hidden: false });
    strictEqual(await isFound(app), true);
    match(
      (await post(app, "hide", { paths: [path] })).json.error,
      /hidden: true or false/,
    );
    await app.close();
  }));

Deno.test("a file is shown by the system's own program, without a shell", () => {
  const file = "/photos/a; rm -rf ~.jpg";
  deepStrictEqual(fileManagerFor(file, "linux"), ["xdg-open", ["/photos"]]);
  deepStrictEqual(fileManagerFor(file, "darwin"), ["open", ["-R", file]]);
  deepStrictEqual(fileManagerFor(file, "win32"), [
    ...["explorer", [`/select,${file}`]],
  ] as [string, string[]]);
});

Deno.test("a file's folder opens for a reader at this machine alone", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    const programs = join(folder, "..", "programs");
    await mkdir(programs);
    const { PATH } = process.env;
    process.env.PATH = programs;
    try {
      const app = await openOver(folder);
      const asked = () => post(app, "reveal", { path: "a.png" });
      match(
        (await asked()).json.error,
        /no program xdg-open here: open/,
      );
      const told = join(programs, "told");
      await writeFile(
        join(programs, "xdg-open"),
        `#!/bin/sh\necho "$1" > '${told}'\n`,
      );
      await chmod(join(programs, "xdg-open"), 0o755);
      deepStrictEqual((await asked()).json, {});
      strictEqual(await readFile(told, "utf8"), `${folder}\n`);
      strictEqual((await post(app, "reveal", { path: "../x" })).status, 404);
      await app.close();
      const far = await openSearchApp(await folderSource(folder), {
        encoders: [colourEncoder()],
        host: "0.0.0.0",
        log() {},
      });
      await far.ready;
      const refused = await post(far, "reveal", { path: "a.png" });
      deepStrictEqual([refused.status, refused.json.error], [
        ...[403, "the file lies on the server's machine, not on yours"],
      ]);
      await far.close();
    } finally {
      process.env.PATH = PATH;
    }
  }));

Deno.test("what is kept for a folder is its owner's to read, and never in the folder", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    const app = await openOver(folder);
    await app.close();
    const kept = join(folder, "..", "index", "folders");
    for (const { name } of Deno.readDirSync(kept)) {
      const { mode } = await stat(join(kept, name));
      strictEqual(mode & 0o777, 0o600);
    }
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [
      "a.png",
    ]);
  }));
