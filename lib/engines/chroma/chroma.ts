/**
 * A Chroma vector database: started here for as long as this process lives,
 * or one that runs already. Its collections are opened by collection.ts, filled
 * by update.ts, searched by query.ts.
 *
 * A started server listens on a free port of the loopback address, keeps its
 * files in one folder and ends with this process in every case, `kill -9`
 * included: serve.py sees to that. One folder has one server at a time; a second
 * start says where the first one is, since a server shared in silence would stop
 * under the other's feet. `CHROMA_URL` shares it openly.
 *
 * Writes below `paths.chroma`; opens no network connection but to the server,
 * whose telemetry is off.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { equal } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * equal(await chroma.client.countCollections(), 0);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import { ChromaClient } from "chromadb";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { environment, paths } from "../../paths.ts";

/** A connection to a Chroma server. */
export interface Chroma {
  /** The database's own client, for what this library does not wrap. */
  readonly client: ChromaClient;
  /** Where it answers: "http://127.0.0.1:41234". */
  readonly url: string;
  /** The started server's process; undefined if it ran already. */
  readonly pid?: number;
  /**
   * Stops a started server: SIGTERM, and SIGKILL after 3 s. Leaves alone a
   * server that ran already.
   */
  stop(): Promise<void>;
}

/** How to start a server. */
export interface StartOptions {
  /** Where it keeps its files. @default {paths.chroma} */
  folder?: string;
  /** Its port on the loopback address; a free one where left out. */
  port?: number;
  /** Python's virtual environment with chromadb. @default {paths.venv} */
  venv?: string;
}

/** Whose part of a running server: where left out, the key's own. */
export interface ConnectOptions {
  /** A hosted database's key. */
  apiKey?: string;
  tenant?: string;
  database?: string;
}

const CLOUD_URL = "https://api.trychroma.com";
const START_LIMIT_MS = 30_000;
const CONNECT_LIMIT_MS = 5_000;
const STOP_LIMIT_MS = 3_000;

/**
 * The server that the environment names, else one started here.
 *
 * `CHROMA_URL` names a running server, `CHROMA_API_KEY` alone Chroma Cloud;
 * `CHROMA_TENANT` and `CHROMA_DATABASE` say which part of it.
 *
 * @param options Count only for a server that is started.
 * @throws {Error} If it cannot be reached or started: says why.
 */
export function openChroma(options: StartOptions = {}): Promise<Chroma> {
  const apiKey = environment("CHROMA_API_KEY");
  const url = environment("CHROMA_URL") ?? (apiKey && CLOUD_URL);
  if (url === undefined) return startChroma(options);
  return connectChroma(url, {
    apiKey,
    tenant: environment("CHROMA_TENANT"),
    database: environment("CHROMA_DATABASE"),
  });
}

/**
 * Connects to a server that runs already.
 *
 * @param url Scheme, host and port: "http://127.0.0.1:8000".
 * @throws {TypeError} If the address has another form.
 * @throws {Error} If no Chroma server answers there within 5 s.
 */
export async function connectChroma(
  url: string,
  { apiKey, tenant, database }: ConnectOptions = {},
): Promise<Chroma> {
  if (!URL.canParse(url) || !/^https?:\/\/[^/]+\/?$/.test(url)) {
    throw new TypeError(
      `connectChroma: expected http://HOST:PORT or https://HOST:PORT, got ${url}`,
    );
  }
  if (!await answers(url, AbortSignal.timeout(CONNECT_LIMIT_MS))) {
    throw new Error(
      `connectChroma: no Chroma server answers at ${url}: start it, or unset CHROMA_URL to have one started here`,
    );
  }
  const { protocol, hostname, port } = new URL(url);
  const ssl = protocol === "https:";
  // Empty: the client asks the server what the key gives access to.
  const ofTheKey = { tenant: "", database: "" };
  const client = new ChromaClient({
    host: hostname,
    port: Number(port) || (ssl ? 443 : 80),
    ssl,
    ...(apiKey && { headers: { "x-chroma-token": apiKey }, ...ofTheKey }),
    ...(tenant && { tenant }),
    ...(database && { database }),
  });
  return { client, url, stop: () => Promise.resolve() };
}

/**
 * Starts a server that ends with this process.
 *
 * @throws {Error} If it does not answer within 30 s, or ends before: quotes
 * what the server printed.
 */
export async function startChroma(
  { folder = paths.chroma, venv = paths.venv, ...wanted }: StartOptions = {},
): Promise<Chroma> {
  const python = pythonOf(venv);
  await mkdir(folder, { recursive: true });
  const port = await probePort(wanted.port);
  const url = `http://127.0.0.1:${port}`;

  // Output goes to a file: a pipe that nobody reads would block the server.
  const log = await open(join(folder, "server.log"), "a");
  const logStart = (await log.stat()).size;
  const server = spawn(
    python,
    [fileURLToPath(new URL("serve.py", import.meta.url)), folder, String(port)],
    { stdio: ["pipe", log.fd, log.fd] },
  );
  const ended = new AbortController();
  server.once("exit", () => ended.abort()).once("error", () => ended.abort());
  await log.close();
  // A script that has done its work need not stop the server to end.
  server.unref();

  const limit = AbortSignal.timeout(START_LIMIT_MS);
  if (!await answers(url, AbortSignal.any([ended.signal, limit]))) {
    await stopServer(server, ended.signal);
    const printed = await readFile(join(folder, "server.log"));
    const output = printed.subarray(logStart).toString().trim();
    throw new Error(
      `startChroma: no server at ${url} over ${folder}; it printed:\n${output}`,
    );
  }
  return {
    client: new ChromaClient({ host: "127.0.0.1", port }),
    url,
    pid: server.pid,
    stop: () => stopServer(server, ended.signal),
  };
}

/** Stops a process: SIGTERM, and SIGKILL where that has no effect in 3 s. */
async function stopServer(server: ChildProcess, ended: AbortSignal) {
  if (ended.aborted) return;
  server.ref();
  server.kill("SIGTERM");
  const stubborn = setTimeout(
    // Deno's ChildProcess sends one signal and ignores the next.
    () => process.kill(server.pid!, "SIGKILL"),
    STOP_LIMIT_MS,
  );
  await once(ended, "abort");
  clearTimeout(stubborn);
}

/** Whether a Chroma server answers at `url`; asks again until `limit`. */
async function answers(url: string, limit: AbortSignal): Promise<boolean> {
  while (!limit.aborted) {
    try {
      const response = await fetch(new URL("api/v2/heartbeat", url), {
        signal: AbortSignal.any([limit, AbortSignal.timeout(1_000)]),
      });
      return "nanosecond heartbeat" in await response.json();
    } catch {
      // Not yet: refused, or too slow to answer.
      await sleep(50);
    }
  }
  return false;
}

/** The environment's Python, which is where Chroma is installed. */
function pythonOf(venv: string): string {
  const isWindows = process.platform === "win32";
  const python = join(venv, isWindows ? "Scripts/python.exe" : "bin/python");
  if (existsSync(python)) return python;
  throw new Error(
    `startChroma: ${python} not found: run "npx deno@2.8.1 task setup" (outside the course's folder: make that environment, with the Python package chromadb in it), or set CHROMA_URL to a running server`,
  );
}

/**
 * Checks that a port of the loopback address is free; 0 stands for any.
 *
 * Done before the start, since a server that has the port would answer in
 * place of the new one.
 */
async function probePort(wanted = 0): Promise<number> {
  const probe = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `startChroma: port ${wanted} of 127.0.0.1 is not free (${code}): leave it out to get one that is`,
    );
  }
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
