import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Host } from "#lib/http/hosts.ts";
import { FinalError } from "#lib/http/final_error.ts";
import {
  checkStatus,
  fetchOnce,
  readStart,
  send,
  userAgent,
} from "#lib/http/http.ts";
import { paths } from "#lib/paths.ts";

const quick = { backoffMs: 20, patienceMs: 5000 };

/** How often a request is sent that is always answered so. */
async function attemptsAt(status: number, retryAfter?: string) {
  let attempts = 0;
  const stop = new AbortController();
  const sent = send(new Host("h", { ...quick, backoffMs: 1 }), () => {
    // Refusals are no failures: they would go on for as long as we wait.
    if (++attempts === 9) stop.abort();
    return Promise.resolve().then(() => checkStatus(status, "", retryAfter));
  }, stop.signal);
  const error = await sent.then(() => undefined, (error) => error);
  return [attempts, error instanceof FinalError && error.status];
}

Deno.test("send() knows what is ok, refused, final, and what may pass", async () => {
  for (const status of [200, 204, 206, 301, 304, 399]) {
    deepEqual(await attemptsAt(status), [1, false], `${status}`);
  }
  for (const status of [400, 401, 403, 404, 410, 416, 451]) {
    deepEqual(await attemptsAt(status), [1, status], `${status}`);
  }
  for (const status of [408, 500, 502, 503, 504, 599]) {
    deepEqual(await attemptsAt(status), [4, false], `${status}`);
  }
  deepEqual(await attemptsAt(429), [9, false]);
  deepEqual(await attemptsAt(429, "0"), [9, false]);
  deepEqual(await attemptsAt(503, "0"), [9, false]);
  // Only a refusal asks for a pause.
  deepEqual(await attemptsAt(500, "0"), [4, false]);
});

Deno.test("send() waits longer before each attempt, and as long as it is told", async () => {
  const times: number[] = [];
  const attempt = () => {
    times.push(Date.now());
    const [status, retryAfter] = [[500], [429, "1"], [500], [200]][
      times.length - 1
    ] as [number, string?];
    return Promise.resolve().then(() => checkStatus(status, "", retryAfter));
  };
  await send(new Host("h", { backoffMs: 50, patienceMs: 5000 }), attempt);
  const [first, second, third] = times.slice(1).map((at, i) => at - times[i]);
  ok(first >= 45 && first < 500, `${first} ms`);
  ok(second >= 990, `${second} ms`);
  ok(third >= 95, `${third} ms`);
});

Deno.test("send() gives up a host that goes on refusing, and says so", async () => {
  const host = new Host("example.org", { backoffMs: 20, patienceMs: 100 });
  let requests = 0;
  const refused = () => {
    requests++;
    return Promise.resolve().then(() => checkStatus(429, "", null));
  };
  await rejects(send(host, refused), (error: Error) => {
    match(error.message, /^example\.org refuses requests for 1 s: run again/);
    return error instanceof FinalError;
  });
  ok(requests > 1 && requests < 6, `${requests} requests`);
  // Without a request, from here on.
  await rejects(send(host, refused), FinalError);
  ok(requests < 6, `${requests} requests`);
});

Deno.test("send() gives up an address that is refused while others are answered", async () => {
  const host = new Host("h", { backoffMs: 1, patienceMs: 60_000 });
  let requests = 0;
  const refused = send(host, async () => {
    if (++requests === 2) await send(host, () => Promise.resolve());
    checkStatus(429, "Too Many Requests", "0");
  });
  await rejects(refused, (error: Error) => {
    strictEqual(error.message, "429 Too Many Requests");
    return error instanceof FinalError;
  });
  strictEqual(requests, 7);
});

Deno.test("send() forgives a host whose answers are no refusals, whatever they are", async () => {
  const host = new Host("h", { backoffMs: 20, patienceMs: 200 });
  const answers = [429, 404];
  const next = () =>
    Promise.resolve().then(() => checkStatus(answers.shift() ?? 200, ""));
  await rejects(send(host, next), { message: "404" });
  await sleep(300);
  await send(host, next);
});

