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
  /** A large file arrives with one byte changed. */
  corrupt: number;
  /** The hub answers 503. */
  unavailable: number;
  /** Large files are sent from their start, whatever range is asked for. */
  ignoreRange: number;
}

/** Files above this size are sent by the second server. */
const LARGE = 10_000;
/** The version of every file; other programs of the hub ask for it. */
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Starts both servers. `requests` fills with "METHOD path range". */
export function startHub(
  repository: string,
  files: Record<string, Uint8Array>,
  { token }: { token?: string } = {},
) {
  const faults: HubFaults = {
    cutOff: 0,
    corrupt: 0,
    unavailable: 0,
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
    const from = range && !happens("ignoreRange")
      ? Number(range.match(/^bytes=(\d+)-$/)![1])
      : 0;
    const body = happens("cutOff")
      ? halfOf(content.subarray(from))
      : content.subarray(from);
    return new Response(body, {
      status: from ? 206 : 200,
      headers: {
        etag: '"of-the-store"',
        "content-length": String(content.length - from),
        ...from
          ? {
            "content-range": `bytes ${from}-${
              content.length - 1
            }/${content.length}`,
          }
          : {},
      },
    });
  });

  const hub = Deno.serve(listen, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    if (happens("unavailable")) return new Response("", { status: 503 });
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
    if (content.length > LARGE) {
      const hash = createHash("sha256").update(content).digest("hex");
      return new Response("", {
        status: 302,
        headers: {
          location: `http://127.0.0.1:${store.addr.port}/${name}`,
          "x-linked-etag": `"${hash}"`,
          "x-linked-size": String(content.length),
          "x-repo-commit": COMMIT,
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
    return new Response(request.method === "HEAD" ? null : content.slice(), {
      headers: {
        etag: `"${hash}"`,
        "x-repo-commit": COMMIT,
        "content-length": String(content.length),
      },
    });
  });

  return {
    endpoint: `http://127.0.0.1:${hub.addr.port}`,
    faults,
    requests,
    close: () => Promise.all([hub.shutdown(), store.shutdown()]),
  };
}

/** Sends half of the bytes, then breaks the connection. */
function halfOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    async pull(controller) {
      if (!sent) {
        sent = true;
        controller.enqueue(bytes.subarray(0, bytes.length / 2));
      } else {
        // Time for what was sent to arrive.
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.error(new Error("cut off"));
      }
    },
  });
}
