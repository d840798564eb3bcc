import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Matrix } from "#lib/compare/matrix.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { HnswIndex, type HnswOptions } from "#lib/engines/hnsw.ts";

const vectors = clusteredVectors(2000, 32);
const ids = Array.from(vectors, (_, row) => `${row}`);

/** An index of 300 vectors, written and closed; its folder. */
async function written(options: Partial<HnswOptions> = {}): Promise<string> {
  const folder = await Deno.makeTempDir();
  const index = await HnswIndex.open({ dimensions: 32, folder, ...options });
  await index.put(ids.slice(0, 300), vectors.slice(0, 300));
  await index.close();
  return folder;
}

/** What is said on standard error meanwhile. */
async function warnings(run: () => Promise<unknown>): Promise<string[]> {
  const { warn } = console;
  const said: string[] = [];
  console.warn = (line: string) => said.push(line);
  try {
    await run();
  } finally {
    console.warn = warn;
  }
  return said;
}

Deno.test("a reopened index answers as before, and puts nothing again", async () => {
  const folder = await written();
  const index = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await index.count(), 300);
  strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
  const done: number[] = [];
  await index.put(ids.slice(0, 310), vectors.slice(0, 310), {
    onProgress: (count) => done.push(count),
  });
  deepStrictEqual(done, [300, 310]);
  await index.remove(["7"]);
  const again = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await again.count(), 309);
  ok((await again.nearest(vectors.row(7), 1))[0].id !== "7");
});

Deno.test("two indexes share a folder by their names", async () => {
  const folder = await written({ name: "pictures" });
  const texts = await HnswIndex.open({ dimensions: 2, folder, name: "texts" });
  await texts.put(["a"], Matrix.of([[0, 1]]));
  await texts.close();
  const options = { dimensions: 32, folder, name: "pictures" };
  strictEqual(await (await HnswIndex.open(options)).count(), 300);
  strictEqual((await readdir(folder)).length, 8);
});

Deno.test("vectors of another encoder or length are refused by name, and stay", async () => {
  const folder = await written({ encoder: "clip" });
  await rejects(
    HnswIndex.open({ dimensions: 32, folder, encoder: "siglip" }),
    /RangeError.*32 numbers by clip, expected 32 by siglip/,
  );
  await rejects(
    HnswIndex.open({ dimensions: 64, folder, encoder: "clip" }),
    /32 numbers by clip, expected 64 by clip/,
  );
  const same = { dimensions: 32, folder, encoder: "clip" };
  strictEqual(await (await HnswIndex.open(same)).count(), 300);
});

for (const file of ["graph", "rows.jsonl", "npy", "json"]) {
  for (const damage of ["cut short", "changed", "gone"]) {
    Deno.test(`an index whose ${file} is ${damage} is built anew, in one line`, async () => {
      const folder = await written();
      const isIt = (name: string) =>
        file === "json" ? name === "vectors.1.json" : name.endsWith(`.${file}`);
      const path = join(folder, (await readdir(folder)).find(isIt)!);
      const bytes = await readFile(path);
      if (damage === "cut short") await writeFile(path, bytes.subarray(0, -9));
      if (damage === "gone") await Deno.remove(path);
      if (damage === "changed") {
        bytes[bytes.length - 9] ^= 4;
        if (file === "json") bytes[0] = 0;
        await writeFile(path, bytes);
      }
      const said = await warnings(async () => {
        const index = await HnswIndex.open({ dimensions: 32, folder });
        // A graph can be made of the vectors.
        strictEqual(await index.count(), file === "graph" ? 300 : 0);
        await index.put(ids, vectors);
      });
      // Where the first file is gone, there is no index.
      strictEqual(said.length, file + damage === "jsongone" ? 0 : 1);
      for (const line of said) {
        const what = file === "graph" ? "graph" : "index";
        ok(line.includes(`the ${what} is built anew, since it is dam`), line);
      }
      const index = await HnswIndex.open({ dimensions: 32, folder });
      strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
    });
  }
}

Deno.test("an index of other settings or of another form is built anew, in one line", async () => {
  const folder = await written();
  const path = join(folder, "vectors.1.json");
  const open = (options: Partial<HnswOptions>, count = 0) => async () => {
    const index = await HnswIndex.open({ dimensions: 32, folder, ...options });
    strictEqual(await index.count(), count);
    if (count === 0) return;
    strictEqual(index.settings.maxNeighbors, 8);
    deepStrictEqual(
      await index.vectors(ids.slice(0, 300)),
      vectors.slice(0, 300),
    );
    strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
  };
  const said = await warnings(open({ maxNeighbors: 8 }, 300));
  const given = () => vectors.slice(0, 0);
  const without = { vectorsOf: given, maxNeighbors: 8 };
  said.push(...await warnings(open(without)));
  await writeFile(path, '{ "format": 0 }');
  said.push(...await warnings(open({})));
  await writeFile(path, "null");
  said.push(...await warnings(open({})));
  await writeFile(path, '{ "format": 1, "encoder": "", "settings": {} }');
  said.push(...await warnings(open({})));
  deepStrictEqual(said, [
    `${path}: the graph is built anew, since it was built with other settings`,
    `${path}: the index is built anew, since it was built with other settings`,
    `${path}: the index is built anew, since it has another form`,
    `${path}: the index is built anew, since it has another form`,
    `${path}: the index is built anew, since it is damaged (it does not say of ` +
    "whose vectors)",
  ]);
});

