import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "#lib/compare/matrix.ts";
import { writeNpy } from "#lib/compare/npy.ts";
import { FileHashes } from "#lib/embeddings/file_hashes.ts";
import {
  compactStore,
  EmbeddingStore,
  forgetStore,
  listOldEmbeddings,
  listStores,
} from "#lib/embeddings/store.ts";
import { writeJsonLines } from "#lib/files.ts";
import { paths } from "#lib/paths.ts";
import { withOwnStore } from "../support/own_store.ts";

const encoder = { id: "a/q8", dimensions: 2 };
type Identity = Parameters<typeof EmbeddingStore.open>[0];

/** Puts rows into a store and saves them, a part a call. */
async function keep(rows: Record<string, number[]>, whose: Identity = encoder) {
  const store = await EmbeddingStore.open(whose);
  for (const [key, row] of Object.entries(rows)) {
    store.put(key, Float32Array.from(row));
  }
  await store.save();
}

const read = async (keys: string[], whose: Identity = encoder) =>
  Array.from(
    await (await EmbeddingStore.open(whose)).rows(keys),
    (row) => [...row],
  );

const missing = [NaN, NaN];

Deno.test("rows() finds rows of several parts, saved or not, in the order asked for", () =>
  withOwnStore(async () => {
    await keep({ a: [1, 2], b: [3, 4], c: [5, 6], d: [7, 8] });
    await keep({ e: [9, 10] });
    const store = await EmbeddingStore.open(encoder);
    store.put("f", Float32Array.of(11, 12));
    const keys = ["f", "d", "none", "a", "b", "e", "a"];
    const rows = Array.from(await store.rows(keys), (row) => [...row]);
    deepEqual(rows, [
      ...[[11, 12], [7, 8], missing, [1, 2], [3, 4], [9, 10], [1, 2]],
    ]);
    deepEqual(keys.map((key) => store.has(key)), [
      ...[true, true, false, true, true, true, true],
    ]);
    equal((await store.rows([])).count, 0);
  }));

Deno.test("put() takes a copy", () =>
  withOwnStore(async () => {
    const store = await EmbeddingStore.open(encoder);
    const row = Float32Array.of(1, 2);
    store.put("a", row);
    row.fill(7);
    await store.save();
    deepEqual(await read(["a"]), [[1, 2]]);
  }));

Deno.test("many rows are found, also where they fill several reads", () =>
  withOwnStore(async () => {
    const names = Array.from({ length: 2500 }, (_, i) => `${i}`);
    await keep(Object.fromEntries(names.map((name, i) => [name, [i, -i]])));
    const asked = names.filter((_, i) => i % 5 !== 3).toReversed();
    deepEqual(
      await read(asked),
      asked.map((name) => [Number(name), -Number(name)]),
    );
  }));

Deno.test("save(false) writes only now and then, and what comes meanwhile stays", () =>
  withOwnStore(async (folder) => {
    const store = await EmbeddingStore.open(encoder);
    store.put("a", Float32Array.of(1, 2));
    await store.save(false);
    deepEqual(await readdir(folder), []);
    const saving = store.save();
    store.put("b", Float32Array.of(3, 4));
    await saving;
    deepEqual(await read(["a", "b"]), [[1, 2], missing]);
    await store.save();
    deepEqual(await read(["a", "b"]), [[1, 2], [3, 4]]);
  }));

