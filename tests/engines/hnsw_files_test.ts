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
        file === "json" ? name === "vectors.json" : name.endsWith(`.${file}`);
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
        strictEqual(await index.count(), 0);
        await index.put(ids, vectors);
      });
      // Where the first file is gone, there is no index.
      strictEqual(said.length, file + damage === "jsongone" ? 0 : 1);
      for (const line of said) {
        ok(/is built anew, since it is dam/.test(line), line);
      }
      const index = await HnswIndex.open({ dimensions: 32, folder });
      strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
    });
  }
}

Deno.test("an index of other settings or of another form is built anew, in one line", async () => {
  const folder = await written();
  const path = join(folder, "vectors.json");
  const open = (options: Partial<HnswOptions>) => async () => {
    const index = await HnswIndex.open({ dimensions: 32, folder, ...options });
    strictEqual(await index.count(), 0);
  };
  const said = await warnings(open({ maxNeighbors: 8 }));
  await writeFile(path, '{ "format": 0 }');
  said.push(...await warnings(open({})));
  await writeFile(path, "null");
  said.push(...await warnings(open({})));
  deepStrictEqual(said, [
    `${path}: the index is built anew, since it was built with other settings`,
    `${path}: the index is built anew, since it has another form`,
    `${path}: the index is built anew, since it has another form`,
  ]);
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
