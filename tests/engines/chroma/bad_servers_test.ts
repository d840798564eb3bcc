import { ok, rejects, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { connectChroma, startChroma } from "#lib/engines/chroma/chroma.ts";
import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
import {
  DatabaseError,
  type DatabaseErrorKind,
} from "#lib/engines/chroma/errors.ts";
import { paths } from "#lib/paths.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`bad_servers_test skipped: no ${paths.venv}`);

const of = { dataset: "tests", encoder: "test/1", dimensions: 16 };
const vectors = clusteredVectors(1000, 16);
const names = (count: number) =>
  Array.from({ length: count }, (_, n) => `${n}`);

/** Fails in one clear sentence, of this kind. */
async function fails(
  run: Promise<unknown>,
  kind: DatabaseErrorKind,
  words: RegExp,
) {
  await rejects(run, (error: Error) => {
    ok(error instanceof DatabaseError, `${error.stack}`);
    equal(error.kind, kind);
    ok(words.test(error.message), error.message);
    return true;
  });
}

/**
 * Stands between a client and a server; what `change` answers goes in place of
 * the server's answer.
 */
function standBetween(
  url: string,
  change: (what: string, body: string) => Response | undefined,
) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const changed = change(pathname.split("/").at(-1)!, body);
      if (changed) return changed;
      const answer = await fetch(new URL(pathname + search, url), {
        method: request.method,
        headers: { "content-type": "application/json" },
        ...(body && { body }),
      });
      return new Response(await answer.arrayBuffer(), answer);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    close: () => server.shutdown(),
  };
}

Deno.test("a server that refuses says in one sentence why, and what to do", {
  ignore,
}, async (t) => {
  const chroma = await startChroma({ folder: await Deno.makeTempDir() });
  const index = await openChromaIndex(chroma, of);
  await index.put(names(5), vectors.slice(0, 5));
  const say = (status: number, message: string, headers = {}) => () =>
    Response.json({ error: "Error", message }, { status, headers });
  const quota =
    "Quota exceeded: 'Number of collections' exceeded quota limit for action 'Create': current usage of 9 exceeds limit of 8";
  const cases: [string, () => Response, DatabaseErrorKind, RegExp][] = [
    [
      "a wrong key",
      say(401, "Unauthorized"),
      "key",
      /answered 401.*set CHROMA_API_KEY to a key of this database/,
    ],
    [
      "a key of another tenant",
      say(403, "Forbidden"),
      "key",
      /answered 403.*CHROMA_TENANT/,
    ],
    [
      "a limit of the plan",
      say(422, quota),
      "limit",
      /limit of 8": raise the plan's limit, or wait; what was sent is kept/,
    ],
    [
      "a bill that is not paid",
      say(402, "Billing limit exceeded"),
      "limit",
      /answered 402/,
    ],
    [
      "many requests, with a long wait",
      say(429, "Rate limit exceeded", { "retry-after": "3600" }),
      "limit",
      /answered 429, "Rate limit exceeded"/,
    ],
    [
      "a full disk",
      say(500, "database or disk is full"),
      "full",
      /make room on the server's disk/,
    ],
    [
      "a disk that is full while the server tidies up",
      say(500, "Error in compaction: Error purging logs"),
      "full",
      /make room on the server's disk/,
    ],
    [
      "a collection that is being deleted",
      say(
        412,
        "Error getting collection: Missing field: [Missing metadata segment]",
      ),
      "missing",
      /answered 412.*another program may have deleted the collection/,
    ],
    [
      "another error",
      say(500, "thread panicked"),
      "refused",
      /answered 500, "thread panicked": server.log/,
    ],
    [
      "a mistake of the client's",
      say(400, "Failed to parse"),
      "refused",
      /answered 400, "Failed to parse": it does not take what it was sent/,
    ],
    [
      "more than it takes at once",
      () => new Response("Payload too large", { status: 413 }),
      "refused",
      /answered 413, "Payload too large": send fewer rows .* smaller batchSize/,
    ],
    [
      "no JSON",
      () => new Response("<h1>Bad Gateway</h1>", { status: 502 }),
      "refused",
      /answered 502, "<h1>Bad Gateway/,
    ],
  ];
  try {
    for (const [name, answer, kind, words] of cases) {
      await t.step(name, async () => {
        let isBad = false;
        const between = standBetween(
          chroma.url,
          (what) => isBad && what !== "heartbeat" ? answer() : undefined,
        );
        try {
          const other = await openChromaIndex(
            await connectChroma(between.url),
            of,
          );
          isBad = true;
          await fails(other.put(names(9), vectors.slice(0, 9)), kind, words);
          await fails(other.nearest(vectors.row(0), 1), kind, words);
          isBad = false;
          equal((await other.nearest(vectors.row(0), 1))[0].id, "0");
          equal(await other.count(), 5);
        } finally {
          await between.close();
        }
      });
    }
  } finally {
    await chroma.stop();
  }
});

