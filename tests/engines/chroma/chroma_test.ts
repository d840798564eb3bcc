import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import {
  connectChroma,
  openChroma,
  startChroma,
} from "#lib/engines/chroma/chroma.ts";
import { paths } from "#lib/paths.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`chroma_server_test skipped: no ${paths.venv}`);

/** Whether a Chroma server answers there. */
const answers = (url: string) =>
  fetch(`${url}/api/v2/heartbeat`, { signal: AbortSignal.timeout(1_000) })
    .then((response) => response.body?.cancel()).then(() => true, () => false);

/** Milliseconds until no server answers at `url` any more. */
async function gone(url: string): Promise<number> {
  const start = performance.now();
  while (await answers(url)) {
    ok(performance.now() - start < 8_000, `${url} still answers`);
    await sleep(20);
  }
  return performance.now() - start;
}

/**
 * Runs a program in a process of its own that starts a server over `folder`
 * and says where it is.
 */
async function startElsewhere(folder: string, rest: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { startChroma } from "#lib/engines/chroma/chroma.ts";
       const chroma = await startChroma({ folder: ${JSON.stringify(folder)} });
       console.log(chroma.url);
       ${rest}`,
    ],
    cwd: paths.root,
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let url = "";
  while (!url.endsWith("\n")) url += (await reader.read()).value ?? "\n";
  await reader.cancel();
  return { child, url: url.trim() };
}

Deno.test(
  "startChroma() serves a folder on the loopback address until stop()",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const chroma = await startChroma({ folder });
    match(chroma.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    equal(await chroma.client.countCollections(), 0);
    await chroma.stop();
    ok(!await answers(chroma.url));
    await chroma.stop(); // Once more is harmless.
  },
);

Deno.test(
  "startChroma() joins the server over a folder, and refuses another port for it",
  {
    ignore,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    const first = await startChroma({ folder });
    try {
      const second = await startChroma({ folder });
      equal(second.url, first.url);
      equal(second.pid, first.pid);
      await second.stop();
      ok(await answers(first.url), "the first still uses it");
      await rejects(startChroma({ folder, port: 1 }), (error: Error) => {
        ok(
          error.message.includes(
            `${folder} is in use by another Chroma server`,
          ),
        );
        ok(error.message.includes(`${first.url} (process ${first.pid})`));
        return true;
      });
      ok(await answers(first.url));
    } finally {
      await first.stop();
    }
    ok(!await answers(first.url));
  },
);

Deno.test("the server stays until the last program ends, killed or not", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  const forever = "setInterval(() => {}, 1e3)";
  // At the same moment, so that both find no server.
  const [first, second] = await Promise.all(
    [1, 2].map(() => startElsewhere(folder, forever)),
  );
  equal(first.url, second.url);
  first.child.kill("SIGKILL");
  await first.child.status;
  const here = await startChroma({ folder });
  equal(here.url, second.url);
  await sleep(300);
  ok(await answers(here.url));
  await here.stop();
  ok(await answers(second.url), "the second still uses it");
  second.child.kill("SIGKILL");
  await second.child.status;
  await gone(second.url);
});

Deno.test("startChroma() sees through what a killed server left behind", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  // Another program's port by now, which says something else or nothing.
  for (const words of ["220 mail ready\n", ""]) {
    const other = createServer((socket) => socket.end(words));
    await once(other.listen(0, "127.0.0.1"), "listening");
    const { port: holdPort } = other.address() as AddressInfo;
    const stale = { url: "http://127.0.0.1:1", pid: 1, holdPort, key: "k" };
    await writeFile(join(folder, "server.txt"), JSON.stringify(stale));
    const chroma = await startChroma({ folder });
    equal(await chroma.client.countCollections(), 0);
    await chroma.stop();
    other.close();
  }
  for (const text of ["", "http://127.0.0.1:1 (process 1)", "{}", "null"]) {
    await writeFile(join(folder, "server.txt"), text);
    const chroma = await startChroma({ folder });
    await chroma.stop();
  }
});

Deno.test("a request to a server that died starts it again, where it was", {
  ignore,
}, async () => {
  const folder = await Deno.makeTempDir();
  const chroma = await startChroma({ folder });
  const joined = await startChroma({ folder });
  const { url, pid } = chroma;
  try {
    await chroma.client.createCollection({
      name: "kept",
      embeddingFunction: null,
    });
    process.kill(pid!, "SIGKILL");
    const counts = Array.from(
      { length: 8 },
      (_, n) => (n % 2 ? chroma : joined).client.countCollections(),
    );
    deepEqual(await Promise.all(counts), Array(8).fill(1));
    equal(chroma.url, url);
    notEqual(chroma.pid, pid);
    equal(joined.pid, chroma.pid);
  } finally {
    await chroma.stop();
    await joined.stop();
  }
  ok(!await answers(url));
  await rejects(chroma.client.countCollections(), /it was stopped here/);
});

Deno.test(
  "startChroma() says that a port is not free",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const first = await startChroma({ folder });
    const port = Number(new URL(first.url).port);
    try {
      await rejects(
        startChroma({ folder: join(folder, "other"), port }),
        { message: new RegExp(`port ${port} of 127.0.0.1 is not free`) },
      );
    } finally {
      await first.stop();
    }
  },
);

Deno.test("startChroma() names set-up where Python is missing", async () => {
  const folder = await Deno.makeTempDir();
  await rejects(
    startChroma({ folder, venv: join(folder, "none") }),
    /none.*python.* not found: run "npx deno@2\.8\.1 task setup"/,
  );
});

Deno.test("startChroma() quotes a server that ends at once", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const folder = await Deno.makeTempDir();
  const python = join(folder, "bin", "python");
  await mkdir(join(folder, "bin"));
  await writeFile(
    python,
    "#!/bin/sh\necho 'No module named chroma' >&2\nexit 1",
  );
  await chmod(python, 0o755);
  const start = () => startChroma({ folder, venv: folder });
  await rejects(start(), /it printed:\nNo module named chroma$/);
  await rejects(start(), /it printed:\nNo module named chroma$/);
});

Deno.test(
  "startChroma() shows the cause alone, of a database that is none",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    await writeFile(join(folder, "chroma.sqlite3"), "no database".repeat(900));
    await rejects(startChroma({ folder }), ({ message }: Error) => {
      match(message, /it printed:\nError creating.* "file is not a database"/);
      equal(message.split("\n").length, 3, message);
      ok(message.endsWith(`(all of it is in ${folder}/server.log)`));
      return true;
    });
  },
);

Deno.test("startChroma() refuses a port that is none", async () => {
  for (const port of [0, -1, 1.5, 65_536, NaN]) {
    await rejects(startChroma({ port }), {
      name: "RangeError",
      message: /expected a port from 1 to 65535, got .*: leave it out/,
    });
  }
});

Deno.test("stop() kills a server that does not end by itself", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const chroma = await startChroma({ folder: await Deno.makeTempDir() });
  process.kill(chroma.pid!, "SIGSTOP");
  const start = performance.now();
  await chroma.stop();
  const seconds = (performance.now() - start) / 1000;
  ok(seconds > 2.9 && seconds < 5, `took ${seconds} s`);
});

Deno.test(
  "the server is gone when its parent is killed with -9, and its folder free",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const { child, url } = await startElsewhere(
      folder,
      "setInterval(() => {}, 1e3)",
    );
    ok(await answers(url));
    child.kill("SIGKILL");
    await child.status;
    await gone(url);
    const next = await startChroma({ folder });
    await next.stop();
  },
);

Deno.test(
  "a program that never stops its server ends, and the server with it",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    const { child, url } = await startElsewhere(folder, "");
    equal((await child.status).code, 0);
    await gone(url);
  },
);

Deno.test(
  "openChroma() connects to the server of CHROMA_URL and leaves it running",
  { ignore },
  async () => {
    const running = await startChroma({ folder: await Deno.makeTempDir() });
    process.env.CHROMA_URL = running.url;
    try {
      const chroma = await openChroma();
      equal(chroma.url, running.url);
      equal(chroma.pid, undefined);
      equal(await chroma.client.countCollections(), 0);
      await chroma.stop();
      ok(await answers(running.url));
    } finally {
      delete process.env.CHROMA_URL;
      await running.stop();
    }
  },
);

Deno.test("connectChroma() says which address is wrong or silent", async () => {
  await rejects(connectChroma("localhost:8000"), {
    name: "TypeError",
    message: /got localhost:8000/,
  });
  await rejects(connectChroma("http://127.0.0.1:1/chroma"), /got http:/);
  for (const url of ["http://me:secret@127.0.0.1:1", "me:secret@127.0.0.1:1"]) {
    await rejects(connectChroma(url), ({ name, message }: Error) => {
      equal(name, "TypeError");
      ok(!message.includes("secret") && /…@127\.0\.0\.1:1$/.test(message));
      return true;
    });
  }
  const other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ hello: "I am no database" }),
  );
  const url = `http://127.0.0.1:${other.addr.port}`;
  await rejects(connectChroma(url), {
    message: new RegExp(`no Chroma server answers at ${url}`),
  });
  await other.shutdown();
});

