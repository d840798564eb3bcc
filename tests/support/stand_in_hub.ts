/**
 * A stand-in for the model hub, speaking its protocol over HTTP on 127.0.0.1:
 * small files after a redirect within the hub, large ones from a second server
 * that knows nothing of the hub's token. Faults come on request.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** What is to go wrong, and how many times more. */
export interface HubFaults {
  /** The connection breaks after half of a large file. */
  cutOff: number;
  /** A large file stops coming after half, and the connection stays open. */
  stall: number;
  /** A large file arrives with one byte changed. */
  corrupt: number;
  /** The hub answers 503. */
  unavailable: number;
  /** The hub answers 408. */
  timeout: number;
  /** The hub answers with a web page, as a network's log-in page does. */
  page: number;
  /** Large files are sent from their start, whatever range is asked for. */
  ignoreRange: number;
}

/** What kind of hub it is. */
export interface HubKind {
  /** Without it, the hub answers 401. */
  token?: string;
  /**
   * How it tells of large files: by a redirect to where they are, or, as
   * huggingface.co tells those who say they understand it, by a description.
   * As a "mirror" it is a folder behind a plain web server.
   */
  tells?: "redirect" | "description" | "mirror";
}

/** Files above this size are sent by the second server. */
const LARGE = 10_000;
/** The version of every file; other programs of the hub ask for it. */
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Starts both servers. `requests` fills with "METHOD path range". */
export function startHub(
  repository: string,
  files: Record<string, Uint8Array>,
  { token, tells = "redirect" }: HubKind = {},
) {
  const faults: HubFaults = {
    cutOff: 0,
    stall: 0,
    corrupt: 0,
    unavailable: 0,
    timeout: 0,
    page: 0,
    ignoreRange: 0,
  };
  const requests: string[] = [];
  const happens = (fault: keyof HubFaults) =>
    faults[fault] > 0 && faults[fault]-- > 0;
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };

  const store = Deno.serve(listen, (request) => {
    const { pathname } = new URL(request.url);
    const range = request.headers.get("range");
    requests.push(`${request.method} store${pathname} ${range ?? ""}`.trim());
    if (request.headers.has("authorization")) {
      return new Response("a token that was not meant for it", { status: 400 });
    }
    const content = Uint8Array.from(files[pathname.slice(1)]);
    if (happens("corrupt")) content[content.length - 1] ^= 1;
    const ending = happens("cutOff")
      ? "cut off"
      : happens("stall")
      ? "stall"
      : undefined;
    return sendPart(
      content,
      happens("ignoreRange") ? null : range,
      "of-the-store",
      ending,
    );
  });

  const hub = Deno.serve(listen, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    if (happens("unavailable")) return new Response("", { status: 503 });
    if (happens("timeout")) return new Response("", { status: 408 });
    if (happens("page")) {
      const headers = { "content-type": "text/html; charset=utf-8" };
      return new Response("<!doctype html><p>Please log in", { headers });
    }
    if (token && request.headers.get("authorization") !== `Bearer ${token}`) {
      return new Response("", { status: 401 });
    }
    const cached = pathname.startsWith("/api/cache/");
    const name = pathname.replace(
      cached ? "/api/cache/" : `/${repository}/resolve/main/`,
      "",
    );
    const content = files[name];
    if (!content) return new Response("", { status: 404 });
    if (tells === "mirror") return sendPart(content, null);
    if (content.length > LARGE) {
      const hash = createHash("sha256").update(content).digest("hex");
      const headers = {
        "x-linked-etag": `"${hash}"`,
        "x-linked-size": String(content.length),
        "x-repo-commit": COMMIT,
      };
      const understood = request.headers.get("accept") ?? "";
      return tells === "description" && understood.includes(XET)
        ? new Response("{}", { headers: { ...headers, ...xetHeaders(hash) } })
        : new Response("", {
          status: 302,
          headers: {
            ...headers,
            location: `http://127.0.0.1:${store.addr.port}/${name}`,
          },
        });
    }
    if (!cached) {
      const headers = {
        location: `/api/cache/${name}`,
        "x-repo-commit": COMMIT,
      };
      return new Response("", { status: 307, headers });
    }
    const hash = createHash("sha1").update(`blob ${content.length}\0`)
      .update(content).digest("hex");
    return sendPart(content, request.headers.get("range"), hash);
  });

  return {
    endpoint: `http://127.0.0.1:${hub.addr.port}`,
    faults,
    requests,
    close: () => Promise.all([hub.shutdown(), store.shutdown()]),
  };
}

/** The description of a large file, as its content type names it. */
const XET = "application/vnd.xet-fileinfo+json";

function xetHeaders(hash: string): Record<string, string> {
  return {
    "content-type": XET,
    "x-xet-hash": hash,
    link: '<http://127.0.0.1:1/auth>; rel="xet-auth", ' +
      '<http://127.0.0.1:1/info>; rel="xet-reconstruction-info"',
  };
}

/** Sends what is asked for of a file; with an ending, half of that. */
function sendPart(
  content: Uint8Array,
  range: string | null,
  etag?: string,
  ending?: "cut off" | "stall",
): Response {
  const [, start = "0", end = ""] = range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  const from = Number(start);
  const to = end ? Number(end) + 1 : content.length;
  const part = content.slice(from, to);
  const headers = new Headers({
    "content-length": String(part.length),
    "x-repo-commit": COMMIT,
  });
  if (etag) headers.set("etag", `"${etag}"`);
  if (range) {
    const whole = content.length;
    headers.set("content-range", `bytes ${from}-${to - 1}/${whole}`);
  }
  return new Response(ending ? halfOf(part, ending) : part, {
    status: range ? 206 : 200,
    headers,
  });
}

/** Sends half of the bytes; then the connection breaks, or nothing comes. */
function halfOf(
  bytes: Uint8Array,
  ending: "cut off" | "stall",
): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    async pull(controller) {
      if (!sent) {
        sent = true;
        controller.enqueue(bytes.subarray(0, bytes.length / 2));
      } else if (ending === "cut off") {
        // Time for what was sent to arrive.
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.error(new Error("cut off"));
      }
    },
  });
}