Deno.test(
  "a plan that takes fewer rows at once than its server says gets fewer",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    const sizes: number[] = [];
    // Chroma Cloud's own number is 1,000, and its limit 300.
    const between = standBetween(chroma.url, (what, body) => {
      if (what === "pre-flight-checks") {
        return Response.json({
          max_batch_size: 1000,
          supports_base64_encoding: true,
        });
      }
      if (!/^(upsert|get|query|delete)$/.test(what)) return undefined;
      const { ids = [], limit, n_results } = JSON.parse(body);
      const rows = Math.max(ids?.length ?? 0, limit ?? 0, n_results ?? 0);
      if (what === "upsert") sizes.push(rows);
      if (rows <= 300) return undefined;
      const [kind, action] = what === "upsert"
        ? ["Number of records", "Upsert"]
        : ["Limit value", "Get"];
      return Response.json({
        message:
          `Quota exceeded: '${kind}' exceeded quota limit for action '${action}': current usage of ${rows} exceeds limit of 300`,
      }, { status: 422 });
    });
    try {
      const index = await openChromaIndex(await connectChroma(between.url), of);
      await index.put(names(1000), vectors);
      equal(await index.count(), 1000);
      equal((await index.vectors(names(1000))).count, 1000);
      equal((await index.compare(vectors.row(0), names(1000))).length, 1000);
      equal(
        (await index.nearest(vectors.row(0), 1000)).length,
        300,
        "as many as the plan gives",
      );
      await index.remove(names(900));
      equal(await index.count(), 100);
      equal(Math.max(...sizes.slice(1)), 300);
    } finally {
      await between.close();
      await chroma.stop();
    }
  },
);

Deno.test(
  "a server that is busy for a moment is asked again",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    let busy = 0;
    const between = standBetween(
      chroma.url,
      (what) =>
        what === "count" && busy-- > 0
          ? Response.json({ message: "Rate limit exceeded" }, {
            status: 429,
            headers: { "retry-after": "0" },
          })
          : undefined,
    );
    try {
      const index = await openChromaIndex(await connectChroma(between.url), of);
      busy = 2;
      equal(await index.count(), 0);
      equal(busy, -1);
    } finally {
      await between.close();
      await chroma.stop();
    }
  },
);

Deno.test(
  "a server named by its address is waited for, and missed in one sentence",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const first = await startChroma({ folder });
    const port = Number(new URL(first.url).port);
    const index = await openChromaIndex(
      await connectChroma(first.url, { waitMs: 700 }),
      of,
    );
    await index.put(names(5), vectors.slice(0, 5));
    await first.stop();
    // Started again by somebody else, at the same address, in the middle of it.
    const query = index.nearest(vectors.row(3), 1);
    await sleep(50);
    const again = await startChroma({ folder, port });
    equal((await query)[0].id, "3");
    await again.stop();
    await fails(
      index.nearest(vectors.row(3), 1),
      "unreachable",
      /no Chroma server answers at http:.* \(for 0.7 s\): start it, and ask again/,
    );
  },
);

Deno.test(
  "a server that dies in mid-query is started again, and the query answered",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    try {
      const index = await openChromaIndex(chroma, of);
      await index.put(names(1000), vectors);
      const queries = Array.from(
        { length: 20 },
        (_, row) => index.nearest(vectors.row(row), 3),
      );
      process.kill(chroma.pid!, "SIGKILL");
      (await Promise.all(queries)).forEach(([hit], row) =>
        equal(hit.id, `${row}`)
      );
    } finally {
      await chroma.stop();
    }
  },
);

Deno.test("what cannot be done twice is told, once the server is back", {
  ignore,
}, async () => {
  const chroma = await startChroma({ folder: await Deno.makeTempDir() });
  try {
    process.kill(chroma.pid!, "SIGKILL");
    const make = () =>
      chroma.client.createCollection({ name: "once", embeddingFunction: null });
    await fails(
      make(),
      "unreachable",
      /ended during POST .*collections; it answers again, at .*: look whether that was done/,
    );
    await make();
  } finally {
    await chroma.stop();
  }
});

