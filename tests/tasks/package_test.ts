import {
  deepStrictEqual,
  doesNotMatch,
  match,
  ok,
  strictEqual,
} from "node:assert/strict";
import { existsSync, realpathSync } from "node:fs";
import {
  cp,
  mkdir,
  readdir,
  readFile,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { search } from "#lib/compare/compare.ts";
import { metrics } from "#lib/compare/metrics.ts";
import { pixelVectors } from "#lib/compare/pixels.ts";
import { offlineFiles } from "#lib/encoders/offline/offline.ts";
import { paths } from "#lib/paths.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";
import { runChild } from "../../tasks/child.ts";
import { buildPackage } from "../../tasks/package.ts";

const read = (name: string) => readFile(join(paths.root, name), "utf8");
const deno = JSON.parse(await read("deno.json"));
const npm = JSON.parse(await read("package.json"));

Deno.test("package.json names what lib/ imports, in the versions of deno.json", async () => {
  const used = new Set<string>();
  for (const name of await filesOf(join(paths.root, "lib"))) {
    if (!/(?<!\.as)\.ts$/.test(name)) continue;
    const code = (await read(`lib/${name}`)).replace(/\/\*[^]*?\*\//g, "");
    for (
      const [, from] of code.matchAll(
        /(?:from|resolve\(|import\() ?"([@a-z].*?)"/g,
      )
    ) {
      const [, bare] = from.match(/^(@[^/]+\/[^/]+|[^/]+)/)!;
      if (!from.startsWith("node:")) used.add(bare);
    }
  }
  deepStrictEqual(Object.keys(npm.dependencies), [...used].toSorted());
  for (const [name, version] of Object.entries(npm.dependencies)) {
    const target = deno.imports[name];
    const alias = String(version).startsWith("npm:");
    strictEqual(alias ? version : `npm:${name}@${version}`, target);
  }
  strictEqual(npm.version, deno.version);
  const [, cited] = (await read("CITATION.cff")).match(/^version: (.*)$/m)!;
  strictEqual(npm.version, cited);
});

Deno.test("deno.json exports the file by which each folder of lib/ is entered", async () => {
  const folders = (await readdir(join(paths.root, "lib"), {
    withFileTypes: true,
  })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of folders) {
    strictEqual(deno.exports[`./${name}`], `./lib/${name}/${name}.ts`);
  }
  for (const path of Object.values<string>(deno.exports)) {
    ok(existsSync(join(paths.root, path)), path);
  }
});

Deno.test("deno publish finds nothing amiss, slow types included", async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: paths.root,
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  strictEqual(code, 0, said);
  doesNotMatch(said, /^(warning|error)/im);
  doesNotMatch(said, /tests\/|\.as\.ts|data\//);
});

const app = await Deno.makeTempDir();
const home = join(app, "node_modules", "contact-sheet");
/** A few of the sample's pictures, and what set-up has made. */
const data = join(app, "small");
let building: Promise<void> | undefined;
/** Once for all tests, as the first of them asks. */
const built = () => building ??= build();

Deno.test.afterAll(() => Deno.remove(app, { recursive: true }));

/** Installs the package as npm would, with links in place of downloads. */
async function build() {
  await buildPackage(join(home, "data", "package"));
  for (const name of ["package.json", "LICENSE", "README.md"]) {
    await cp(join(paths.root, name), join(home, name));
  }
  for (const name of Object.keys(npm.dependencies)) {
    const [, npmName] = deno.imports[name].match(/^npm:(.+)@/)!;
    const link = join(app, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(realpathSync(`${paths.root}/node_modules/${npmName}`), link);
  }
  const captions = JSON.parse(
    await readFile(join(paths.sample, "captions.json"), "utf8"),
  );
  const few = (await readSample()).filter((_, i) => i % 12 === 0);
  for (const { path } of few) {
    await cp(samplePath({ path }), join(data, "sample", path));
  }
  await writeFile(
    join(data, "sample", "captions.json"),
    JSON.stringify(
      Object.fromEntries(few.map(({ path }) => [path, captions[path]])),
    ),
  );
  for (const name of ["models", "chromium"]) {
    await mkdir(paths[name as "models"], { recursive: true });
    await symlink(paths[name as "models"], join(data, name));
  }
}

Deno.test("the package holds each module as .js and .d.ts, and what lies beside them", async () => {
  await built();
  const files = await filesOf(join(home, "data", "package"));
  const expected = (await filesOf(join(paths.root, "lib"))).flatMap((name) =>
    name.endsWith(".as.ts")
      ? []
      : name.endsWith(".ts")
      ? [name.replace(/ts$/, "js"), name.replace(/ts$/, "d.ts")]
      : [name]
  );
  // What modules take from the page's scripts has types as well.
  expected.push("search_page/web/query.d.ts");
  deepStrictEqual(files, expected.toSorted());
  for (const name of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    const text = await readFile(join(home, "data", "package", name), "utf8");
    doesNotMatch(text, /<amd-module|from "#lib\//, name);
    if (name.startsWith("search_page/web/")) continue;
    doesNotMatch(text, /^(import|export) [^;]*"\.[^"]*\.ts"/m, name);
  }
});

Deno.test("npm pack takes the build, and has no warnings", async () => {
  await built();
  const { code, output } = await runChild("npm", [
    ...["pack", "--dry-run", "--ignore-scripts", "--offline"],
  ], { cwd: home });
  strictEqual(code, 0, output);
  doesNotMatch(output, /warn/i);
  const files = (await filesOf(join(home, "data"))).length;
  match(output, new RegExp(`total files:\\s*${files + 3}\\b`));
});

const node = await findNode();
const noNode = node === undefined;
const isSetUp = offlineFiles("offline").every((path) => existsSync(path));

/** A Node that is recent enough: that on PATH, or the one that npx keeps. */
async function findNode(): Promise<string | undefined> {
  const kept = ["--yes", "--offline", "node@22.23.3"];
  for (const [program, ...args] of [["node"], ["npx", ...kept]]) {
    const ask = [...args, "-p", "process.version + ' ' + process.execPath"];
    const { code, output } = await runChild(program, ask);
    const [, major, path] = output.match(/^v(\d+)\S* (.+)$/m) ?? [];
    if (code === 0 && Number(major) >= 22) return path;
  }
  console.warn(
    "package_test: some ignored, Node 22 or later is needed: install it, or " +
      "run npx --yes node@22.23.3 --version once",
  );
}

/** Runs a module in Node beside node_modules; returns what it prints. */
async function inNode(
  script: string,
  env: Record<string, string> = { CONTACT_SHEET_DATA: data },
): Promise<string> {
  await built();
  const { code, output } = await runChild(
    node!,
    ["--input-type=module", "--eval", script],
    { cwd: app, env: { CONTACT_SHEET_DATA: "", ...env } },
  );
  strictEqual(code, 0, output);
  return output;
}

Deno.test({
  name:
    "in Node the package compares pixels, searches and keeps .npy as in Deno",
  ignore: noNode,
  async fn() {
    const found = JSON.parse(
      await inNode(`
      import { search } from "contact-sheet/compare/compare";
      import { Matrix } from "contact-sheet/compare/matrix";
      import { metrics } from "contact-sheet/compare/metrics";
      import { readNpy, writeNpy } from "contact-sheet/compare/npy";
      import { PixelGallery } from "contact-sheet/compare/pixel_gallery";
      import { pixelVectors } from "contact-sheet/compare/pixels";
      import { readSample, samplePath } from "contact-sheet/photo_site/sample";
      const pictures = await readSample();
      const pixels = await pixelVectors(pictures.map(samplePath), 16);
      await writeNpy("some.npy", Matrix.of([[1, 2], [3, 4]]));
      console.log(JSON.stringify({
        paths: pictures.map(({ path }) => path),
        hits: Object.values(metrics).map((metric) =>
          search(pixels.row(0), pixels, metric, 4)),
        npy: [...(await readNpy("some.npy")).data],
      }));`),
    );
    const files = found.paths.map((path: string) => samplePath({ path }));
    const pixels = await pixelVectors(files, 16);
    ok(files.length > 10);
    deepStrictEqual(
      found.hits,
      Object.values(metrics).map((metric) =>
        search(pixels.row(0), pixels, metric, 4)
      ),
    );
    deepStrictEqual(found.npy, [1, 2, 3, 4]);
  },
});

Deno.test({
  name: "in Node the package compares embeddings by several threads, and ends",
  ignore: noNode,
  async fn() {
    const found = await inNode(`
      import { clusteredVectors } from "contact-sheet/compare/synthetic";
      import { QuantizedGallery } from "contact-sheet/compare/quantized_gallery";
      const vectors = clusteredVectors(20_000, 256);
      const gallery = QuantizedGallery.of(vectors);
      const found = [];
      for (let row = 0; row < 30; row++) {
        const [hit] = gallery.nearest(vectors.row(row), "l2", 1);
        found.push(hit.index);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      console.log(found.join());`);
    strictEqual(found.trim(), `${Array.from({ length: 30 }, (_, i) => i)}`);
  },
});

Deno.test({
  name: "in Node the package draws a chart's picture",
  ignore: noNode,
  async fn() {
    const html = await inNode(`
      import { barChart } from "contact-sheet/display/charts";
      import { jupyterDisplay } from "contact-sheet/display/display";
      const bars = await barChart(["L1"], { "top-1": [0.3] }, { alt: "A bar" });
      console.log(bars[jupyterDisplay]()["text/html"]);`);
    match(html, /^<img src="data:image\/png;base64,iVBOR.+ alt="A bar"/);
  },
});

Deno.test({
  name: "in Node the search page answers, over the offline encoder",
  ignore: noNode || !isSetUp,
  async fn() {
    const before = await filesOf(home);
    const found = JSON.parse(
      await inNode(`
      import { openSearchApp } from "contact-sheet/search_page/search_page";
      import { sampleSource } from "contact-sheet/search_page/index/sources";
      const options = { encoders: ["offline"], log() {} };
      const page = await openSearchApp(await sampleSource(), options);
      await page.ready;
      const { hits } = await page.search({ text: "a bird", cut: "none", k: 1 });
      const answer = await fetch(page.url);
      const [, script] = (await answer.text()).match(/src="([^"]+\\.js)"/);
      const { status } = await fetch(new URL(script, answer.url));
      await page.close();
      console.log(JSON.stringify([hits[0].path, answer.status, status]));`),
    );
    match(found[0], /bird/);
    deepStrictEqual(found.slice(1), [200, 200]);
    ok(existsSync(join(data, "4_embeddings")), "written where the caller says");
    deepStrictEqual(await filesOf(home), before, "nothing beside the package");
  },
});

Deno.test({
  name:
    "the package writes where Node was started, and says what it misses there",
  ignore: noNode,
  async fn() {
    const [folder, sample, offline] = JSON.parse(
      await inNode(
        `
      import { openEncoder } from "contact-sheet/encoders/encoders";
      import { paths } from "contact-sheet/paths";
      import { readSample } from "contact-sheet/photo_site/sample";
      const message = ({ message }) => message;
      console.log(JSON.stringify([
        paths.data,
        await readSample().catch(message),
        await openEncoder("offline").catch(message),
      ]));`,
        {},
      ),
    );
    strictEqual(folder, join(realpathSync(app), "contact-sheet-data"));
    match(
      sample,
      /captions\.json not found: .* set CONTACT_SHEET_DATA to its data folder$/,
    );
    match(
      offline,
      /not found: run `npx deno@2\.8\.1 task setup` in the course's folder, and set CONTACT_SHEET_DATA to its data folder$/,
    );
    const named = await inNode(
      `import { paths } from "contact-sheet/paths"; console.log(paths.chroma);`,
      { CONTACT_SHEET_DATA: "mine" },
    );
    strictEqual(named, join(realpathSync(app), "mine", "5_chroma"));
  },
});

Deno.test({
  name:
    "the cells of tslab's quickstart run in Node, and its outputs are theirs",
  ignore: noNode || !isSetUp,
  async fn() {
    const notebook = JSON.parse(await read("notebooks/tslab/quickstart.ipynb"));
    const cells = notebook.cells.filter(
      (cell: { cell_type: string }) => cell.cell_type === "code",
    );
    ok(
      cells.every((cell: { outputs: { output_type: string }[] }) =>
        cell.outputs.every(({ output_type }) =>
          ["stream", "display_data"].includes(output_type)
        )
      ),
    );
    ok(JSON.stringify(notebook).length < 300_000);
    await built();
    const tslab = join(app, "node_modules", "tslab");
    await mkdir(tslab, { recursive: true });
    await writeFile(
      join(tslab, "index.js"),
      "exports.display = { html: (html) => console.log(html) };",
    );
    // tslab takes off the types, as Node does in a file that is called .ts.
    const script = cells.map((cell: { source: string[] }) =>
      cell.source.join("").replace("../../data", data)
    ).join("\n");
    await writeFile(join(app, "quickstart.mts"), script);
    const output = await inNode(`await import("./quickstart.mts");`);
    strictEqual(output.match(/<img /g)?.length, EXPECTED_PICTURES);
    match(output, /^\d+ pictures, \d+ terms$/m);
  },
});

/** Twelve terms, a query and five hits twice, six answers to a text. */
const EXPECTED_PICTURES = 12 + 6 + 6 + 6;

/** Paths below a folder, sorted. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.includes("__pycache__"))
    .toSorted();
}
