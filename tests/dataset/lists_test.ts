import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readList } from "#lib/dataset/lists.ts";
import type { FoundPicture } from "#lib/records.ts";

/** What is read of a list of this name and content, and what is said of it. */
async function read(name: string, content: string | Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), "lists-"));
  try {
    await writeFile(join(folder, name), content);
    const bad: [number, string][] = [];
    const list = readList(join(folder, name), {
      onBadLine: (line, reason) => bad.push([line, reason]),
    });
    return { pictures: await Array.fromAsync(list), bad };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const owl: FoundPicture = {
  ...{ category: "birds", term: "birds", url: "https://example.org/owl.jpg" },
  ...{ page: "", caption: "An owl, white", author: "", license: "" },
};
const gull = { ...owl, url: "https://example.org/gull.jpg", caption: "A gull" };

Deno.test("readList() reads the columns of img2dataset, LAION and COYO, however they are written", async () => {
  const caption = '"An owl, white"';
  const lists: Record<string, string> = {
    "img2dataset.csv":
      `url,caption\n${owl.url},${caption}\n${gull.url},A gull\n`,
    "laion.csv": `SAMPLE_ID,URL,TEXT,LICENSE,NSFW,similarity\n` +
      `1,${owl.url},${caption},?,UNLIKELY,.3\n2,${gull.url},A gull,?,,\n`,
    "coyo.tsv":
      `id\turl\ttext\tclip_similarity\n1\t${owl.url}\tAn owl, white\t.1\n` +
      `2\t${gull.url}\tA gull\t.2\n`,
    "semicolons.csv":
      `Image URL;Caption\r\n${owl.url};An owl, white\r\n${gull.url};A gull`,
    "mark.csv":
      `\ufeff"url","caption"\n${owl.url},${caption}\n${gull.url},"A gull"\n`,
    "lines.jsonl": `{"url":"${owl.url}","text":"An owl, white"}\n\n` +
      `{"TEXT":"A gull","URL":"${gull.url}","width":null}`,
    "cc3m.tsv": `An owl, white\t${owl.url}\nA gull\t${gull.url}\n`,
    "cc12m.tsv": `${owl.url}\tAn owl, white\n${gull.url}\tA gull\n`,
  };
  for (const [name, text] of Object.entries(lists)) {
    const term = name.split(".")[0];
    for (const packed of [false, true]) {
      const { pictures, bad } = await read(
        packed ? `${name}.gz` : name,
        packed ? gzipSync(text) : text,
      );
      const expected = [owl, gull].map((one) => ({
        ...one,
        category: term,
        term,
      }));
      deepStrictEqual(pictures, expected, name);
      deepStrictEqual(bad, []);
    }
  }
});

Deno.test("readList() takes class, licence, author, page and size where columns have them", async () => {
  const { pictures } = await read(
    "x.csv",
    "Label,supercategory,url,photographer,licence,landing_page,WIDTH,HEIGHT\n" +
      `owl,bird,${owl.url},Ada,cc-by-4.0,https://example.org/1,1024.0,768\n` +
      `owl,,${gull.url},,,,nan,-1\n`,
  );
  deepStrictEqual(pictures, [
    {
      ...{ category: "bird", term: "owl", url: owl.url, caption: "" },
      ...{ page: "https://example.org/1", author: "Ada", license: "CC BY 4.0" },
      ...{ width: 1024, height: 768 },
    },
    {
      ...{ category: "x", term: "owl", url: gull.url, caption: "" },
      ...{ page: "", author: "", license: "" },
    },
  ]);
  const only = await read("x.csv", `url,category\n${owl.url},owls\n`);
  deepStrictEqual(
    only.pictures.map(({ term, category }) => [term, category]),
    [["owls", "x"]],
  );
});

Deno.test("readList() reads an address a line, commas and all", async () => {
  const { pictures, bad } = await read(
    "birds.txt",
    `# mine\n${owl.url}?a=1,2;3\n\n${gull.url}\r\nowl\n`,
  );
  deepStrictEqual(pictures.map(({ url }) => url), [
    `${owl.url}?a=1,2;3`,
    gull.url,
  ]);
  deepStrictEqual(bad, [
    [1, "expected an address, got # mine"],
    [5, "expected an address, got owl"],
  ]);
});

Deno.test("readList() leaves out bad rows and says on which line", async () => {
  const { pictures, bad } = await read(
    "birds.csv",
    `url,caption\n${owl.url},"An owl,\nwhite"\n,none\nftp://example.org/a,b\n` +
      `${gull.url},a, b\n${gull.url},say "A gull" aloud,,\njavascript:alert(1),x\n${gull.url}\n`,
  );
  deepStrictEqual(pictures.map(({ caption }) => caption), [
    "An owl,\nwhite",
    'say "A gull" aloud',
    "",
  ]);
  deepStrictEqual(bad, [
    [4, "expected an address, got "],
    [5, "expected an http or https address, got ftp:"],
    [6, 'expected 2 cells, got 3: quote what has "," in it'],
    [8, "expected an http or https address, got javascript:"],
  ]);
  const json = await read(
    "birds.jsonl",
    `{"url":"${owl.url}"}\nnull\n[1]\n{"url": \n{"text":"x"}\n{"url":"${gull.url}"}\n`,
  );
  strictEqual(json.pictures.length, 2);
  deepStrictEqual(json.bad.map(([line]) => line), [2, 3, 4, 5]);
  match(json.bad[3][1], /no column holds the pictures' addresses/);
});

Deno.test("readList() loses one row to a quote that is not closed, not the rest", async () => {
  const rows = Array.from(
    { length: 3000 },
    (_, i) => `${gull.url}?${i},gull ${i}\n`,
  );
  rows[4] = `${owl.url},"An owl\n`;
  const { pictures, bad } = await read(
    "x.csv",
    `url,caption\n${rows.join("")}`,
  );
  strictEqual(pictures.length, 2999);
  deepStrictEqual(bad, [[6, "a quote is not closed"]]);
  // At the end of the file nothing closes it either.
  const end = await read(
    "x.csv",
    `url,caption\n${owl.url},"An\n${gull.url},gull\n`,
  );
  deepStrictEqual(end.pictures.map(({ caption }) => caption), ["gull"]);
  // People write quotes: in lists without a header they are signs like others.
  const { pictures: [said] } = await read("x.tsv", `"An owl\t${owl.url}\n`);
  strictEqual(said.caption, '"An owl');
});

Deno.test("readList() reads Latin-1, UTF-16 and UTF-8 that is broken here and there", async () => {
  const text = `url,caption\n${owl.url},Käuzchen\n`;
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  const big = Buffer.from(little).swap16();
  for (const bytes of [text, Buffer.from(text, "latin1"), little, big]) {
    const { pictures: [{ caption }] } = await read("x.csv", bytes);
    strictEqual(caption, "Käuzchen");
  }
  const broken = Buffer.concat([Buffer.from(text), Buffer.of(0xff, 10)]);
  const { pictures, bad } = await read("x.csv", broken);
  strictEqual(pictures[0].caption, "Käuzchen");
  strictEqual(bad.length, 1);
});

Deno.test("readList() reads cells of a megabyte, keeps their beginning, and passes over longer lines", async () => {
  const long = "x".repeat(1_000_000);
  const { pictures, bad } = await read(
    "x.csv",
    `url,caption\n${owl.url},"${long}"\n${owl.url},${
      long.repeat(8)
    }\n${gull.url},\u{1f989}${long}\n`,
  );
  deepStrictEqual(pictures.map(({ caption }) => caption.length), [5000, 5000]);
  deepStrictEqual(bad, [[3, "longer than 5000000 bytes"]]);
  const none = await read("x.txt", "y".repeat(20_000_000));
  deepStrictEqual([none.pictures.length, none.bad.length], [0, 1]);
});

Deno.test("readList() says what is wrong with a file", async () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ["x.csv", "", /x\.csv: is empty$/],
    [
      "x.csv",
      "name,size\na,b\n",
      /expected one called url, image_url, src or link, got "name", "size"$/,
    ],
    ["x.jsonl", '{"name":1}', /no column .*, got "name"$/],
    ["x.csv", Buffer.from("PAR1\0\0"), /is no text but Parquet: expected CSV/],
    [
      "x.csv",
      Buffer.from("PK\x03\x04\0"),
      /is no text but a? ?ZIP.*: expected CSV/,
    ],
    ["x.md", "a", /x\.md: expected a list called \.csv, \.tsv, /],
  ];
  for (const [name, content, message] of cases) {
    await rejects(read(name, content), { message });
  }
  await rejects(
    readList("gone.csv").next(),
    /gone\.csv is not there, or no file/,
  );
  await rejects(readList(tmpdir()).next(), /is not there, or no file/);
});

