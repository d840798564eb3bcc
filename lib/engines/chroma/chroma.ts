/**
 * A Chroma vector database: a server over a folder that the programs of this
 * machine share, or one that runs anywhere.
 *
 * Its collections are opened by collection.ts, filled and asked like any other
 * engine by chroma_index.ts, and asked with pictures and words by
 * picture_collection.ts. server.ts starts and shares a server, connection.ts
 * reaches one that dies and comes back, errors.ts says what is wrong.
 *
 * A started server listens on a free port of the loopback address, keeps its
 * files in one folder and ends with the last program that uses it, however that
 * ends. Dies it before, the next request starts it again and is repeated. One
 * that `CHROMA_URL` names is waited for.
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
import { environment } from "../../paths.ts";
import { Connection } from "./connection.ts";
import { DatabaseError, unreachable } from "./errors.ts";
import { answers, holdServer, type StartOptions } from "./server.ts";

export type { StartOptions };

/** A connection to a Chroma server. */
export interface Chroma {
  /** The database's own client, for what this library does not wrap. */
  readonly client: ChromaClient;
  /** Where it answers: "http://127.0.0.1:41234". */
  readonly url: string;
  /** The process of a server over a folder; undefined if it ran already. */
  readonly pid?: number;
  /**
   * Lets go of a server over a folder. Where no other program uses it, it is
   * gone then: by SIGTERM, and by SIGKILL after 3 s. Leaves alone a server that
   * ran already.
   */
  stop(): Promise<void>;
}

/** Whose part of a running server: where left out, the key's own. */
export interface ConnectOptions {
  /** A hosted database's key. */
  apiKey?: string;
  tenant?: string;
  database?: string;
  /**
   * How long to wait for a server that starts, or ends and comes back: `chroma
   * run` needs some 7 s to answer.
   * @default 20000
   */
  waitMs?: number;
  /** Is told, in a line, where that takes long. @default console.warn */
  log?: (line: string) => void;
}

const CLOUD_URL = "https://api.trychroma.com";
/** A wait that is longer is told of. */
const SAY_AFTER_MS = 2_000;

/**
 * The server that the environment names, else the one over a folder here.
 *
 * `CHROMA_URL` names a running server, `CHROMA_API_KEY` alone Chroma Cloud;
 * `CHROMA_TENANT` and `CHROMA_DATABASE` say which part of it.
 *
 * @param options Count only for a server over a folder.
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
 * @throws {Error} If no Chroma server answers there in time, or one of another
 *   version.
 */
export async function connectChroma(
  url: string,
  { apiKey, tenant, database, waitMs = 20_000, log = console.warn }:
    ConnectOptions = {},
): Promise<Chroma> {
  if (!URL.canParse(url) || !/^https?:\/\/[^/@?#]+\/?$/.test(url)) {
    throw new TypeError(
      `connectChroma: expected http://HOST:PORT or https://HOST:PORT, got ` +
        // A name and a password may stand before the last @.
        url.replace(/^(\w+:\/\/)?.*@/s, "$1…@"),
    );
  }
  const isThere = () => isThereWithin(url, waitMs, log);
  if (!await isThere()) {
    throw await speaksOldProtocol(url)
      ? new DatabaseError(
        "version",
        `connectChroma: the server at ${url} is of an earlier version, ` +
          "expected Chroma 1.x: start that",
      )
      : new DatabaseError(
        "unreachable",
        `connectChroma: no Chroma server answers at ${url}: start it, or unset CHROMA_URL to have one started here`,
      );
  }
  const connection = new Connection(url, async (isHung) => {
    if (isHung) throw unreachable(url, "it hangs over a request");
    if (await isThere()) return url;
    throw unreachable(url, `for ${waitMs / 1000} s`);
  });
  // Empty: the client asks the server what the key gives access to.
  const ofTheKey = { tenant: "", database: "" };
  const client = clientOf(connection, {
    ...(apiKey && { headers: { "x-chroma-token": apiKey }, ...ofTheKey }),
    ...(tenant && { tenant }),
    ...(database && { database }),
  });
  return { client, url, stop: () => Promise.resolve() };
}

/**
 * Joins the server over a folder, or starts it where there is none.
 *
 * @throws {Error} If it does not answer within 30 s, or ends before: quotes
 * what the server printed.
 */
export async function startChroma(
  options: StartOptions = {},
): Promise<Chroma> {
  let held = await holdServer(options);
  let isStopped = false;
  const connection = new Connection(held.url, async (isHung) => {
    if (isStopped) throw unreachable(held.url, "it was stopped here");
    const before = held;
    if (isHung) before.kill();
    const port = Number(new URL(before.url).port);
    // At the same address where that is free, for those who know only it.
    held = await holdServer(options, port);
    await before.leave();
    return held.url;
  });
  return {
    client: clientOf(connection),
    get url() {
      return held.url;
    },
    get pid() {
      return held.pid;
    },
    stop() {
      isStopped = true;
      return held.leave();
    },
  };
}

/** Whether a server answers in time; says so where it takes long. */
async function isThereWithin(
  url: string,
  waitMs: number,
  log: (line: string) => void,
): Promise<boolean> {
  const say = () => log(`waiting for the Chroma server at ${url}`);
  const timer = setTimeout(say, SAY_AFTER_MS);
  try {
    return await answers(url, AbortSignal.timeout(waitMs));
  } finally {
    clearTimeout(timer);
  }
}

/** The database's own client, sending through a connection. */
function clientOf(
  connection: Connection,
  options: Partial<ConstructorParameters<typeof ChromaClient>[0]> = {},
): ChromaClient {
  const { protocol, hostname, port } = new URL(connection.url);
  const ssl = protocol === "https:";
  const client = new ChromaClient({
    host: hostname,
    port: Number(port) || (ssl ? 443 : 80),
    ssl,
    ...options,
  });
  // Its constructor lets a reader set everything of a request but the sender.
  client["apiClient"].setConfig({ fetch: connection.fetch });
  return client;
}

/** Whether a server of before 1.0 answers there. */
async function speaksOldProtocol(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("api/v1/heartbeat", url), {
      signal: AbortSignal.timeout(1_000),
    });
    return response.ok && "nanosecond heartbeat" in await response.json();
  } catch {
    return false;
  }
}
