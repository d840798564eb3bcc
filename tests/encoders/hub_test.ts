import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  askHub,
  downloadFiles,
  type HubProgress,
  missingFiles,
} from "#lib/encoders/hub.ts";
import { paths } from "#lib/paths.ts";
import { type HubKind, startHub } from "../support/stand_in_hub.ts";

const REPOSITORY = "someone/a-model";
const SMALL = new TextEncoder().encode('{"small": true}');
const LARGE = Uint8Array.from(
  { length: 300_000 },
  (_, i) => (i * i) >> 7 & 255,
);
const FILES = { "config.json": SMALL, "onnx/model.onnx": LARGE };
const NAMES = Object.keys(FILES);

/** Runs a test against a stand-in hub and an empty folder. */
async function withHub(
  run: (hub: ReturnType<typeof startHub>, folder: string) => Promise<void>,
  kind: HubKind = {},
) {
  const hub = startHub(REPOSITORY, FILES, kind);
  const folder = await Deno.makeTempDir();
  Deno.env.set("HF_ENDPOINT", `${hub.endpoint}/`);
  try {
    await run(hub, folder);
  } finally {
    Deno.env.delete("HF_ENDPOINT");
    Deno.env.delete("HF_TOKEN");
    await hub.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const download = (
  folder: string,
  onProgress?: (progress: HubProgress) => void,
) => downloadFiles(REPOSITORY, NAMES, folder, { onProgress, retryDelayMs: 1 });

const bytes = async (path: string) => new Uint8Array(await readFile(path));

Deno.test("downloadFiles() brings small and large files, once", () =>
  withHub(async (hub, folder) => {
    const reports: HubProgress[] = [];
    await download(folder, (progress) => reports.push(progress));
    deepEqual(await bytes(join(folder, "config.json")), SMALL);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
    const total = SMALL.length + LARGE.length;
    deepEqual(reports.at(-1), {
      file: "onnx/model.onnx",
      received: total,
      total,
    });
    deepEqual(missingFiles(folder, NAMES), []);
    const requests = hub.requests.length;
    await download(folder);
    equal(hub.requests.length, requests);
  }));

Deno.test("downloadFiles() goes on where a broken connection stopped", () =>
  withHub(async (hub, folder) => {
    hub.faults.cutOff = 1;
    await download(folder);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
    const [first, second, ...more] = hub.requests
      .filter((line) => line.startsWith("GET store"));
    equal(first, "GET store/onnx/model.onnx");
    match(second, /^GET store\/onnx\/model\.onnx bytes=[1-9]\d+-$/);
    deepEqual(more, []);
    deepEqual(await readdir(join(folder, "onnx")), ["model.onnx"]);
  }));

Deno.test("downloadFiles() goes on in a later run, but not with another file", () =>
  withHub(async (hub, folder) => {
    const hash = createHash("sha256").update(LARGE).digest("hex");
    const part = join(folder, "onnx", `model.onnx.${hash}.part`);
    const stale = join(folder, "onnx", "model.onnx.0123456789abcdef.part");
    await Deno.mkdir(join(folder, "onnx"));
    await Deno.writeFile(part, LARGE.subarray(0, 1000));
    await Deno.writeFile(stale, new Uint8Array(5000));
    await download(folder);
    ok(hub.requests.includes("GET store/onnx/model.onnx bytes=1000-"));
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
    deepEqual(await readdir(join(folder, "onnx")), ["model.onnx"]);
  }));

Deno.test("downloadFiles() takes a whole file from a server without ranges", () =>
  withHub(async (hub, folder) => {
    Object.assign(hub.faults, { cutOff: 1, ignoreRange: 1 });
    await download(folder);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
    const sent = hub.requests.filter((line) => line.startsWith("GET store"));
    equal(sent.length, 2);
  }));

Deno.test("downloadFiles() fetches a file again whose checksum is wrong", () =>
  withHub(async (hub, folder) => {
    hub.faults.corrupt = 1;
    await download(folder);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
  }));

Deno.test("downloadFiles() keeps no file whose checksum stays wrong", () =>
  withHub(async (hub, folder) => {
    hub.faults.corrupt = 100;
    await rejects(
      download(folder),
      /onnx\/model\.onnx arrived with a wrong checksum/,
    );
    ok(!existsSync(join(folder, "onnx/model.onnx")));
    ok(existsSync(join(folder, "config.json")));
  }));

Deno.test("downloadFiles() survives a moment's unavailability", () =>
  withHub(async (hub, folder) => {
    hub.faults.unavailable = 1;
    await download(folder);
    deepEqual(missingFiles(folder, NAMES), []);
  }));

Deno.test("downloadFiles() asks again after 408", () =>
  withHub(async (hub, folder) => {
    hub.faults.timeout = 1;
    await download(folder);
    deepEqual(missingFiles(folder, NAMES), []);
  }));

Deno.test("downloadFiles() keeps no web page in the place of a model", () =>
  withHub(async (hub, folder) => {
    hub.faults.page = 100;
    await rejects(download(folder), /expected a file, got a web page .*log-in/);
    deepEqual(missingFiles(folder, NAMES), NAMES);
    equal(hub.requests.length, 1);
  }));

Deno.test("downloadFiles() understands a hub that describes its files", () =>
  withHub(async (hub, folder) => {
    hub.faults.corrupt = 1;
    await download(folder);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
    const sent = hub.requests.filter((line) => line.startsWith("GET store"));
    equal(sent.length, 2);
  }, { tells: "description" }));

Deno.test("downloadFiles() takes files from a mirror without ranges and checksums", () =>
  withHub(async (_, folder) => {
    await download(folder);
    deepEqual(await bytes(join(folder, "config.json")), SMALL);
    deepEqual(await bytes(join(folder, "onnx/model.onnx")), LARGE);
  }, { tells: "mirror" }));

Deno.test("a download that is killed leaves no half file, and goes on later", () =>
  withHub(async (hub, folder) => {
    hub.faults.stall = 1;
    const code = `import { downloadFiles } from "#lib/encoders/hub.ts";
      await downloadFiles(${JSON.stringify(REPOSITORY)},
        ${JSON.stringify(NAMES)}, ${JSON.stringify(folder)});`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", "--ext=ts", code],
      cwd: paths.root,
    }).spawn();
    const onnx = join(folder, "onnx");
    const arrived = async () =>
      existsSync(onnx) &&
      (await readdir(onnx)).some((name) => statSync(join(onnx, name)).size > 0);
    const ended = child.status.then(() => true);
    const soon = () => Promise.race([ended, setTimeout(20, false)]);
    while (!await arrived()) ok(!await soon(), "nothing arrived");
    child.kill("SIGINT");
    await ended;
    deepEqual(missingFiles(folder, NAMES), ["onnx/model.onnx"]);
    await download(folder);
    deepEqual(await bytes(join(onnx, "model.onnx")), LARGE);
    deepEqual(await readdir(onnx), ["model.onnx"]);
    match(hub.requests.at(-1)!, /^GET store\/onnx\/model\.onnx bytes=[1-9]/);
  }));

