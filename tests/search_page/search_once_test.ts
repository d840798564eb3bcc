import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeNpy } from "#lib/compare/npy.ts";
import { openEncoder } from "#lib/encoders/encoders.ts";
import { keepSettings } from "#lib/search_page/folder_settings.ts";
import { folderSource, sampleSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import {
  searchOnce,
  type SearchOnceOptions,
} from "#lib/search_page/search_once.ts";
import { NO_FOLDING } from "#lib/search_page/web/query.js";
import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
import { plain } from "../support/colour_encoder.ts";
import { withFolder } from "../support/search_app.ts";

const quiet = { encoder: "offline", log() {} };
const search = (options: Partial<SearchOnceOptions>) =>
  searchOnce({ ...quiet, query: {}, ...options });

/** A folder with three pictures of the sample. */
const withThree = (body: (folder: string) => Promise<void>) =>
  withFolder(async (folder) => {
    const { pictures } = await sampleSource();
    for (const name of ["flamingo", "lemon", "violin"]) {
      const { source } = pictures.find(({ path }) => path.includes(name))!;
      await Deno.copyFile(source as string, join(folder, `${name}.jpg`));
    }
    await body(folder);
  });

Deno.test("searchOnce() gives the page's answer to the page's question", () =>
  withThree(async (folder) => {
    await Deno.copyFile(join(folder, "lemon.jpg"), join(folder, "same.jpg"));
    const app = await openSearchApp(await folderSource(folder), {
      ...{ encoders: ["offline"], log() {} },
    });
    await app.ready;
    const query = { text: "a photo of a lemon" };
    const { hits, cut, line, fitting } = await app.search(query);
    const { result } = await search({ folder, query });
    const named = (all: typeof hits) =>
      all.map(({ path, value, fits, copies }) => ({
        path,
        value,
        fits,
        copies,
      }));
    deepStrictEqual(named(result.hits), named(hits));
    deepStrictEqual(
      [result.cut, result.line, result.fitting],
      [cut, line, fitting],
    );
    ok(cut && fitting === 2 && hits.length === 3, "the copy is folded");
    await app.close();
  }));

Deno.test("searchOnce() takes pictures with weights, beside words, and away from them", () =>
  withThree(async (folder) => {
    const at = (name: string) => join(folder, `${name}.jpg`);
    const first = async (options: Partial<SearchOnceOptions>) =>
      (await search({ folder, ...options })).result.hits[0].path;
    const bytes = await Deno.readFile(at("violin"));
    strictEqual(
      await first({ pictures: [{ source: bytes }] }),
      "violin.jpg",
      "what is given as bytes is found",
    );
    const own = await search({ folder, pictures: [{ source: at("violin") }] });
    deepStrictEqual(own.result.query.like, ["1:violin.jpg"]);
    strictEqual(own.result.hits.length, 2, "one of the folder is not its own");
    const pulled = (weight: number) =>
      first({
        query: { text: "a lemon", mode: "visual" },
        pictures: [{ source: bytes, weight }],
      });
    strictEqual(await pulled(1), "violin.jpg");
    strictEqual(await pulled(-0.5), "lemon.jpg");
  }));

Deno.test("searchOnce() without indexing searches what was indexed before, and names the rest", () =>
  withThree(async (folder) => {
    const query = { text: "a lemon" };
    await rejects(search({ folder, query, embedNew: false }), {
      message: /^none of the 3 pictures in .* has been indexed yet/,
    });
    await search({ folder, query });
    await writeFile(join(folder, "red.png"), await plain("red"));
    await Deno.copyFile(join(folder, "violin.jpg"), join(folder, "lemon.jpg"));
    const later = await search({ folder, query, embedNew: false });
    const { result, leftOut, problems } = later;
    strictEqual(result.total, 3);
    deepStrictEqual(problems, [
      "1 picture is not indexed yet: search once with indexing",
      "changed or gone since they were indexed: lemon.jpg",
    ]);
    deepStrictEqual(leftOut, [{ path: "red.png", reason: "not indexed yet" }]);
    const source = join(folder, "red.png");
    const red = await search({
      folder,
      pictures: [{ source }],
      embedNew: false,
    });
    strictEqual(red.result.total, 3, "a query that is not indexed is embedded");
    const { result: { total } } = await search({ folder, query });
    strictEqual(total, 4);
  }));

Deno.test("searchOnce() takes a link to the query's picture for that picture, not for a result", () =>
  withThree(async (folder) => {
    await withFolder(async (elsewhere) => {
      const real = join(elsewhere, "real.jpg");
      await Deno.rename(join(folder, "violin.jpg"), real);
      await symlink(real, join(folder, "one.jpg"));
      await symlink("one.jpg", join(folder, "two.jpg"));
      for (const source of [real, join(folder, "two.jpg")]) {
        const { result } = await search({ folder, pictures: [{ source }] });
        deepStrictEqual(result.query.like, ["0.5:one.jpg", "0.5:two.jpg"]);
        const paths = result.hits.map(({ path }) => path).sort();
        deepStrictEqual(paths, ["flamingo.jpg", "lemon.jpg"]);
      }
    });
  }));

Deno.test("searchOnce() says where a hit's picture lies, be it outside the folder", () =>
  withFolder(async (folder) => {
    await withThree(async (elsewhere) => {
      const paths = ["lemon", "violin"].map((name) =>
        join(elsewhere, `${name}.jpg`)
      );
      await writeFile(join(folder, "paths.txt"), paths.join("\n"));
      const encoder = await openEncoder("offline", { log() {} });
      const pictures = paths.map((path) => Deno.readFile(path));
      const vectors = await encoder.encodeImages(await Promise.all(pictures));
      await encoder.close();
      await writeNpy(join(folder, "features.npy"), vectors);
      const query = { text: "a lemon" };
      const { result: { hits }, sourceOf } = await search({ folder, query });
      deepStrictEqual(hits.map(sourceOf), paths);
    });
  }));

Deno.test("searchOnce() lists all that passes filters alone", () =>
  withThree(async (folder) => {
    const query = { after: "1900", k: 2 };
    const { result } = await search({ folder, query });
    deepStrictEqual(result.hits.map(({ path }) => path), [
      ...["flamingo.jpg", "lemon.jpg"],
    ]);
    deepStrictEqual([result.fitting, result.more, result.line], [
      ...[3, true, undefined],
    ]);
  }));

Deno.test("searchOnce() finds a query's picture in the folder, whatever its name looks like", () =>
  withThree(async (folder) => {
    const names = [" space ", "lemon", "1:lemon", "01:lemon", "0.5: space "];
    const at = (name: string) => join(folder, `${name}.jpg`);
    for (const name of names.filter((name) => name !== "lemon")) {
      await Deno.copyFile(at("violin"), at(name));
    }
    for (const name of names) {
      for (const weight of [1, -0.5]) {
        const pictures = [{ source: at(name), weight }];
        const query = { fold: NO_FOLDING, text: "a fruit" };
        const { result } = await search({ folder, pictures, query });
        const found = result.hits.map(({ path }) => path);
        strictEqual(found.includes(`${name}.jpg`), weight < 0, name);
      }
    }
  }));

Deno.test("searchOnce() refuses a query and a picture in one sentence", () =>
  withThree(async (folder) => {
    await rejects(
      search({ folder: "/gone", query: { k: 0 } }),
      /^QueryError: k:/,
    );
    await rejects(search({ folder }), /nothing to look for/);
    await rejects(
      search({ folder, pictures: [{ source: Uint8Array.of(1, 2) }] }),
      /not a JPEG/,
    );
    const source = join(folder, "broken.jpg");
    await writeFile(source, "no picture");
    await rejects(
      search({ folder, pictures: [{ source }] }),
      /^QueryError: .*broken\.jpg cannot be decoded: not a JPEG/,
    );
    const site = await startPhotoSite({ port: 0 });
    await rejects(
      search({ folder, pictures: [{ source: `${site.origin}/` }] }),
      /private networks are not fetched: save the picture/,
    );
    await site.close();
  }));

Deno.test("searchOnce() shows no picture that was hidden on the page, and says so", () =>
  withThree(async (folder) => {
    await keepSettings(folder, { hidden: ["lemon.jpg"] });
    const found = await search({ folder, query: { text: "a lemon" } });
    const paths = found.result.hits.map(({ path }) => path).sort();
    deepStrictEqual(paths, ["flamingo.jpg", "violin.jpg"]);
    deepStrictEqual(found.leftOut, [
      { path: "lemon.jpg", reason: "hidden on the page" },
    ]);
    match(found.problems.join("; "), /1 picture is hidden/);
  }));

Deno.test("searchOnce() by a picture passes over a link that leads to itself", () =>
  withThree(async (folder) => {
    await symlink("loop.jpg", join(folder, "loop.jpg"));
    const pictures = [{ source: join(folder, "lemon.jpg") }];
    const { result, failures } = await search({ folder, pictures });
    deepStrictEqual(failures.map(({ path }) => path), ["loop.jpg"]);
    strictEqual(result.hits.some(({ path }) => path === "lemon.jpg"), false);
    strictEqual(result.total, 2);
  }));

Deno.test("searchOnce() is loaded without a decoder and without the hub's client", async () => {
  const modules = new Set<string>(), packages = new Set<string>();
  const follow = async (module: URL) => {
    if (modules.has(module.href)) return;
    modules.add(module.href);
    const code = await readFile(module, "utf8");
    const imports = /^(?:import|export) (?!type )[^;"]*? from "(.+?)";$/gm;
    for (const [, from] of code.matchAll(imports)) {
      if (from.startsWith(".")) await follow(new URL(from, module));
      else packages.add(from);
    }
  };
  const start = "../../lib/search_page/search_once.ts";
  await follow(new URL(start, import.meta.url));
  ok(packages.has("onnxruntime-node"), "the walk sees what is imported");
  for (const name of ["hub", "transformers"]) {
    strictEqual(packages.has(`@huggingface/${name}`), false, name);
  }
  strictEqual(packages.has("sharp"), false, "sharp");
});
