import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { creditLine } from "#lib/dataset/credits.ts";
import { readDataset, writeDataset } from "#lib/dataset/dataset.ts";
import { paths } from "#lib/paths.ts";
import type { DatasetPicture } from "#lib/records.ts";

const owl: DatasetPicture = {
  ...{
    path: "train/owl/a.jpg",
    split: "train",
    category: "birds",
    term: "owl",
  },
  ...{ url: "https://example.org/a.jpg", page: "https://example.org/a" },
  ...{ caption: "An owl", author: "Ada", license: "CC BY 4.0" },
  ...{ width: 64, height: 48, sha256: "0" },
};

/** Runs `body` with a data set of these records. */
async function withRecords(
  records: readonly DatasetPicture[],
  body: (read: (name: string) => Promise<string>) => Promise<void>,
) {
  const { dataset } = paths;
  paths.dataset = await mkdtemp(join(tmpdir(), "credits-"));
  try {
    await writeDataset(() => records);
    await body((name) => readFile(join(paths.dataset, name), "utf8"));
  } finally {
    await rm(paths.dataset, { recursive: true });
    paths.dataset = dataset;
  }
}

Deno.test("creditLine() is one line, and says what is not known", () => {
  strictEqual(creditLine(owl), "“An owl” by Ada, CC BY 4.0 (example.org)");
  const none = { caption: " ", author: "", license: "", page: "" };
  strictEqual(creditLine(none), "Untitled by unknown author, licence unknown");
  const odd = {
    caption: `An owl\n\u202e${"so ".repeat(50)}`,
    author: "Ada\r\nLovelace",
    license: "CC0\u2028 1.0",
    page: "javascript:alert(1)",
  };
  const line = creditLine(odd);
  match(line, /^“An owl so so .*…” by Ada Lovelace, CC0 1\.0$/);
  ok(!/[\n\r\u2028\u202e]/.test(line));
});

Deno.test("CREDITS.md groups pictures by licence, then author, those without last", () =>
  withRecords([
    owl,
    { ...owl, path: "train/owl/b.jpg", license: "", caption: "" },
    { ...owl, path: "train/owl/c.jpg", author: "", page: "" },
    { ...owl, path: "train/owl/d.jpg", author: "Aaron", url: "", page: "" },
  ], async (read) => {
    strictEqual(
      await read("CREDITS.md"),
      `# Credits

## CC BY 4.0

3 pictures, under [these terms](<https://creativecommons.org/licenses/by/4.0/>).

### Aaron

- An owl, train/owl/d.jpg

### Ada

- [An owl](<https://example.org/a>), train/owl/a.jpg

### Author unknown

- [An owl](<https://example.org/a.jpg>), train/owl/c.jpg

## Licence unknown

1 picture.

### Ada

- [Untitled](<https://example.org/a>), train/owl/b.jpg
`,
    );
    const credits = JSON.parse(await read("credits.json"));
    deepStrictEqual(credits[owl.path], {
      ...{ title: "An owl", author: "Ada", license: "CC BY 4.0" },
      licenceUrl: "https://creativecommons.org/licenses/by/4.0/",
      ...{ page: owl.page, url: owl.url },
    });
    strictEqual(Object.keys(credits).length, 4);
  }));

Deno.test("CREDITS.md shows what sites write as text: no markup, no links of theirs", () =>
  withRecords([{
    ...owl,
    caption:
      "](https://evil.example) <img src=x onerror=alert(1)> **b** `c` www.evil.example",
    author: "# Ada\n\n## [x](http://evil.example) &lt; @ada",
    license: "<script>alert(1)</script>",
    page: "https://example.org/a>(b) [c]\\?q=<x>",
  }], async (read) => {
    const text = await read("CREDITS.md");
    // Without what is escaped, and without our own address, nothing is left.
    const rest = text.replaceAll(/\\./g, "").replaceAll(
      /\(<https:[^<>]*>\)/g,
      "",
    );
    strictEqual((rest.match(/[<>`*&@]|:\/\/|www\./g) ?? []).join(), "");
    strictEqual(rest.match(/^#+ /gm)?.length, 3);
    match(
      text,
      /\(<https:\/\/example\.org\/a%3E\(b\)%20\[c\]\/?\?q=%3Cx%3E>\)/,
    );
  }));

Deno.test("CREDITS.md makes no list of a title that begins like one", () => {
  const titles = ["- dash", "+ plus", "1. one", "23) two", "3.5 inch"];
  return withRecords(
    titles.map((caption) => ({ ...owl, caption, url: "", page: "" })),
    async (read) => {
      const text = await read("CREDITS.md");
      deepStrictEqual(text.match(/(?<=^- ).*(?=, train)/gm), [
        ...["\\- dash", "\\+ plus", "1\\. one", "23\\) two", "3\\.5 inch"],
      ]);
    },
  );
});

Deno.test("writeDataset() gives each split a metadata.jsonl with file names below it, and none to a split of nothing", () =>
  withRecords([
    { ...owl, caption: "" },
    { ...owl, path: 'train/owl/b "2".jpg' },
  ], async (read) => {
    const rows = (await read("train/metadata.jsonl")).trim().split("\n")
      .map((line) => JSON.parse(line));
    deepStrictEqual(
      rows.map(({ file_name, caption }) => [file_name, caption]),
      [
        ["owl/a.jpg", "owl"],
        ['owl/b "2".jpg', "An owl"],
      ],
    );
    strictEqual(Object.keys(rows[0])[0], "file_name");
    await stat(join(paths.dataset, "test", "metadata.jsonl")).then(
      () => ok(false),
      ({ code }) => strictEqual(code, "ENOENT"),
    );
    deepStrictEqual((await readDataset()).gallery.length, 2);
    deepStrictEqual(Object.keys(JSON.parse(await read("captions.json"))), [
      "train/owl/a.jpg",
      'train/owl/b "2".jpg',
    ]);
  }));

Deno.test("writeDataset() writes whole characters, whatever texts it is given", () => {
  const halves = {
    caption: "An owl \ud83d",
    author: "\udd89 Ada",
    term: "\ud83d",
  };
  return withRecords([{ ...owl, ...halves }], async (read) => {
    const names = ["manifest.jsonl", "train/metadata.jsonl", "captions.json"];
    for (const name of [...names, "credits.json", "CREDITS.md"]) {
      const text = await read(name);
      ok(!/\\ud[89a-f]/i.test(text), name);
      ok(text.includes("\ufffd Ada"), name);
    }
  });
});

Deno.test("writeDataset() writes 100,000 records without holding them", async () => {
  const { dataset } = paths;
  paths.dataset = await mkdtemp(join(tmpdir(), "credits-"));
  const count = 100_000;
  function* records(): Generator<DatasetPicture> {
    for (let i = 0; i < count; i++) {
      const name = `${i}`.padStart(6, "0");
      yield { ...owl, path: `train/owl/${name}.jpg`, author: `Ada ${i % 500}` };
    }
  }
  try {
    await writeDataset(() => records().take(100)); // Code is warm.
    const before = Deno.memoryUsage().rss;
    await writeDataset(records);
    const more = Deno.memoryUsage().rss - before;
    ok(more < 120e6, `${more / 1e6} MB`);
    const credits = await readFile(join(paths.dataset, "CREDITS.md"), "utf8");
    strictEqual(credits.match(/^- /gm)?.length, count);
  } finally {
    await rm(paths.dataset, { recursive: true });
    paths.dataset = dataset;
  }
});
