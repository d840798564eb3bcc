/**
 * A Chroma server over a folder, shared by the programs that use it.
 *
 * ```text
 * notebook 5 ──hold──┐
 *                  serve.py ── the server ── the folder
 * notebook 8 ──hold──┘
 * ```
 *
 * The first program starts it, the next ones find it by `server.txt` in the
 * folder, and each holds a connection to it. It ends with the last program that
 * does, in whichever way this ends, `kill -9` included.
 *
 * Writes `server.log`, `server.txt` and `server.lock` beside the database.
 *
 * ```ts
 * import { holdServer } from "#lib/engines/chroma/server.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const first = await holdServer({ folder });
 * const second = await holdServer({ folder });
 * strictEqual(second.url, first.url);
 * await first.leave();
 * await second.leave();
 * ```
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { paths } from "../../paths.ts";

/** Where a server runs, or is to be started. */
export interface StartOptions {
  /** Where it keeps its files. @default {paths.chroma} */
  folder?: string;
  /** Its port on the loopback address; a free one where left out. */
  port?: number;
  /** Python's virtual environment with chromadb. @default {paths.venv} */
  venv?: string;
}

/** A server that stays as long as this is held. */
export interface HeldServer {
  /** Where it answers: "http://127.0.0.1:41234". */
  readonly url: string;
  readonly pid: number;
  /**
   * Lets go of it. Where no other program holds it, it is gone when the promise
   * fulfils: by SIGTERM, and by SIGKILL after 3 s.
   */
  leave(): Promise<void>;
  /** Ends it at once, for all: for one that hangs. */
  kill(): void;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 3_000;
const GREETING_LIMIT_MS = 2_000;

/**
 * Joins the server over a folder; starts it where there is none.
 *
 * @param nearPort Where it is to start if that is free.
 * @throws {RangeError} If the port is none.
 * @throws {Error} If it does not answer within 30 s, or ends before: quotes
 *   what the server printed. If it runs at another port than the one asked for.
 */
export async function holdServer(
  { folder = paths.chroma, venv = paths.venv, port }: StartOptions = {},
  nearPort = port,
): Promise<HeldServer> {
  if (
    port !== undefined && !(Number.isInteger(port) && 0 < port && port < 65_536)
  ) {
    throw new RangeError(
      `startChroma: expected a port from 1 to 65535, got ${port}: leave it out to get one that is free`,
    );
  }
  const joined = await joinServer(folder);
  const held = joined ?? await startServer(folder, venv, port, nearPort);
  const url = new URL(held.url);
  if (port !== undefined && port !== Number(url.port)) {
    await held.leave();
    throw new Error(
      `startChroma: ${folder} is in use by another Chroma server, ${held.url} ` +
        `(process ${held.pid}), asked for port ${port}: leave the port out to join it`,
    );
  }
  const { gone } = held;
  const limit = AbortSignal.any([gone, AbortSignal.timeout(START_LIMIT_MS)]);
  if (await answers(held.url, limit)) return held;
  await held.leave();
  throw new Error(
    `startChroma: no server at ${held.url} over ${folder}; it printed:\n` +
      await readLog(folder, held.logStart),
  );
}

interface Joined extends HeldServer {
  /** Aborts when the server has ended. */
  gone: AbortSignal;
  /** Where in the log its first line is. */
  logStart: number;
}

/** The server that runs over a folder already, if one does. */
async function joinServer(
  folder: string,
  logStart = 0,
): Promise<Joined | undefined> {
  const { url, pid, holdPort, key } = await readOwner(folder);
  if (!(holdPort > 0 && holdPort < 65_536)) return undefined;
  const socket = connect(holdPort, "127.0.0.1");
  const gone = new AbortController();
  // An error is followed by a close.
  socket.on("error", () => {}).once("close", () => gone.abort());
  // After a crash, another program may listen at that port.
  if (await lineFrom(socket, gone.signal, GREETING_LIMIT_MS) !== key) {
    socket.destroy();
    return undefined;
  }
  // A program that has done its work need not leave to end.
  socket.unref();
  const kill = () => {
    // Another process may have the number of one that is gone.
    if (gone.signal.aborted) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch { /* It has ended by itself, a moment ago. */ }
  };
  const leave = () => leaveServer(socket, gone.signal, kill);
  return { url, pid, leave, kill, gone: gone.signal, logStart };
}

async function leaveServer(
  socket: Socket,
  gone: AbortSignal,
  kill: () => void,
): Promise<void> {
  if (gone.aborted) return;
  socket.ref();
  socket.write("leave\n");
  const limit = sleep(STOP_LIMIT_MS, undefined, { ref: false });
  const reply = await lineFrom(socket, gone, STOP_LIMIT_MS);
  if (reply !== "stays" && !gone.aborted) {
    await Promise.race([once(gone, "abort"), limit]);
    if (!gone.aborted) {
      kill();
      await once(gone, "abort");
    }
  }
  socket.destroy();
}

/** What server.txt says; nothing where it is none, or of an earlier version. */
async function readOwner(
  folder: string,
): Promise<{ url: string; pid: number; holdPort: number; key: string }> {
  try {
    const text = await readFile(join(folder, "server.txt"), "utf8");
    const { url, pid, holdPort, key } = JSON.parse(text);
    return { url, pid, holdPort, key };
  } catch {
    return { url: "", pid: 0, holdPort: 0, key: "" };
  }
}

/** The next line; undefined where none comes in time. */
async function lineFrom(
  socket: Socket,
  gone: AbortSignal,
  limitMs: number,
): Promise<string | undefined> {
  if (gone.aborted) return undefined;
  const signal = AbortSignal.any([gone, AbortSignal.timeout(limitMs)]);
  let text = "";
  try {
    while (!text.endsWith("\n")) {
      text += (await once(socket, "data", { signal }))[0];
    }
    return text.trimEnd();
  } catch {
    return undefined;
  }
}

async function startServer(
  folder: string,
  venv: string,
  port: number | undefined,
  nearPort = 0,
): Promise<Joined> {
  const python = pythonOf(venv);
  await mkdir(folder, { recursive: true });
  if (port !== undefined) await checkPort(port);
  // Output goes to a file: a pipe that nobody reads would block the server.
  const log = await open(join(folder, "server.log"), "a");
  const logStart = (await log.stat()).size;
  const server = spawn(
    python,
    [
      fileURLToPath(new URL("serve.py", import.meta.url)),
      folder,
      `${nearPort}`,
    ],
    { stdio: ["ignore", log.fd, log.fd] },
  );
  let ended = false;
  server.once("exit", () => ended = true).once("error", () => ended = true);
  await log.close();
  server.unref();
  for (const start = performance.now(); !ended; await sleep(20)) {
    // Perhaps one that another program has started at the same time.
    const joined = await joinServer(folder, logStart);
    if (joined) return joined;
    if (performance.now() - start > START_LIMIT_MS) server.kill("SIGKILL");
  }
  throw new Error(
    `startChroma: no server over ${folder}; it printed:\n` +
      await readLog(folder, logStart),
  );
}

/** What a server that did not start has printed: its cause, where it says one. */
async function readLog(folder: string, start: number): Promise<string> {
  const path = join(folder, "server.log");
  const printed = (await readFile(path)).subarray(start).toString();
  const cause = printed.match(/ panicked at .*\n(.+)/)?.[1];
  if (cause) return `${cause}\n(all of it is in ${path})`;
  // Of a server that others use, the end says most.
  return stripVTControlCharacters(printed).trim().slice(-4000);
}

/** Whether a Chroma server answers at `url`; asks again until `limit`. */
export async function answers(
  url: string,
  limit: AbortSignal,
): Promise<boolean> {
  while (!limit.aborted) {
    try {
      const response = await fetch(new URL("api/v2/heartbeat", url), {
        signal: AbortSignal.any([limit, AbortSignal.timeout(1_000)]),
      });
      const text = await response.text();
      if (response.ok && text.includes("nanosecond heartbeat")) return true;
      // A server before it may say that it is not there yet; another is none.
      if (response.status < 500) return false;
    } catch { /* Not yet: refused, or too slow to answer. */ }
    await sleep(50);
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

/** Checks that a port of the loopback address is free. */
async function checkPort(port: number): Promise<void> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `startChroma: port ${port} of 127.0.0.1 is not free (${code}): leave it out to get one that is`,
    );
  }
  probe.close();
  await once(probe, "close");
}