Deno.test("send() stops at a signal: in a turn, in a pause, in an attempt", async () => {
  const slow = new Host("h", { intervalMs: 5000 });
  await slow.turn();
  const enough = () => AbortSignal.timeout(30);
  await rejects(send(slow, () => Promise.resolve(), enough()));

  const failing = () => Promise.reject(new Error("broken"));
  const start = Date.now();
  await rejects(send(new Host("h", { backoffMs: 5000 }), failing, enough()), {
    name: "TimeoutError",
  });
  ok(Date.now() - start < 1000);

  const stop = new AbortController();
  const stopping = () => {
    stop.abort(new Error("enough"));
    return Promise.reject(new Error("broken"));
  };
  await rejects(send(new Host("h"), stopping, stop.signal), {
    message: "enough",
  });
});

Deno.test("send() says on one line what was wrong, with fetch()'s cause", async () => {
  const host = new Host("h", { backoffMs: 1 });
  const cause = new Error("connection refused\nby the host");
  const hidden = () => Promise.reject(new TypeError("fetch failed", { cause }));
  await rejects(send(host, hidden), { message: "connection refused" });
  const long = () => Promise.reject(new Error("x".repeat(1000)));
  await rejects(send(host, long), { message: "x".repeat(200) });
});

Deno.test("send() lets no more through a host's queue than its limit", async () => {
  const host = new Host("h", { concurrency: 3 });
  let under = 0, most = 0;
  await Promise.all(Array.from({ length: 12 }, () =>
    send(host, async () => {
      most = Math.max(most, ++under);
      await sleep(5);
      under--;
    })));
  equal(most, 3);
});

Deno.test("send() sends again what failed before what was never sent", async () => {
  const host = new Host("h", { intervalMs: 5, backoffMs: 50, concurrency: 2 });
  const order: string[] = [];
  await Promise.all(Array.from({ length: 30 }, (_, i) => {
    let fails = i === 0;
    return send(host, () => {
      if (!fails) order.push(`${i}`);
      else {
        fails = false;
        return Promise.reject(new Error("500"));
      }
      return Promise.resolve();
    });
  }));
  const place = order.indexOf("0");
  ok(place >= 2 && place < 20, `sent again after ${place} others`);
});

Deno.test("send() lets a stalled request go on without keeping others waiting", async () => {
  const host = new Host("h", { intervalMs: 20, concurrency: 2 });
  const answer = Promise.withResolvers<string>();
  const stalls = send(host, async (stalled) => {
    await stalled;
    return await answer.promise;
  });
  let under = 0, most = 0;
  const others = Array.from({ length: 60 }, () =>
    send(host, async () => {
      most = Math.max(most, ++under);
      await sleep(30);
      under--;
    }));
  await Promise.all(others);
  equal(most, 2, "its place was another's in the end");
  answer.resolve("late");
  equal(await stalls, "late");
});

