import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset } from "#lib/dataset/dataset.ts";
import { readJsonLines } from "#lib/files.ts";
import { paths } from "#lib/paths.ts";
import { openLibrary } from "#lib/photo_site/library.ts";
import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
import { readSample } from "#lib/photo_site/sample.ts";
import { runChild } from "../../tasks/child.ts";
import { type Preparation, prepareSource } from "../../tasks/preparation.ts";
import { npmPackages } from "../../tasks/setup.ts";
import { pythonPackages, virtualEnvironment } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";

const missing = ![npmPackages, virtualEnvironment, pythonPackages].every(
  isDone,
);
if (missing) console.warn("dataset_test: one ignored, set-up has not been run");

/** Runs `body` with a data folder of its own. */
async function withData(body: (data: string) => Promise<void>) {
  const { downloads, dataset, crawled } = paths;
  const data = await mkdtemp(join(tmpdir(), "dataset-"));
  paths.downloads = join(data, "2_downloads");
  paths.dataset = join(data, "2_dataset");
  paths.crawled = join(data, "1_crawl", "images.jsonl");
  try {
    await body(data);
  } finally {
    Object.assign(paths, { downloads, dataset, crawled });
    await rm(data, { recursive: true });
  }
}

/** Of `prepareSource`: what is said, and nothing asked of the network. */
function quietly(options: Pick<Preparation, "source"> & Partial<Preparation>) {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const run = prepareSource({
    ...{ licences: [], near: {}, encoder: "none", split: { test: 1 } },
    progress: {
      ...{ line: say, passing: () => {}, waiting: () => () => {} },
      remarks: (lines) => lines.forEach(say),
    },
    ...options,
  });
  return { run, said };
}

/** The command itself. */
async function dataset(data: string, args: string[], cwd = data) {
  const out: string[] = [];
  const file = join(paths.root, "tasks", "dataset.ts");
  const run = await runChild(Deno.execPath(), ["run", "-A", file, ...args], {
    env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
    cwd,
    onLine: (line, stream) => stream === "stdout" && out.push(line),
  });
  return { ...run, out };
}

/** A site of pictures, and a list of some of them: url, text, class, licence. */
async function withSite(
  body: (site: {
    rows: string[];
    limits: Preparation["limits"];
    asked: () => number;
  }) => Promise<void>,
) {
  let asked = 0;
  const site = await startPhotoSite({ port: 0, onRequest: () => asked++ });
  const library = openLibrary(await readSample());
  const rows = library.terms.slice(0, 3).flatMap(({ term }) =>
    library.search(term).filter(({ flaw }) => !flaw).slice(0, 6)
      .map(({ id, name, license }) =>
        `${site.origin}/pictures/${id}-${name}_b.jpg,"A ""${name}""",${term},${license}`
      )
  );
  const limits = { allowedHosts: [site.host], intervalMs: 0, retries: 0 };
  try {
    await body({ rows, limits, asked: () => asked });
  } finally {
    await site.close();
  }
}

Deno.test("task dataset makes a data set of a list, and a second run asks for nothing again", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      const bad = [
        "none,x,owl,",
        `${rows[0].split("/pictures/")[0]}/pictures/gone.jpg,x,owl,`,
      ];
      await writeFile(
        path,
        ["URL,TEXT,class,LICENSE", ...rows, ...bad].join("\n"),
      );
      const source = { kind: "list", path } as const;
      const first = quietly({ source, limits });
      const { json, text } = await first.run;
      const { counts, failures } = json;
      strictEqual(json.found, rows.length + 1);
      strictEqual(json.badLines, 1);
      strictEqual(counts["not downloaded"], 1);
      match(first.said.join("\n"), /line 20: expected an address, got none/);
      match(failures[0].reason, /404/);
      match(text, /404[^\n]*\n.*They are in .*CREDITS\.md/s);
      const { gallery, queries } = await readDataset();
      strictEqual(gallery.length + queries.length, counts.train + counts.test);
      strictEqual(new Set(queries.map(({ term }) => term)).size, 3);
      match(gallery[0].caption, /^A ".+"$/);
      match(
        await readFile(join(paths.dataset, "CREDITS.md"), "utf8"),
        /^# Credits/,
      );
      const pairs = await readJsonLines(
        join(paths.dataset, "near_duplicates.jsonl"),
      );
      strictEqual(pairs.length, json.pairs);

      const before = asked();
      const manifest = join(paths.dataset, "manifest.jsonl");
      const was = await readFile(manifest, "utf8");
      await quietly({ source, limits }).run;
      strictEqual(asked() - before, 1, "what is gone is asked for again");
      strictEqual(await readFile(manifest, "utf8"), was);
    })
  ));

