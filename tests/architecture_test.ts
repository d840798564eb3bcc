import { deepEqual, equal, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { paths } from "#lib/paths.ts";
import { DENO_VERSION } from "../tasks/command.ts";

/**
 * lib/ from the bottom up: three files and the folders of the stages. A folder
 * imports only from those before it, so that each can be read knowing only what
 * stands above it here.
 */
const ORDER = `
  paths.ts files.ts records.ts
  http pictures photo_site crawl dataset compare encoders embeddings
  engines captions evaluate display search_page exercises`.match(/\S+/g)!;

const files = (await readdir(join(paths.root, "lib"), { recursive: true }))
  // Kernels, *.as.ts, are in AssemblyScript, which its own compiler checks.
  .filter((name) => /(?<!\.as)\.ts$|\.js$/.test(name)).toSorted();
const code = new Map(
  await Promise.all(files.map(async (file) => {
    const text = await readFile(join(paths.root, "lib", file), "utf8");
    return [file, withoutComments(text)] as const;
  })),
);

Deno.test("lib/ holds what this test's table names, and nothing else", async () => {
  const entries = await readdir(join(paths.root, "lib"));
  deepEqual(entries.toSorted(), ORDER.toSorted());
  ok(entries.length <= 17);
});

Deno.test("a folder of lib/ is entered by the file that has its name", () => {
  for (const folder of ORDER.filter((name) => !name.endsWith(".ts"))) {
    ok(files.includes(`${folder}/${folder}.ts`), `lib/${folder}`);
  }
});

Deno.test("folders of lib/ import only from those before them", () => {
  const place = (file: string) => ORDER.indexOf(file.split("/")[0]);
  for (const file of files) {
    for (const target of importsOf(file)) {
      ok(files.includes(target), `lib/${file} imports ${target}`);
      ok(
        place(target) <= place(file),
        `lib/${file} imports ${target}, which the table puts after it`,
      );
    }
  }
});

Deno.test("no files of lib/ import each other, not in a circle either", () => {
  const way: string[] = [], seen = new Set<string>();
  const follow = (file: string) => {
    const circle = way.indexOf(file);
    equal(circle, -1, `${way.slice(circle).join(" > ")} > ${file}`);
    if (seen.has(file)) return;
    seen.add(file);
    way.push(file);
    importsOf(file).forEach(follow);
    way.pop();
  };
  files.forEach(follow);
});

Deno.test("tests/ mirrors lib/: a folder of tests for each folder", async () => {
  const folders = (await readdir(join(paths.root, "tests"), {
    withFileTypes: true,
  })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const beside = ["fixtures", "notebooks", "support", "tasks"];
  const stages = ORDER.filter((name) => !name.endsWith(".ts"));
  deepEqual(folders.toSorted(), [...stages, ...beside].toSorted());
});

Deno.test("lib/ imports by relative path with extension, node: or bare name", () => {
  for (const [file, text] of code) {
    for (const [, specifier] of text.matchAll(IMPORT)) {
      const allowed = /^(\.\.?\/.+\.[jt]s|node:.+|[@a-z][^:]*)$/;
      equal(allowed.test(specifier), true, `lib/${file} imports ${specifier}`);
    }
  }
});

Deno.test("no file of lib/ passes on another's exports", () => {
  for (const [file, text] of code) {
    equal(
      /^export\s+(type\s+)?(\*|\{[^}]*\})[\w\s]*from\s*"/m.test(text),
      false,
      `lib/${file}`,
    );
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

Deno.test("every export of lib/ is documented and states its type", () => {
  // The page's JavaScript states its types in comments, which are checked.
  const typescript = files.filter((file) => file.endsWith(".ts"));
  const { stderr } = run(Deno.execPath(), [
    ...["doc", "--lint"],
    ...typescript.map((file) => `lib/${file}`),
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
      if (name === "tests/notebooks/notebooks_test.ts") continue; // Has some as examples.
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
    const code = files.filter((file) => /\.(ts|py)$/.test(file));
    return await Promise.all(code.map((file) => read(join(folder, file))));
  }))).flat();
  const { "#lib/": _, ...packages } = imports as Record<string, string>;
  for (const [name, target] of Object.entries(packages)) {
    const [, npmName] = target.match(/^npm:(.+)@\d+\.\d+\.\d+$/) ?? [];
    ok(npmName, `${target} is not pinned`);
    ok(reasons.includes(`\`${npmName}\``), `CONTRIBUTING.md: no ${npmName}`);
    const used = [`"${name}"`, `"${name}/`, `node_modules/${name}/`];
    const isUsed = (text: string) => used.some((one) => text.includes(one));
    ok(sources.some(isUsed), `${name} is not used`);
  }
});

Deno.test("the pinned version of Deno is the same wherever it is named", async () => {
  const names = ".ci/run README.md CONTRIBUTING.md package.json docs/node.md " +
    ".devcontainer/devcontainer.json binder/postBuild " +
    "lib/paths.ts lib/engines/chroma/chroma.ts";
  for (const name of names.split(" ")) {
    const text = await readFile(join(paths.root, name), "utf8").catch(() => "");
    for (const [, version] of text.matchAll(/deno@(\d+\.\d+\.\d+)/g)) {
      equal(version, DENO_VERSION, name);
    }
  }
});

const IMPORT =
  /(?:^(?:import|export)\b[^"';]*?\bfrom\s*|^import\s*|\bimport\(\s*)"([^"]+)"/gm;

/** The files of lib/ that a file of lib/ imports, by their paths below it. */
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