Deno.test(
  "a collection deleted under a running query or update is named as gone",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    try {
      const index = await openChromaIndex(chroma, { ...of, batchSize: 10 });
      const name = index.collections.get("cosine")!.collection.name;
      const onProgress = (done: number) => {
        if (done === 50) return chroma.client.deleteCollection({ name });
      };
      await fails(
        index.put(names(1000), vectors, { onProgress }),
        "missing",
        /answered 4(04|12), ".*": another program may have deleted the collection: open it again/,
      );
      await fails(
        index.nearest(vectors.row(0), 1),
        "missing",
        /answered 4(04|12)/,
      );
      const again = await openChromaIndex(chroma, of);
      await again.put(names(20), vectors.slice(0, 20));
      equal(await again.count(), 20);
    } finally {
      await chroma.stop();
    }
  },
);

Deno.test(
  "a row deleted under a comparison has no value, and the others have",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    let index = await openChromaIndex(chroma, of);
    // So many that the server compares them, and not this process.
    await index.put(names(600), vectors.slice(0, 600));
    let deletes = 1;
    // Deletes a row after the client has looked which there are.
    const between = standBetween(chroma.url, (what, body) => {
      if (what !== "query" || deletes-- <= 0) return undefined;
      const { ids } = JSON.parse(body);
      ok(ids.includes("4"));
      return Response.json({
        message: "Error executing plan: Internal error: Error finding id",
      }, { status: 500 });
    });
    try {
      index = await openChromaIndex(await connectChroma(between.url), of);
      const values = await index.compare(vectors.row(0), names(600));
      ok(values.every(Number.isFinite));
      equal(deletes, -1);
    } finally {
      await between.close();
      await chroma.stop();
    }
  },
);

Deno.test(
  "a new vector that the server does not take leaves what is kept beside the old one",
  { ignore },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    let isFull = false;
    const between = standBetween(
      chroma.url,
      (what) =>
        isFull && what === "upsert"
          ? Response.json({ message: "disk is full" }, { status: 500 })
          : undefined,
    );
    try {
      const index = await openChromaIndex(await connectChroma(between.url), of);
      const metadata = [{ term: "owl" }];
      await index.put(["a"], vectors.slice(0, 1), { metadata });
      isFull = true;
      const again = () => index.put(["a"], vectors.slice(1, 2));
      await fails(again(), "full", /make room/);
      isFull = false;
      await again();
      equal((await index.metadata(["a"]))[0]?.term, "owl");
      ok((await index.nearest(vectors.row(1), 1))[0].value > .9999);
    } finally {
      await between.close();
      await chroma.stop();
    }
  },
);

Deno.test("a server of before 1.0 is named as that", async () => {
  const old = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      request.url.endsWith("/api/v1/heartbeat")
        ? Response.json({ "nanosecond heartbeat": 1 })
        : Response.json({ detail: "Not Found" }, { status: 404 }),
  );
  try {
    await fails(
      connectChroma(`http://127.0.0.1:${old.addr.port}`),
      "version",
      /is of an earlier version, expected Chroma 1.x/,
    );
  } finally {
    await old.shutdown();
  }
});

const noLimits = ignore || spawnSync("prlimit", ["--version"]).status !== 0;

Deno.test(
  "a disk that is full stops an update in one sentence; what is in stays, and the rest goes in later",
  {
    ignore: noLimits,
  },
  async () => {
    const chroma = await startChroma({ folder: await Deno.makeTempDir() });
    try {
      const many = clusteredVectors(4000, 128);
      const index = await openChromaIndex(chroma, {
        ...of,
        dimensions: 128,
        batchSize: 500,
      });
      await index.put(names(1000), many.slice(0, 1000));
      // No file may grow further, as if the disk took no more.
      const limit = (bytes: string) =>
        spawnSync("prlimit", ["--pid", `${chroma.pid}`, `--fsize=${bytes}`]);
      limit("1400000:unlimited");
      let acknowledged = 0;
      const onProgress = (done: number) => acknowledged = done;
      await fails(
        index.put(names(4000), many, { onProgress }),
        "full",
        /disk.*make room on the server's disk; what it acknowledged is kept/,
      );
      equal(await index.count(), acknowledged);
      equal((await index.nearest(many.row(7), 1))[0].id, "7");
      limit("unlimited:unlimited");
      await index.put(names(4000), many);
      equal(await index.count(), 4000);
    } finally {
      await chroma.stop();
    }
  },
);
