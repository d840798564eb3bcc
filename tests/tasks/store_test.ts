import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddingStore } from "#lib/embeddings/store.ts";
import { runChild } from "../../tasks/child.ts";

/** A data folder with a store of two encoders, and `task store` on it. */
async function makeData() {
  const data = await Deno.makeTempDir();
  const embeddings = join(data, "4_embeddings");
  const fill = async (id: string, ...keys: string[]) => {
    const encoder = { id, dimensions: 4 };
    const store = await EmbeddingStore.open(encoder, embeddings);
    for (const key of keys) {
      store.put(key, new Float32Array(4));
      await store.save();
    }
  };
  await fill("offline", "owl", "oak");
  await fill("offline", "owl"); // By another process at the same time.
  await fill("clip-vit-b32/q8", "ash");
  return {
    data,
    async store(...args: string[]) {
      const lines: string[] = [];
      const { code, output } = await runChild(
        Deno.execPath(),
        ["run", "-A", "tasks/store.ts", ...args],
        {
          env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
          onLine: (line, stream) => stream === "stdout" && lines.push(line),
        },
      );
      return { code, lines: code === 0 ? lines : output.split("\n") };
    },
    [Symbol.asyncDispose]: () => rm(data, { recursive: true }),
  };
}

Deno.test("task store lists encoders with embeddings, files and bytes", async () => {
  await using made = await makeData();
  const { code, lines } = await made.store();
  equal(code, 0);
  match(lines[0], /^encoder +embeddings +dimensions +files +MB$/);
  match(lines[1], /^clip-vit-b32\/q8 +1 +4 +1 +0\.\d+$/);
  match(lines[2], /^offline +2 +4 +3 +0\.\d+$/);
  equal(lines.length, 3);

  const { lines: [line, ...more] } = await made.store("--json");
  deepEqual(more, []);
  const { encoders: [clip, offline], older } = JSON.parse(line);
  deepEqual([clip.id, clip.count], ["clip-vit-b32/q8", 1]);
  const { bytes, ...rest } = offline;
  deepEqual(rest, { id: "offline", dimensions: 4, count: 2, parts: 3 });
  equal(bytes > 3 * 4 * 4, true);
  deepEqual(older, []);
});

Deno.test("task store compact puts one encoder's or all encoders' files together", async () => {
  await using made = await makeData();
  const files = async (...args: string[]) => {
    const { lines: [line] } = await made.store(...args, "--json");
    return JSON.parse(line).encoders.map((one: { parts: number }) => one.parts);
  };
  deepEqual(await files("compact", "clip-vit-b32/q8"), [1, 3]);
  deepEqual(await files("compact", "offline"), [1, 1]);
  const again = await EmbeddingStore.open(
    { id: "offline", dimensions: 4 },
    join(made.data, "4_embeddings"),
  );
  again.put("elm", new Float32Array(4));
  await again.save();
  deepEqual(await files("compact"), [1, 1]);
});

Deno.test("task store forget deletes one encoder's embeddings", async () => {
  await using made = await makeData();
  const { code, lines } = await made.store("forget", "offline");
  equal(code, 0);
  equal(lines.length, 2);
  match(lines[1], /^clip-vit-b32\/q8/);
  equal(existsSync(join(made.data, "4_embeddings", "offline")), false);
  deepEqual((await made.store("forget", "clip-vit-b32/q8")).lines, [
    "No embeddings are kept.",
  ]);
});

Deno.test("task store names what an older layout left, and leaves it alone", async () => {
  await using made = await makeData();
  const old = [
    join("4_embeddings", "old", "embeddings.npy"),
    join("6_search", "pets-0a1b", "files.jsonl"),
    join("7_captions", "offline", "index.json"),
    join("7_evaluation", "index.json"),
  ].map((name) => join(made.data, name));
  for (const path of old) {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, "");
  }
  for (const args of [[], ["compact"]]) {
    const { lines } = await made.store(...args);
    match(
      lines.at(-1)!,
      /^Of an older layout, not used and left alone: \S+4_embeddings\/old, \S+pets-0a1b, \S+7_captions, \S+7_evaluation$/,
    );
    equal(lines.length, 4);
    deepEqual(old.map((path) => existsSync(path)), old.map(() => true));
  }
  const { lines: [line] } = await made.store("--json");
  equal(JSON.parse(line).older.length, 4);
});

Deno.test("task store says what it can do, and which encoders there are", async () => {
  await using made = await makeData();
  for (
    const args of [["shrink"], ["forget"], ["forget", "a", "b"], [
      ...["compact", "a", "b"],
    ]]
  ) {
    const { code, lines } = await made.store(...args);
    equal(code, 2);
    deepEqual(lines, [
      `store: expected nothing, compact [ENCODER] or forget ENCODER, got ${
        args.join(" ")
      }`,
    ]);
  }
  for (const action of ["forget", "compact"]) {
    const { code, lines } = await made.store(action, "clip");
    equal(code, 2);
    deepEqual(lines, [
      'there is no store of "clip"; there are: clip-vit-b32/q8, offline',
    ]);
  }
});