Deno.test("readList() gives what a damaged .gz still holds, and says so", async () => {
  // Random, so that it stays long.
  const rows = Array.from(
    { length: 20_000 },
    () => `https://example.org/${crypto.randomUUID()}.jpg,An owl\n`,
  );
  const packed = gzipSync(`url,caption\n${rows.join("")}`);
  const { pictures, bad } = await read(
    "x.csv.gz",
    packed.subarray(0, packed.length / 2),
  );
  ok(pictures.length > 5000 && pictures.length < 15_000, `${pictures.length}`);
  match(bad.map(([, reason]) => reason).join(), /cut off or damaged/);
});

Deno.test("readList() gives its first row before the list is read, whatever its length", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lists-"));
  try {
    const path = join(folder, "long.csv");
    const row = `${owl.url},"An owl, white"\n`;
    await writeFile(path, `url,caption\n${row.repeat(100_000)}`);
    const start = performance.now();
    const list = readList(path);
    await list.next();
    ok(performance.now() - start < 1000);
    await list.return(undefined); // Nothing of it stays open.
    const before = Deno.memoryUsage().rss;
    let count = 0, most = 0;
    for await (const { caption } of readList(path)) {
      if (caption === owl.caption) count++;
      if (count % 10_000 === 0) most = Math.max(most, Deno.memoryUsage().rss);
    }
    strictEqual(count, 100_000);
    ok(most - before < 150e6, `${(most - before) / 1e6} MB`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
