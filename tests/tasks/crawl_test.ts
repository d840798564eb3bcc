import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sites } from "#lib/crawl/sites/sites.ts";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { command } from "../../tasks/crawl.ts";
import { siteNames } from "../../tasks/site_names.ts";
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

const crawl = (data: string, ...args: string[]) =>
  crawlIn(paths.root, data, ...args);

/** Called in some folder, as `deno task` says it. */
async function crawlIn(folder: string, data: string, ...args: string[]) {
  const out: string[] = [];
  const file = join(paths.root, "tasks", "crawl.ts");
  const run = await runChild(Deno.execPath(), ["run", "-A", file, ...args], {
    env: { CONTACT_SHEET_DATA: data, INIT_CWD: folder, NO_COLOR: "1" },
    onLine: (line, stream) => stream === "stdout" && out.push(line),
  });
  return { ...run, out };
}

Deno.test({
  name:
    "task crawl finds pictures of a plan, downloads them, and makes a data set",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const plan = join(data, "plan.json");
      await writeFile(plan, '\ufeff{"food": ["fruit"], "space": ["planet"]}');
      const args = [plan, "--limit", "3", "--download", "--json"];
      const { code, out, output } = await crawl(data, ...args);
      strictEqual(code, 0);
      strictEqual(out.length, 1);
      const { downloaded, kept: _, folder, robots, ...rest } = JSON.parse(
        out[0],
      );
      deepStrictEqual(rest, {
        pictures: 6,
        site: "Darkroom, the offline photo site",
        terms: [
          { category: "food", term: "fruit", pictures: 3 },
          { category: "space", term: "planet", pictures: 3 },
        ],
        failures: [],
        remarks: [],
        notReached: [],
      });
      strictEqual(downloaded, 6);
      ok((await readdir(folder)).includes("manifest.jsonl"));
      match(robots.decision, /robots\.txt allows \/search\/$/);
      ok(output.includes(robots.decision));
    }),
});

Deno.test({
  name:
    "task crawl takes the same plan from another folder and by --plan, and asks for nothing again",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const plan = JSON.stringify({ space: ["planet"] });
      await writeFile(join(data, "my.plan.JSON"), plan);
      const first = await crawl(data, "planet", "--limit", "2", "--json");
      const options = ["--limit", "2", "--json"];
      const second = await crawlIn(data, data, "my.plan.JSON", ...options);
      strictEqual(second.code, 0, second.output);
      const again = ["--plan", "my.plan.JSON", ...options];
      const third = await crawlIn(data, data, ...again);
      const told = [first, second, third].map(({ out }) => JSON.parse(out[0]));
      deepStrictEqual(told.map(({ pictures }) => pictures), [2, 2, 2]);
      strictEqual(told[1].terms[0].category, "space");
      strictEqual(told[2].robots.decision, "nothing is left to ask for");
    }),
});

Deno.test({
  name:
    "task crawl keeps to a licence, and says that it does not keep to robots.txt",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const args = ["windmill", "--licence", "CC BY-SA", "--licence", "CC BY"];
      const { code, output } = await crawl(data, ...args, "--ignore-robots");
      strictEqual(code, 0);
      match(output, /^--ignore-robots: what robots\.txt forbids is asked for/m);
      match(output, /allows \/search\/; asked all the same, as ignoreRobots/);
      match(output, /^1 pictures of Darkroom/m);
    }),
});

Deno.test({
  name:
    "task crawl ends with 1 where a site has nothing, and names the term that failed",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const { code, output } = await crawl(data, "zz\u202ezz", "--limit", "2");
      strictEqual(code, 1);
      match(output, /^0 pictures of Darkroom/m);
      // What turns the direction of a line is for no terminal.
      match(output, /^ {2}failed: zz zz: no pictures for "zz zz"$/m);
    }),
});