Deno.test(
  "connectChroma() waits for a server that starts, and says so",
  async () => {
    let start = Infinity;
    const slow = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () =>
        performance.now() < start
          ? new Response("starting", { status: 503 })
          : Response.json({ "nanosecond heartbeat": 1 }),
    );
    const url = `http://127.0.0.1:${slow.addr.port}`;
    const lines: string[] = [];
    const log = (line: string) => {
      lines.push(line);
      start = 0;
    };
    await connectChroma(url, { log });
    deepEqual(lines, [`waiting for the Chroma server at ${url}`]);
    await connectChroma(url, { log });
    equal(lines.length, 1);
    await slow.shutdown();
    await rejects(connectChroma(url, { waitMs: 100, log }), /no Chroma server/);
  },
);

Deno.test("connectChroma() sends the key and asks whose it is", async () => {
  const asked: [string, string | null][] = [];
  // Stands in for a hosted Chroma; answers as its API does.
  const hosted = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { pathname } = new URL(request.url);
      asked.push([pathname, request.headers.get("x-chroma-token")]);
      if (pathname.endsWith("heartbeat")) {
        return Response.json({ "nanosecond heartbeat": 1 });
      }
      if (pathname.endsWith("identity")) {
        return Response.json({ user_id: "u", tenant: "t", databases: ["d"] });
      }
      return Response.json(7);
    },
  );
  const url = `http://127.0.0.1:${hosted.addr.port}`;
  const own = await connectChroma(url, { apiKey: "secret" });
  equal(await own.client.countCollections(), 7);
  const named = await connectChroma(url, {
    apiKey: "secret",
    tenant: "t2",
    database: "d2",
  });
  equal(await named.client.countCollections(), 7);
  deepEqual(asked, [
    ["/api/v2/heartbeat", null],
    ["/api/v2/auth/identity", "secret"],
    ["/api/v2/tenants/t/databases/d/collections_count", "secret"],
    ["/api/v2/heartbeat", null],
    ["/api/v2/tenants/t2/databases/d2/collections_count", "secret"],
  ]);
  await hosted.shutdown();
});