Deno.test("downloadFiles() sends the token to the hub, and to nobody else", () =>
  withHub(async (_, folder) => {
    await rejects(
      download(folder),
      /someone\/a-model .* 401 Unauthorized: .* HF_TOKEN/,
    );
    Deno.env.set("HF_TOKEN", "hf_secret");
    await download(folder);
    deepEqual(missingFiles(folder, NAMES), []);
  }, { token: "hf_secret" }));

Deno.test("downloadFiles() names a file that the repository lacks", () =>
  withHub(async (hub, folder) => {
    await rejects(
      downloadFiles(REPOSITORY, ["onnx/model_fp16.onnx"], folder),
      /404 Not Found \(.*onnx\/model_fp16\.onnx\)/,
    );
    equal(hub.requests.length, 1);
  }));

Deno.test("downloadFiles() says what to put where when the hub is out of reach", async () => {
  const folder = await Deno.makeTempDir();
  // A port that was free a moment ago.
  const server = Deno.serve({ port: 0, onListen() {} }, () => new Response());
  Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${server.addr.port}`);
  await server.shutdown();
  try {
    await rejects(
      askHub(REPOSITORY, "config.json"),
      /^Error: the hub at http:\S+ cannot be used: .*(refused|connect)/i,
    );
    await rejects(download(folder), ({ message }: Error) => {
      match(message, /^someone\/a-model cannot be downloaded from http:/);
      match(message, /set HF_ENDPOINT to a mirror/);
      const list = "\n  config.json\n  onnx/model.onnx";
      ok(message.endsWith(`put these files into ${folder}:${list}`), message);
      return true;
    });
  } finally {
    Deno.env.delete("HF_ENDPOINT");
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("downloadFiles() stops at a signal and keeps what has arrived", () =>
  withHub(async (_, folder) => {
    const stop = new AbortController();
    await rejects(
      downloadFiles(REPOSITORY, NAMES, folder, {
        signal: stop.signal,
        onProgress: ({ received }) => {
          if (received > SMALL.length) stop.abort(new Error("enough"));
        },
      }),
      { message: "enough" },
    );
    deepEqual(missingFiles(folder, NAMES), ["onnx/model.onnx"]);
    const [part] = await readdir(join(folder, "onnx"));
    match(part, /^model\.onnx\.[0-9a-f]{64}\.part$/);
  }));

Deno.test("downloadFiles() refuses what is too large for a model", () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () =>
      new Response(null, {
        status: 302,
        headers: {
          location: "http://127.0.0.1:1/",
          "x-linked-etag": '"x"',
          "x-linked-size": "3000000000",
        },
      }),
  );
  Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${server.addr.port}`);
  return rejects(
    download("/nowhere"),
    /expected a size up to 2147483648 bytes, got 3000000000/,
  ).finally(async () => {
    Deno.env.delete("HF_ENDPOINT");
    await server.shutdown();
  });
});

Deno.test("askHub() is content with a file that the hub has", () =>
  withHub(async () => {
    await askHub(REPOSITORY, "onnx/model.onnx");
    await askHub(REPOSITORY, "config.json");
    await rejects(askHub(REPOSITORY, "absent.json"), /cannot be used: 404 /);
  }));

Deno.test("askHub() waits for 3 s, and asks once", async () => {
  let requests = 0;
  // Sends on at once, and then never answers: 3 s are for the whole.
  const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    if (++requests > 1) {
      await new Promise((resolve) => request.signal.onabort = resolve);
    }
    return Response.redirect(`${request.url}x`);
  });
  Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${server.addr.port}`);
  try {
    const start = performance.now();
    await rejects(
      askHub(REPOSITORY, "config.json"),
      /^Error: the hub at http:\S+ did not answer within 3 s$/,
    );
    const waited = performance.now() - start;
    ok(waited > 2900 && waited < 4000, `${waited} ms`);
    equal(requests, 2);
    const stop = AbortSignal.timeout(50);
    await rejects(askHub(REPOSITORY, "config.json", stop), {
      name: "TimeoutError",
    });
  } finally {
    Deno.env.delete("HF_ENDPOINT");
    await server.shutdown();
  }
});