Deno.test({
  name:
    "task crawl stopped by Ctrl-C says what is open, and goes on from there",
  ignore: missing || Deno.build.os === "windows",
  fn: () =>
    withData(async (data) => {
      const terms = ["planet", "fruit", "fish", "flower", "hammer", "tower"];
      const file = join(paths.root, "tasks", "crawl.ts");
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", file, ...terms, "--json"],
        env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const crawled = join(data, "1_crawl", "terms.jsonl");
      while (!existsSync(crawled)) await sleep(50);
      child.kill("SIGINT");
      const { code, stdout, stderr } = await child.output();
      strictEqual(code, 130);
      const { notReached } = JSON.parse(new TextDecoder().decode(stdout));
      ok(notReached.length > 0);
      const said = new TextDecoder().decode(stderr);
      ok(said.includes(`${notReached.length} terms are open`), said);
      const rest = await crawl(data, ...terms, "--json");
      const { notReached: open, failures } = JSON.parse(rest.out[0]);
      deepStrictEqual([rest.code, open, failures], [0, [], []]);
    }),
});

Deno.test("task crawl knows the sites that the library has, and says them", () => {
  const { values } = command.options!.site;
  deepStrictEqual(values, ["local", ...Object.keys(sites)]);
  ok(values!.every((name) => command.help.includes(name)));
});

Deno.test("task crawl knows a site by the lines that CONTRIBUTING.md adds to sites.ts", async () => {
  const table = join(paths.root, "lib", "crawl", "sites", "sites.ts");
  const contributing = await readFile(
    join(paths.root, "CONTRIBUTING.md"),
    "utf8",
  );
  const line = 'import { museum } from "./museum.ts";';
  ok(contributing.includes(line) && contributing.includes("`museum,`"));
  const source = (await readFile(table, "utf8"))
    .replace("import type", `${line}\nimport type`)
    .replace(
      "  commons,\n",
      '  commons,\n  museum,\n  "old-museum": museum,\n',
    );
  deepStrictEqual(siteNames(source), [
    ...Object.keys(sites),
    "museum",
    "old-museum",
  ]);
});

Deno.test("task crawl says in one line what is wrong", () =>
  withData(async (data) => {
    const bad = join(data, "bad.json");
    await writeFile(bad, '{"birds": ["owl", "owl"]}');
    const cut = join(data, "cut.json");
    await writeFile(cut, '{"birds": [');
    const large = join(data, "large.json");
    await writeFile(large, " ".repeat(5_000_001));
    const cases: [string[], RegExp][] = [
      [[], /^crawl: expected either terms or a plan, got neither$/],
      [["a", "--plan", "b"], /^crawl: .*, got terms and --plan$/],
      [["a.json", "--plan", "b"], /^crawl: .*, got a plan and --plan$/],
      [
        ["--plan", join(data, "gone")],
        /^--plan: expected a file, .* not there$/,
      ],
      [
        [join(data, "gone.json")],
        /^PLAN\.json: expected a file, .* not there$/,
      ],
      [
        [bad],
        /bad\.json: expected each term once, got "owl" twice, in "birds"$/,
      ],
      [[cut], /cut\.json is no JSON: /],
      [
        [large],
        /large\.json: expected a plan of 5 MB at most, got 5000001 bytes$/,
      ],
      [["a", " "], /^crawl: expected a term in "pictures", .*, got " "$/],
      [[""], /^crawl: expected a term in "pictures", .*, got ""$/],
      [["a", "a"], /^crawl: expected each term once, got "a" twice/],
      [["a", "--site", "x"], /^--site: expected local, flickr, .*, got x$/],
      [["a", "--licence", ""], /^--licence: expected a name .*, got ""$/],
      [
        ["a", "--limit", "0"],
        /^--limit: expected a whole number from 1 to 10000/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await crawl(data, ...args);
      strictEqual(code, 2, output);
      match(output, message);
      strictEqual(output.trim().split("\n").length, 1, output);
    }
  }));
