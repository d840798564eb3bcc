import { deepEqual, equal, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { paths } from "#lib/paths.ts";
import { DENO_VERSION } from "../tasks/command.ts";

/**
 * lib/ from the bottom up. A file imports only from those named before it, so
 * that each can be read knowing only what stands above it here.
 */
const ORDER: Record<string, string> = {
  "what all share": "paths files records sample download/hosts",
  "the browser": "browser/chromium browser",
  "showing": `
    display/mime display/thumbnail display/table display/stop_button
    display/progress_screen display/progress display/progress_stages
    display/chart_style display/figure display/chart_picture display/chart
    display/charts display/grid`,
  "1 crawler": `
    sites/site sites/flickr sites/local sites/faults sites/photo_assets
    sites/photo_library sites/photo_pages sites/photo_site
    crawl/robots crawl/finds crawl/search_page crawl/term crawl/records crawl`,
  "2 preprocessing": "download/fetch download clean prepare",
  "3 pixels and metrics": `
    pixels metrics evaluate evaluate/results search
    kernels/assembler kernels/weighted_sums kernels/resize_kernels
    kernels/pixel_kernels gallery
    display/hits display/score_table`,
  "4 embeddings": `
    npy kernels/session kernels/matrix_product
    encoders/encoder encoders/device encoders/resize encoders/preprocess
    encoders/clip_model encoders/clip encoders/openclip
    encoders/sentences encoders/classifier encoders/joint_space
    encoders/offline download/large_file encoders/hub_file encoders/hub encoders/open
    embeddings/pipeline embeddings zero_shot projection`,
  "5 vector database":
    "chroma/server chroma/collection chroma/query chroma/update",
  "captions, and folders to evaluate": `
    captions/collector captions evaluate/similarity evaluate/bootstrap evaluate/retrieval
    embeddings/texts folder evaluate/class_folder evaluate/method_tally evaluate/folder
    evaluate/captions evaluate/encoder_comparison download/zip captions/coco
    display/retrieval_table display/encoder_table`,
  "the search page": `
    app/vector_rows app/collection app/vector_store app/seed_files
    app/sources app/file_hashes app/indexing app/query app/filters
    app/ranking app/spaces app/cut_off app/search app/pictures app/map
    app/guard app/server app/routes app/app app/search_once app/terminal`,
  "8 at scale": "synthetic",
};

const order = Object.values(ORDER).join(" ").match(/\S+/g)!
  .map((name) => `${name}.ts`);
const files = (await readdir(join(paths.root, "lib"), { recursive: true }))
  .filter((name) => name.endsWith(".ts")).toSorted();
const code = new Map(
  await Promise.all(files.map(async (file) => {
    const text = await readFile(join(paths.root, "lib", file), "utf8");
    return [file, withoutComments(text)] as const;
  })),
);

Deno.test("every file of lib/ has its place in this test's table, and exists", () => {
  const withoutPlace = files.filter((file) => !order.includes(file));
  const withoutFile = order.filter((file) => !files.includes(file));
  deepEqual({ withoutPlace, withoutFile }, {
    withoutPlace: [],
    withoutFile: [],
  });
});

Deno.test("files of lib/ import only from those before them", () => {
  for (const file of files) {
    for (const target of importsOf(file)) {
      equal(
        order.indexOf(target) < order.indexOf(file),
        true,
        `lib/${file} imports ${target}, which the table puts after it`,
      );
    }
  }
});

Deno.test("lib/ imports by relative path with extension, node: or bare name", () => {
  for (const [file, text] of code) {
    for (const [, specifier] of text.matchAll(IMPORT)) {
      const allowed = /^(\.\.?\/.+\.ts|node:.+|[@a-z][^:]*)$/;
      equal(allowed.test(specifier), true, `lib/${file} imports ${specifier}`);
    }
  }
});

Deno.test("no file of lib/ passes on another's exports", () => {
  for (const [file, text] of code) {
    equal(/^export\b[^;]*?\bfrom\s*"/m.test(text), false, `lib/${file}`);
    equal(/^export default\b/m.test(text), false, `lib/${file}`);
  }
});

Deno.test("only lib/display/ touches Deno", () => {
  for (const [file, text] of code) {
    if (file.startsWith("display/")) continue;
    equal(/\bDeno\b/.test(text), false, `lib/${file}`);
  }
});

Deno.test("environment variables are read by lib/paths.ts alone", () => {
  for (const [file, text] of code) {
    if (file === "paths.ts") continue;
    // Handed on to a program that is started, and no setting of this project.
    const settings = text.replaceAll("env.LD_LIBRARY_PATH", "");
    equal(/\benv\.[A-Z]|\benv\["/.test(settings), false, `lib/${file}`);
  }
});

Deno.test("no file of lib/ or tasks/ is longer than 250 lines", async () => {
  for (const folder of ["lib", "tasks"]) {
    const names = await readdir(join(paths.root, folder), { recursive: true });
    for (const name of names.filter((name) => /\.(ts|py)$/.test(name))) {
      const text = await readFile(join(paths.root, folder, name), "utf8");
      const lines = text.split("\n").length - 1;
      equal(lines <= 250, true, `${folder}/${name} has ${lines} lines`);
    }
  }
});

Deno.test("every export of lib/ is documented and states its type", () => {
  const { stderr } = run(Deno.execPath(), [
    ...["doc", "--lint"],
    ...files.map((file) => `lib/${file}`),
  ]);
  const faults = stderr.split("\n\n").filter((block) =>
    // Members may explain themselves: only column 1 is asked for.
    /missing-jsdoc[^]*:1$/m.test(block) || /missing-(return|exp)/.test(block)
  );
  equal(faults.join("\n\n"), "");
});

const isCheckout = existsSync(join(paths.root, ".git"));
if (!isCheckout) console.warn("architecture_test: no git here, some ignored");

Deno.test({
  name: "no file in git names a registry's host or a folder of one machine",
  ignore: !isCheckout,
  async fn() {
    const host =
      /https?:\/\/[\w.-]*(npmjs|pypi|pythonhosted|debian|jsr)[\w.-]*/;
    const path = /(?<![\w.:/-])\/(home|root|Users|work)\/[\w.-]+/;
    const tracked = run("git", ["ls-files", "-z"]).stdout.split("\0");
    for (const name of tracked) {
      if (!/\.(ts|py|md|json|ipynb|txt|lock|sh|html|css)$|run$/.test(name)) {
        continue;
      }
      const text = await readFile(join(paths.root, name), "utf8").catch(() =>
        ""
      );
      equal(text.match(host)?.[0], undefined, name);
      if (name === "tests/notebooks_test.ts") continue; // Has some as examples.
      equal(text.match(path)?.[0], undefined, name);
    }
  },
});

Deno.test("every npm package of deno.json is pinned, used and accounted for", async () => {
  const read = (name: string) => readFile(join(paths.root, name), "utf8");
  const { imports } = JSON.parse(await read("deno.json"));
  const reasons = await read("CONTRIBUTING.md");
  const folders = ["lib", "tasks", "tests", "bench"];
  const sources = (await Promise.all(folders.map(async (folder) => {
    const files = await readdir(join(paths.root, folder), { recursive: true });
    const code = files.filter((file) => file.endsWith(".ts"));
    return await Promise.all(code.map((file) => read(join(folder, file))));
  }))).flat();
  const { "#lib/": _, ...packages } = imports as Record<string, string>;
  for (const [name, target] of Object.entries(packages)) {
    const [, npmName] = target.match(/^npm:(.+)@\d+\.\d+\.\d+$/) ?? [];
    ok(npmName, `${target} is not pinned`);
    ok(reasons.includes(`\`${npmName}\``), `CONTRIBUTING.md: no ${npmName}`);
    const used = [`"${name}"`, `"${name}/`];
    const isUsed = (text: string) => used.some((one) => text.includes(one));
    ok(sources.some(isUsed), `${name} is not used`);
  }
});

Deno.test("the pinned version of Deno is the same wherever it is named", async () => {
  for (const name of [".ci/run", "README.md", "CONTRIBUTING.md"]) {
    const text = await readFile(join(paths.root, name), "utf8").catch(() => "");
    for (const [, version] of text.matchAll(/deno@(\d+\.\d+\.\d+)/g)) {
      equal(version, DENO_VERSION, name);
    }
  }
});

const IMPORT =
  /(?:^(?:import|export)\b[^"';]*?\bfrom\s*|^import\s*|\bimport\(\s*)"([^"]+)"/gm;

/** The files of lib/ that a file of lib/ imports, as the table writes them. */
function importsOf(file: string): string[] {
  return [...code.get(file)!.matchAll(IMPORT)]
    .map(([, specifier]) => specifier)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(file), specifier)));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function run(program: string, args: string[]) {
  return spawnSync(program, args, {
    cwd: paths.root,
    encoding: "utf8",
    env: { ...Deno.env.toObject(), NO_COLOR: "1" },
  });
}
