import {
  deepStrictEqual as deepEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { startChroma } from "#lib/engines/chroma/chroma.ts";
import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
import { paths } from "#lib/paths.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`kills_test skipped: no ${paths.venv}`);

const KILLS = 20;
const COUNT = 3000;
const of = { dataset: "kills", encoder: "test", dimensions: 32 };
const vectors = clusteredVectors(COUNT, 32);
const ids = Array.from({ length: COUNT }, (_, n) => `row ${n}`);

/** Every row is there once, with its own vector. */
async function checkWhole(folder: string) {
  const chroma = await startChroma({ folder });
  try {
    const index = await openChromaIndex(chroma, of);
    equal(await index.count(), COUNT);
    const found: string[] = [];
    for await (const { id } of index.rows()) found.push(id);
    deepEqual(found.sort(), [...ids].sort());
    const { data } = await index.vectors(ids);
    // The server scales vectors to length 1, once more.
    ok(data.every((value, i) => Math.abs(value - vectors.data[i]) < 1e-6));
    const hits = await index.nearestBatch(vectors.slice(0, 50), 1);
    hits.forEach(([hit], row) => equal(hit.id, ids[row]));
  } finally {
    await chroma.stop();
  }
}

Deno.test(
  "an update goes on over twenty kills of its server, and loses no row",
  {
    ignore,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    const chroma = await startChroma({ folder });
    const acknowledged: number[] = [];
    let kills = 0;
    try {
      const index = await openChromaIndex(chroma, { ...of, batchSize: 50 });
      const killing = (async () => {
        while (kills < KILLS) {
          // After another batch, so that the update gets on between two kills.
          const before = acknowledged.length;
          while (acknowledged.length === before) await sleep(1);
          await sleep(2 * (kills % 9));
          const { pid } = chroma;
          try {
            process.kill(pid!, "SIGKILL");
            kills++;
          } catch { /* Not yet started again. */ }
          while (chroma.pid === pid) await sleep(5);
        }
      })();
      await index.put(ids, vectors, {
        onProgress: (done) => acknowledged.push(done),
      });
      await killing;
      equal(kills, KILLS);
      // Sent once each, however often the server died.
      equal(acknowledged.length, 1 + COUNT / 50);
    } finally {
      await chroma.stop();
    }
    await checkWhole(folder);
  },
);

Deno.test(
  "an update killed twenty times completes, and no acknowledged row is lost",
  {
    ignore,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    // Stays, so that only the client dies.
    const chroma = await startChroma({ folder });
    try {
      const program = `
      import { clusteredVectors } from "#lib/compare/synthetic.ts";
      import { startChroma } from "#lib/engines/chroma/chroma.ts";
      import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
      const chroma = await startChroma({ folder: ${JSON.stringify(folder)} });
      const index = await openChromaIndex(chroma, { ...${
        JSON.stringify(of)
      }, batchSize: 50 });
      const vectors = clusteredVectors(${COUNT}, 32);
      const ids = Array.from({ length: ${COUNT} }, (_, n) => \`row \${n}\`);
      await index.put(ids, vectors, { onProgress: (done) => console.log(done) });
    `;
      const index = await openChromaIndex(chroma, of);
      let acknowledged = 0;
      for (let kills = 0; kills < KILLS; kills++) {
        const child = new Deno.Command(Deno.execPath(), {
          args: ["eval", program],
          cwd: paths.root,
          stdout: "piped",
        }).spawn();
        const lines = child.stdout.pipeThrough(new TextDecoderStream());
        // Later and later, so that kills hit every part of an update.
        let seen = 0;
        for await (const text of lines) {
          const done = text.trim().split("\n").map(Number);
          acknowledged = Math.max(acknowledged, ...done);
          seen += done.length;
          if (seen > 1 + kills % 3) break;
        }
        try {
          child.kill("SIGKILL");
        } catch { /* It was done. */ }
        await child.status;

        const count = await index.count();
        ok(
          count >= acknowledged,
          `${acknowledged} acknowledged, ${count} there`,
        );
      }
      ok(acknowledged < COUNT, "killed before the end each time");
      const sent: number[] = [];
      await index.put(ids, vectors, { onProgress: (done) => sent.push(done) });
      ok(
        sent[0] >= acknowledged,
        `${sent[0]} of ${acknowledged} are taken over`,
      );
    } finally {
      await chroma.stop();
    }
    await checkWhole(folder);
  },
);