Deno.test("openChroma() goes to Chroma Cloud where only a key is given, else to CHROMA_URL with all that is", async () => {
  const names = ["API_KEY", "URL", "TENANT", "DATABASE"];
  const set = (...values: string[]) =>
    names.forEach((name, i) => process.env[`CHROMA_${name}`] = values[i] ?? "");
  const asked: [string, string | null][] = [];
  const { fetch } = globalThis;
  // Answers in place of the network, whatever the address.
  globalThis.fetch = (input, init) => {
    const { url, headers } = new Request(input, init);
    asked.push([url, headers.get("x-chroma-token")]);
    const isFirst = url.endsWith("heartbeat");
    return Promise.resolve(
      Response.json(isFirst ? { "nanosecond heartbeat": 1 } : 7),
    );
  };
  try {
    set("secret");
    equal((await openChroma()).url, "https://api.trychroma.com");
    set("secret", "http://127.0.0.1:9", "t", "d");
    const own = await openChroma();
    equal(await own.client.countCollections(), 7);
    const base = "http://127.0.0.1:9/api/v2";
    deepEqual(asked, [
      ["https://api.trychroma.com/api/v2/heartbeat", null],
      [`${base}/heartbeat`, null],
      [`${base}/tenants/t/databases/d/collections_count`, "secret"],
    ]);
  } finally {
    globalThis.fetch = fetch;
    names.forEach((name) => delete process.env[`CHROMA_${name}`]);
  }
});