async function withServer(
  listener: RequestListener,
  body: (origin: string) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const text = (response: Response) => response.text();

/** Lets a request ask a server of this machine. */
const own = (origin: string) => ({ allowedHosts: [new URL(origin).host] });

Deno.test("fetchOnce() says who asks, and asks for the bytes as they are", () =>
  withServer((request, response) => {
    const { "user-agent": agent, "accept-encoding": encoding, accept } =
      request.headers;
    response.end(`${agent} ${encoding} ${accept}`);
  }, async (origin) => {
    const headers = { accept: "text/x" };
    equal(
      await fetchOnce(origin, text, { ...own(origin), headers }),
      `${userAgent()} identity text/x`,
    );
  }));

Deno.test("fetchOnce() ends at its time limit, which what arrives may extend", () =>
  withServer(async (request, response) => {
    // Five parts, 60 ms apart: longer than the limit in all.
    for (let i = 0; i < 5 && request.url === "/parts"; i++) {
      response.write(`${i}`);
      await sleep(60);
    }
    if (request.url === "/parts") response.end();
  }, async (origin) => {
    const limit = { ...own(origin), timeoutMs: 200 };
    const late = { message: "no whole answer in time" };
    await rejects(fetchOnce(`${origin}/silence`, text, limit), late);
    await rejects(fetchOnce(`${origin}/parts`, text, limit), late);
    const inParts = async ({ body }: Response, arrived: () => void) => {
      let said = "";
      for await (const part of body!) {
        said += new TextDecoder().decode(part);
        arrived();
      }
      return said;
    };
    equal(await fetchOnce(`${origin}/parts`, inParts, limit), "01234");
  }));

Deno.test("fetchOnce() ends what stalls on a kept connection, and sends it once", () => {
  const asked: string[] = [];
  return withServer((request, response) => {
    asked.push(request.url!);
    // An answer's headers alone, or nothing.
    if (request.url === "/half") response.write("1");
    else if (request.url === "/whole") response.end();
  }, async (origin) => {
    const limit = { ...own(origin), timeoutMs: 200 };
    for (const path of ["/half", "/silence", "/half", "/silence"]) {
      await fetchOnce(`${origin}/whole`, text, limit);
      await sleep(20); // For the connection to be kept.
      const message = "no whole answer in time";
      await rejects(fetchOnce(origin + path, text, limit), { message });
    }
    await fetchOnce(`${origin}/whole`, text, limit);
    const stopped = fetchOnce(`${origin}/stop`, text, {
      ...own(origin),
      signal: AbortSignal.timeout(200),
    });
    await rejects(stopped);
    const stalled = asked.filter((path) => path !== "/whole");
    deepEqual(stalled, ["/half", "/silence", "/half", "/silence", "/stop"]);
  });
});

Deno.test("fetchOnce() names a status that is none, and a redirect to nowhere", () =>
  withServer((request, response) => {
    if (request.url === "/999") response.socket!.end("HTTP/1.1 999 No\r\n\r\n");
    else response.writeHead(302, { location: "" }).end();
  }, async (origin) => {
    for (
      const [path, message] of [
        ["/999", "999 No"],
        ["/302", "expected an address to go to, got none (302)"],
      ]
    ) {
      const asked = fetchOnce(origin + path, text, own(origin));
      await rejects(asked, (error) => {
        ok(error instanceof FinalError);
        equal(error.message, message);
        return true;
      });
    }
  }));

Deno.test("readStart() takes no more than it is told to", () =>
  withServer((request, response) => {
    if (request.url === "/short") response.end("short");
    else {
      const timer = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(timer));
    }
  }, async (origin) => {
    for (const [path, bytes] of [["/short", 5], ["/endless", 1500]] as const) {
      const read = (response: Response) => readStart(response, 1500);
      equal((await fetchOnce(origin + path, read, own(origin))).length, bytes);
    }
  }));

Deno.test("userAgent() names the project, its version, and a contact that can stand in a header", async () => {
  const config = await readFile(join(paths.root, "deno.json"), "utf8");
  const own = `contact-sheet/${JSON.parse(config).version}`;
  const withContact = (contact: string) => {
    process.env.CONTACT_SHEET_CONTACT = contact;
    try {
      return userAgent();
    } finally {
      delete process.env.CONTACT_SHEET_CONTACT;
    }
  };
  strictEqual(userAgent(), own);
  strictEqual(withContact(""), own);
  for (const contact of ["ada@example.org", "https://example.org/bot?a=1"]) {
    strictEqual(withContact(contact), `${own} (${contact})`);
  }
  for (
    const contact of [
      ...["Ada", "a@b\r\nX: 1", "a@b\u001b", "ä@example.org", "a@(b)", "a @b"],
      ...["javascript:alert(1)", `a@${"b".repeat(300)}`],
    ]
  ) {
    throws(() => withContact(contact), {
      message: "CONTACT_SHEET_CONTACT: expected a mail address or a URL, got " +
        JSON.stringify(contact.slice(0, 80)),
    });
  }
});