Deno.test("a part does not count without its keys, cut short, of another length or encoder", () =>
  withOwnStore(async (folder) => {
    const parts = join(folder, "a_q8", "parts");
    await mkdir(parts, { recursive: true });
    const part = async (
      name: string,
      whose: object | undefined,
      keys: string[],
      vectors: Matrix,
    ) => {
      await writeNpy(join(parts, `${name}.npy`), vectors);
      if (!whose) return;
      await writeJsonLines(join(parts, `${name}.jsonl`), [whose, ...keys]);
    };
    const one = Matrix.of([[1, 2]]), long = Matrix.of([[1, 2, 3]]);
    await part("whole", encoder, ["whole"], one);
    await part("killed", undefined, ["killed"], one);
    await part("foreign", { ...encoder, id: "a/fp32" }, ["foreign"], one);
    await part("long", { ...encoder, dimensions: 3 }, ["long"], long);
    await part("more keys", encoder, ["first", "second"], one);
    const wide = Matrix.of([[1, 2, 3, 4]]);
    await part("wide", encoder, ["wide", "as long"], wide);
    await part("cut", encoder, ["cut"], one);
    await Deno.truncate(join(parts, "cut.npy"), 130);
    await part("torn", encoder, ["torn"], one);
    await appendFile(join(parts, "torn.jsonl"), '"half');
    await writeJsonLines(join(parts, "alone.jsonl"), [encoder, "alone"]);
    const keys = ["whole", "killed", "foreign", "long", "first", "cut", "torn"];
    deepEqual(
      await read([...keys, "wide", "second", "alone"]),
      [[1, 2], ...new Array(9).fill(missing)],
    );
  }));

Deno.test("a part's keys are written last", () =>
  withOwnStore(async (folder) => {
    await keep({ a: [1, 2] });
    const parts = join(folder, "a_q8", "parts");
    const [keys, vectors] = (await readdir(parts)).toSorted();
    const written = async (name: string) =>
      (await stat(join(parts, name), { bigint: true })).mtimeNs;
    ok(keys.endsWith(".jsonl"));
    // Equal where both fall into one tick of the file system's clock.
    ok(await written(keys) >= await written(vectors));
  }));

Deno.test("two stores at once do not disturb each other, nor does a compaction", () =>
  withOwnStore(async (folder) => {
    const first = await EmbeddingStore.open(encoder);
    const second = await EmbeddingStore.open(encoder);
    first.put("a", Float32Array.of(1, 2));
    second.put("a", Float32Array.of(1, 2));
    second.put("b", Float32Array.of(3, 4));
    await Promise.all([first.save(), second.save()]);
    await keep({ c: [5, 6] });
    const reader = await EmbeddingStore.open(encoder);
    const [before] = await listStores();
    deepEqual([before.id, before.count, before.parts], ["a/q8", 3, 3]);

    const parts = join(folder, "a_q8", "parts");
    await writeFile(join(parts, "old.npy"), "killed long ago");
    await utimes(join(parts, "old.npy"), 1e6, 1e6);
    await writeFile(join(parts, "new.npy"), "being written");
    // What another process has written since it was opened is not lost.
    await second.compact();
    deepEqual(await read(["c"]), [[5, 6]]);
    await compactStore("a/q8");
    deepEqual((await readdir(parts)).filter((name) => name === "old.npy"), []);
    await rm(join(parts, "new.npy")); // Was left alone.
    const [after] = await listStores();
    deepEqual([after.count, after.parts], [3, 1]);
    ok(after.bytes < before.bytes);
    // One that was opened before finds its rows where they are now.
    const rows = await reader.rows(["c", "a", "b"]);
    deepEqual(Array.from(rows, ([x]) => x), [5, 1, 3]);
    deepEqual(await read(["b"]), [[3, 4]]);
  }));