Deno.test("a graph whose numbers have the earlier form is built anew of its vectors", async () => {
  const folder = await written();
  const path = join(folder, "vectors.1.json");
  const { peak, ...earlier } = JSON.parse(await readFile(path, "utf8"));
  ok(peak > 0 && peak < 1, `${peak}`);
  await writeFile(path, JSON.stringify(earlier));
  const said = await warnings(async () => {
    const index = await HnswIndex.open({ dimensions: 32, folder });
    strictEqual(await index.count(), 300);
    strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
    await index.put(ids.slice(0, 301), vectors.slice(0, 301));
    await index.close();
    const again = await HnswIndex.open({ dimensions: 32, folder });
    strictEqual(await again.count(), 301);
  });
  deepStrictEqual(said, [
    `${path}: the graph is built anew, since its numbers are of another form`,
  ]);
});

Deno.test("a graph is built anew for a peaked vector where its numbers have 8 bits, and there alone", async () => {
  const peaked = Matrix.zeros(1, 32);
  peaked.row(0)[0] = 1;
  for (const numbers of ["i8", "f32"] as const) {
    const folder = await written({ numbers });
    const options = { dimensions: 32, folder, numbers };
    const index = await HnswIndex.open(options);
    const peakIn = async (version: number) =>
      JSON.parse(
        await readFile(join(folder, `vectors.${version}.json`), "utf8"),
      )
        .peak;
    const before = await peakIn(1);
    await index.put(["peaked"], peaked);
    const isSame = before === await peakIn(2);
    strictEqual(isSame, numbers === "f32", numbers);
    await index.close();
  }
});

Deno.test("an index that is opened while another saves it is whole", async () => {
  const folder = await written();
  const writer = await HnswIndex.open({ dimensions: 32, folder });
  let isDone = false;
  const writing = (async () => {
    for (let turn = 0; turn < 40; turn++) {
      await writer.remove(["7"]);
      await writer.put(["7"], vectors.slice(7, 8));
    }
  })().finally(() => isDone = true);
  const counts = new Set<number>();
  const said = await warnings(async () => {
    while (!isDone) {
      const reader = await HnswIndex.open({ dimensions: 32, folder });
      counts.add(await reader.count());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  await writing;
  deepStrictEqual([...counts].filter((count) => count < 299), []);
  deepStrictEqual(said, []);
});

Deno.test("of two indexes over one folder, the second to write is told, and the first's stays", async () => {
  const folder = await Deno.makeTempDir();
  const [first, second] = await Promise.all(
    [1, 2].map(() => HnswIndex.open({ dimensions: 32, folder })),
  );
  await first.put(ids.slice(0, 100), vectors.slice(0, 100));
  const taken = /another program has written this index since it was opened/;
  const put = () => second.put(ids.slice(100, 150), vectors.slice(100, 150));
  await rejects(put(), taken);
  // What is in memory already is not on disk either.
  await rejects(put(), taken);
  await rejects(second.close(), taken);
  await first.put(ids.slice(0, 120), vectors.slice(0, 120));
  await first.close();
  strictEqual((await readdir(folder)).length, 4);
  const again = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await again.count(), 120);
  await again.put(ids.slice(100, 150), vectors.slice(100, 150));
  await again.close();
});

Deno.test("of indexes that save at the same moment, one does", async () => {
  const folder = await written();
  const all = await Promise.all(
    Array.from({ length: 8 }, () => HnswIndex.open({ dimensions: 32, folder })),
  );
  const ends = await Promise.allSettled(
    all.map((index, i) => index.put([`new ${i}`], vectors.slice(i, i + 1))),
  );
  const [saved, ...others] = [...ends.keys()].filter((i) =>
    ends[i].status === "fulfilled"
  );
  deepStrictEqual(others, []);
  strictEqual((await readdir(folder)).length, 4);
  const index = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await index.count(), 301);
  deepStrictEqual(
    await index.vectors([`new ${saved}`]),
    vectors.slice(saved, saved + 1),
  );
});

Deno.test("an index that is deleted and made anew by another is not written over", async () => {
  const folder = await written();
  const late = await HnswIndex.open({ dimensions: 32, folder });
  await late.remove(["1"]);
  for (const file of await readdir(folder)) {
    await Deno.remove(join(folder, file));
  }
  const anew = await HnswIndex.open({ dimensions: 32, folder });
  await anew.put(["a"], vectors.slice(0, 1));
  await rejects(late.remove(["2"]), /another program has written/);
  const index = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await index.count(), 1);
});

