import { match, ok, strictEqual } from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { npmPackages } from "../../tasks/setup.ts";
import { pythonPackages, virtualEnvironment } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";

const missing = ![npmPackages, virtualEnvironment, pythonPackages].every(
  isDone,
);
if (missing) console.warn("crawl_test: some ignored, set-up has not been run");

async function withData(body: (data: string) => Promise<void>) {
  const data = await mkdtemp(join(tmpdir(), "crawl-"));
  try {
    await body(data);
  } finally {
    await rm(data, { recursive: true });
  }
}

async function crawl(data: string, ...args: string[]) {
  const out: string[] = [];
  const file = join(paths.root, "tasks", "crawl.ts");
  const run = await runChild(Deno.execPath(), ["run", "-A", file, ...args], {
    env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
    onLine: (line, stream) => stream === "stdout" && out.push(line),
  });
  return { ...run, out };
}

Deno.test({
  name:
    "task crawl finds pictures of terms, downloads them, and makes a data set",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const plan = join(data, "plan.json");
      await writeFile(plan, '{"food": ["fruit"], "space": ["planet"]}');
      const args = ["--plan", plan, "--limit", "3", "--download", "--json"];
      const { code, out } = await crawl(data, ...args);
      strictEqual(code, 0);
      strictEqual(out.length, 1);
      const { pictures, downloaded, folder } = JSON.parse(out[0]);
      strictEqual(pictures, 6);
      strictEqual(downloaded, 6);
      ok((await readdir(folder)).includes("manifest.jsonl"));
    }),
});

Deno.test({
  name:
    "task crawl ends with 1 where a site has nothing, and names the term that failed",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const { code, output } = await crawl(data, "zzzz", "--limit", "2");
      strictEqual(code, 1);
      match(output, /^0 pictures of Darkroom/m);
    }),
});

Deno.test("task crawl says in one line what is wrong", () =>
  withData(async (data) => {
    const cases: [string[], RegExp][] = [
      [[], /^crawl: expected either terms or --plan FILE, got neither$/],
      [["a", "--plan", "b"], /^crawl: .*, got both$/],
      [
        ["--plan", join(data, "gone")],
        /^--plan: expected a file, .* not there$/,
      ],
      [["a", " "], /^crawl: expected terms, got " " among them$/],
      [[""], /^crawl: expected terms, got "" among them$/],
      [["a", "--site", "x"], /^--site: expected local or flickr, got x$/],
      [
        ["a", "--limit", "0"],
        /^--limit: expected a whole number from 1 to 500/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await crawl(data, ...args);
      strictEqual(code, 2, output);
      match(output, message);
    }
  }));