Deno.test("task dataset stopped keeps what has arrived, and the earlier data set", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      await writeFile(path, ["url,text,class,licence", ...rows].join("\n"));
      const source = { kind: "list", path } as const;
      const stop = new AbortController();
      const { run } = quietly({
        ...{ source, signal: stop.signal },
        limits: { ...limits, concurrency: 1 },
        progress: {
          ...{ line: () => {}, remarks: () => {}, waiting: () => () => {} },
          passing: () => asked() >= 6 && stop.abort(new Error("stopped")),
        },
      });
      await rejects(run, /stopped|abort/i);
      const manifest = join(paths.dataset, "manifest.jsonl");
      await rejects(stat(manifest), { code: "ENOENT" });
      const { json } = await quietly({ source, limits }).run;
      strictEqual(json.downloaded, rows.length);
      ok(asked() < rows.length + 6, `${asked()} of ${rows.length}`);
    })
  ));

Deno.test("task dataset downloads only what is under the licences wanted", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      const free = rows.map((row, i) =>
        row.replace(/[^,]*$/, i % 2 ? "cc0" : "CC BY-NC 4.0")
      );
      await writeFile(path, ["url,text,class,licence", ...free].join("\n"));
      const source = { kind: "list", path } as const;
      const licences = ["CC0", "CC BY"];
      const { json } = await quietly({ source, limits, licences }).run;
      strictEqual(asked(), rows.length / 2);
      strictEqual(json.failures[0].stage, "licence");
      const { gallery } = await readDataset();
      deepStrictEqual([...new Set(gallery.map(({ license }) => license))], [
        "CC0 1.0",
      ]);
    })
  ));

Deno.test("task dataset without SOURCE takes what the crawl left, from the practice site too", () =>
  withData(async (data) => {
    await rejects(
      quietly({ source: { kind: "crawl" } }).run,
      /images\.jsonl not found: run notebook 1 first/,
    );
    await withSite(async ({ rows }) => {
      await mkdir(join(data, "1_crawl"));
      const records = rows.map((row) => ({
        ...{ category: "all", term: "owl", page: "", caption: "", author: "" },
        ...{ license: "", url: row.split(",")[0].replace(/:\d+/, ":1") },
      }));
      await writeFile(
        paths.crawled,
        records.map((record) => JSON.stringify(record)).join("\n"),
      );
      const { json } = await quietly({ source: { kind: "crawl" } }).run;
      strictEqual(json.downloaded, rows.length);
    });
  }));

Deno.test({
  name:
    "task dataset reads a folder from where its caller stands, and ends with a line of JSON",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const args = ["sample", "--json", "--encoder", "none", "--size", "100"];
      const { code, out } = await dataset(data, args, join(paths.sample, ".."));
      strictEqual(code, 0);
      strictEqual(out.length, 1);
      const { found, counts, folder } = JSON.parse(out[0]);
      ok(found > 300 && counts.test > 20, out[0]);
      const [row] = await readJsonLines<{ width: number }>(
        join(folder, "manifest.jsonl"),
      );
      ok(row.width <= 100);
    }),
});

Deno.test("task dataset says in one line what is wrong", () =>
  withData(async (data) => {
    await writeFile(join(data, "a.parquet"), "PAR1");
    await writeFile(join(data, "a.csv"), "name,size\n");
    const cases: [string[], RegExp][] = [
      [["gone"], /^dataset: expected a folder or a list, gone is not there$/],
      [[""], /^dataset: expected a folder or a list, "" is not there$/],
      [["a", "b"], /^dataset: expected one SOURCE, got 2: a, b$/],
      [
        ["a.parquet"],
        /^dataset: expected a folder, or a list called .*, got a\.parquet$/,
      ],
      [
        ["a.csv", "--test", "1.5"],
        /^--test: expected a whole number .*, got 1\.5$/,
      ],
      [["a.csv", "--test", "-1"], /^--test: .*, got -1$/],
      [["a.csv", "--test", ""], /^--test: .*, got ""$/],
      [
        ["a.csv", "--seed", "x"],
        /^--seed: expected a whole number from 0 .*, got x$/,
      ],
      [
        ["a.csv", "--size", "7"],
        /^--size: expected a whole number from 50 .*, got 7$/,
      ],
      [
        ["a.csv", "--keep", "best"],
        /^--keep: expected larger or earlier, got best$/,
      ],
      [
        ["a.csv", "--licence", " "],
        /^--licence: expected a licence's name, got ""$/,
      ],
      [
        ["a.csv", "--spare", "gone.jpg"],
        /^--spare: expected a file, gone\.jpg is not there$/,
      ],
      [
        ["a.csv", "--sed", "1"],
        /^dataset: unknown option --sed; did you mean --seed\?/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await dataset(data, args);
      strictEqual(code, 2, output);
      match(output.trim(), message);
    }
  }));