Deno.test("an index that need not be kept goes on in memory, and tells why once", async () => {
  const folder = await Deno.makeTempDir();
  const told: string[] = [];
  const onUnkept = ({ message }: Error) => told.push(message);
  const options = { dimensions: 32, folder, onUnkept };
  const first = await HnswIndex.open(options);
  const second = await HnswIndex.open(options);
  await first.put(ids.slice(0, 100), vectors.slice(0, 100));
  for (const end of [50, 60]) {
    await second.put(ids.slice(0, end), vectors.slice(0, end));
  }
  strictEqual((await second.nearest(vectors.row(55), 1))[0].id, "55");
  await second.close();
  strictEqual(told.length, 1);
  ok(/another program has written/.test(told[0]), told[0]);
  strictEqual(await (await HnswIndex.open(options)).count(), 100);
});

Deno.test("a file that is there and cannot be read is an error, and no reason to begin anew", async () => {
  const folder = await written();
  const files = await readdir(folder);
  const path = join(folder, files.find((name) => name.endsWith(".npy"))!);
  await Deno.rename(path, `${path}-moved`);
  await Deno.mkdir(path);
  await rejects(HnswIndex.open({ dimensions: 32, folder }), /EISDIR/);
  await Deno.remove(path);
  await Deno.rename(`${path}-moved`, path);
  const index = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await index.count(), 300);
});

Deno.test("what cannot be written is one error, and the files stay as they were", async () => {
  const folder = await written();
  const index = await HnswIndex.open({ dimensions: 32, folder });
  const before = await readdir(folder);
  // In the folder's place is a file, as where a disk is full nothing is written.
  await Deno.rename(folder, `${folder}-moved`);
  await writeFile(folder, "");
  await rejects(
    index.put(ids, vectors),
    /graph cannot be written .*: expected a folder with space left/,
  );
  await Deno.remove(folder);
  await Deno.rename(`${folder}-moved`, folder);
  deepStrictEqual(await readdir(folder), before);
  strictEqual(await index.count(), 2000);
  await index.close();
  const again = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await again.count(), 2000);
});

Deno.test("files of killed programs are removed once they are old", async () => {
  const folder = await written();
  const uuid = crypto.randomUUID();
  const left = [`vectors.${uuid}.graph`, `.${uuid}.part`, `new.${uuid}.graph`];
  for (const name of left) await writeFile(join(folder, name), "");
  const index = await HnswIndex.open({ dimensions: 32, folder });
  await index.remove(["1"]);
  const old = Date.now() / 1000 - 3600;
  for (const name of left) await utimes(join(folder, name), old, old);
  await index.remove(["2"]);
  const names = await readdir(folder);
  deepStrictEqual(left.filter((name) => names.includes(name)), [left[2]]);
  strictEqual(names.length, 5);
});

Deno.test("a program killed 20 times loses no vector that was put, and completes", async () => {
  const folder = await Deno.makeTempDir();
  const program = fileURLToPath(import.meta.resolve("./hnsw_put_forever.ts"));
  const run = () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", program, folder],
      stdout: "piped",
    }).spawn();
  let most = 0;
  for (let kill = 0; kill < 20; kill++) {
    const child = run();
    // Each is killed at another moment after it has put something.
    let seen = 0;
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) {
      for (const line of decoder.decode(bytes).trim().split("\n")) {
        seen = Number(line);
      }
      most = Math.max(most, seen);
      if (seen < 100 * kill) continue;
      await new Promise((resolve) => setTimeout(resolve, 3 * kill % 17));
      child.kill("SIGKILL");
      break;
    }
    await child.status;
    const index = await HnswIndex.open({ dimensions: 32, folder });
    const count = await index.count();
    ok(count >= most && count % 100 === 0, `${count} of ${most}`);
    const there = vectors.slice(0, count);
    deepStrictEqual(await index.vectors(ids.slice(0, count)), there);
    const hits = await index.nearestBatch(there, 1);
    const found = hits.filter(([{ id }], row) => id === ids[row]).length;
    ok(found >= .99 * count, `${found} of ${count}`);
  }
  ok((await run().output()).success);
  const index = await HnswIndex.open({ dimensions: 32, folder });
  strictEqual(await index.count(), 2000);
});