Deno.test("stores are listed and forgotten by encoder; older layouts are named", () =>
  withOwnStore(async (folder) => {
    deepEqual(await listStores(), []);
    await keep({ a: [1, 2] });
    await keep({ a: [1, 2, 3] }, { id: "b", dimensions: 3 });
    deepEqual(
      (await listStores()).map(({ id, dimensions }) => [id, dimensions]),
      [["a/q8", 2], ["b", 3]],
    );
    await rejects(forgetStore("c"), /no store of "c"; there are: a\/q8, b/);
    // Copied by hand, and of no use there.
    const foreign = join(folder, "b", "parts");
    for (const name of await readdir(foreign)) {
      await copyFile(
        join(foreign, name),
        join(folder, "a_q8", "parts", `0${name}`),
      );
    }
    deepEqual(
      (await listStores()).map(({ id, count, parts }) => [id, count, parts]),
      [["a/q8", 1, 1], ["b", 1, 1]],
    );
    await forgetStore("a/q8");
    deepEqual((await listStores()).map(({ id }) => id), ["b"]);
    deepEqual(await read(["a"], { id: "b", dimensions: 3 }), [[1, 2, 3]]);

    const { data, search } = paths;
    Object.assign(paths, { data: folder, search: join(folder, "6_search") });
    try {
      await mkdir(join(folder, "7_captions"));
      await mkdir(join(paths.search, "sample-1234abcd"), { recursive: true });
      await mkdir(join(paths.search, "uploads"));
      await writeFile(
        join(paths.search, "sample-1234abcd", "files.jsonl"),
        "",
      );
      await mkdir(join(folder, "offline"));
      await writeFile(join(folder, "offline", "embeddings.npy"), "");
      deepEqual(await listOldEmbeddings(), [
        join(folder, "offline"),
        join(paths.search, "sample-1234abcd"),
        join(folder, "7_captions"),
      ]);
    } finally {
      Object.assign(paths, { data, search });
    }
  }));

/** Runs a test in a store of its own, with what is said on standard error. */
const hearing = (body: (said: string[]) => Promise<void>) => () =>
  withOwnStore(async () => {
    const said: string[] = [];
    const { warn } = console;
    console.warn = (line) => said.push(line);
    try {
      await body(said);
    } finally {
      console.warn = warn;
    }
  });

Deno.test(
  "a former recipe's embeddings are made anew, which is said once",
  hearing(async (said) => {
    const now = { id: "own-2", formerIds: ["own"], dimensions: 2 };
    await EmbeddingStore.open(now);
    deepEqual(said, []);
    await keep({ a: [1, 2] }, { id: "own", dimensions: 2 });
    deepEqual(await read(["a"], now), [missing]);
    equal(said.length, 1);
    match(said[0], /kept for own are .* with own-2's: they are made anew/);
    match(said[0], /task store forget own`/);
    await keep({ a: [3, 4] }, now);
    deepEqual(await read(["a"], now), [[3, 4]]);
    equal(said.length, 1);
  }),
);

Deno.test(
  "once there are new embeddings, nothing is said of former ones",
  hearing(async (said) => {
    await keep({ a: [1, 2] }, { id: "own", dimensions: 2 });
    await keep({ a: [1, 2] }, { id: "own-2", dimensions: 2 });
    await read(["a"], { id: "own-2", formerIds: ["own"], dimensions: 2 });
    // Others whose id looks alike are others.
    await read(["a"], { id: "own-3", dimensions: 2 });
    deepEqual(said, []);
  }),
);

Deno.test("file hashes survive a line cut short, and another process's lines", () =>
  withOwnStore(async (folder) => {
    const path = join(folder, "files.jsonl");
    const files = ["a", "b", "c"].map((name) => join(folder, name));
    for (const file of files) await writeFile(file, file);
    const first = await FileHashes.open(path);
    const second = await FileHashes.open(path);
    const hash = await first.of(files[0]);
    await second.of(files[1]);
    await first.save();
    await appendFile(path, '{"path": "/half');
    await second.save();
    // Their bytes are gone; what is known of them is all there is.
    const third = await FileHashes.open(path);
    for (const [i, file] of files.entries()) {
      const { mtime } = await Deno.stat(file);
      await writeFile(file, "x".repeat(file.length));
      await utimes(file, mtime!, mtime!);
      const now = await third.of(file);
      equal(now === await first.of(file), i === 0 || i === 2, file);
    }
    equal(await third.of(files[0]), hash);
  }));
