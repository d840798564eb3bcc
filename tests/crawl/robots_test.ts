import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decisionOf, readRobots } from "#lib/crawl/robots.ts";

/** A site whose robots.txt is answered so, time after time; its last one stays. */
async function withRobots(
  answers: {
    status?: number;
    headers?: Record<string, string>;
    text?: string;
  }[],
  test: (origin: string, requests: number[]) => Promise<void>,
): Promise<void> {
  const requests: number[] = [];
  const server = createServer((_, response) => {
    requests.push(Date.now());
    const place = Math.min(requests.length, answers.length) - 1;
    const { status = 200, headers, text = "" } = answers[place];
    response.writeHead(status, headers).end(text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const { port } = server.address() as AddressInfo;
    await test(`http://127.0.0.1:${port}`, requests);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

/** Lets a request ask a server of this machine. */
const own = (origin: string) => ({ allowedHosts: [new URL(origin).host] });

const quick = { backoffMs: 10, patienceMs: 3000 };

Deno.test("readRobots() heeds what is said to us, or to everyone", () =>
  withRobots([{
    text: "User-agent: *\nDisallow: /\n\n" +
      "User-agent: contact-sheet\nDisallow: /private/\nCrawl-delay: 2.5\n",
  }], async (origin) => {
    const { isAllowed, intervalMs } = await readRobots(origin, {}, own(origin));
    equal(isAllowed(`${origin}/search/?text=owl`), true);
    equal(isAllowed(`${origin}/private/owl`), false);
    equal(intervalMs, 2500);
    // What another host allows is for that host to say.
    equal(isAllowed("http://example.org/private/owl"), true);
  }));

Deno.test("readRobots() without a file allows everything", async () => {
  for (const status of [404, 403, 410, 401]) {
    await withRobots([{ status, text: "User-agent: *\nDisallow: /" }], async (
      origin,
      requests,
    ) => {
      const { isAllowed, intervalMs } = await readRobots(
        origin,
        quick,
        own(origin),
      );
      deepEqual([isAllowed(`${origin}/a`), intervalMs], [true, 0]);
      equal(requests.length, 1);
    });
  }
});

Deno.test("readRobots() leaves a site alone that fails to say", async () => {
  for (const status of [500, 503, 408]) {
    await withRobots([{ status }], async (origin, requests) => {
      await rejects(
        readRobots(origin, quick, own(origin)),
        ({ message }: Error) => {
          ok(
            message.startsWith(
              `${origin}/robots.txt did not answer: ${status}`,
            ),
          );
          return true;
        },
      );
      equal(requests.length, 4);
    });
  }
  await withRobots(
    [{ status: 429, headers: { "retry-after": "3600" } }],
    async (
      origin,
      requests,
    ) => {
      await rejects(
        readRobots(origin, quick, own(origin)),
        /refuses requests for 3600 s/,
      );
      equal(requests.length, 1);
    },
  );
});

Deno.test("readRobots() comes back when it is told to", () =>
  withRobots([
    { status: 500 },
    { status: 429, headers: { "retry-after": "1" } },
    { text: "User-agent: *\nDisallow: /private/" },
  ], async (origin, requests) => {
    const { isAllowed } = await readRobots(origin, quick, own(origin));
    equal(isAllowed(`${origin}/private/`), false);
    equal(requests.length, 3);
    ok(requests[2] - requests[1] >= 990);
  }));

Deno.test("readRobots() reads the first 500 KiB of an endless file", () =>
  withRobots([{
    text: "User-agent: *\nDisallow: /first/\n" +
      `# ${"x".repeat(100)}\n`.repeat(6000) + "Disallow: /last/\n",
  }], async (origin) => {
    const { isAllowed } = await readRobots(origin, {}, own(origin));
    equal(isAllowed(`${origin}/first/`), false);
    equal(isAllowed(`${origin}/last/`), true);
  }));

Deno.test("readRobots() stops at a signal", () =>
  withRobots([{ status: 500 }], async (origin) => {
    const slow = { backoffMs: 60_000 };
    const start = Date.now();
    const error = await readRobots(origin, slow, {
      ...own(origin),
      signal: AbortSignal.timeout(50),
    })
      .catch((error) => error);
    match(error.name, /TimeoutError/);
    ok(Date.now() - start < 2000);
  }));

Deno.test("decisionOf() says what is allowed, at which pace, and where it stands", async () => {
  const addressesOf = (origin: string) =>
    ["owl", "secret"].map((term) => `${origin}/search/?text=${term}`);
  const cases: [string, string][] = [
    ["", "allows /search/"],
    ["User-agent: *\nCrawl-delay: 2", "allows /search/, one request in 2 s"],
    ["User-agent: *\nDisallow: /search/", "forbids /search/"],
    [
      "User-agent: *\nDisallow: /search/?text=secret",
      "allows /search/ for 1 of 2 terms",
    ],
  ];
  for (const [text, decision] of cases) {
    await withRobots([{ text }], async (origin) => {
      const robots = await readRobots(origin, {}, own(origin));
      strictEqual(
        decisionOf(robots, addressesOf(origin)),
        `${origin}/robots.txt ${decision}`,
      );
    });
  }
  await withRobots([{ status: 404 }], async (origin) => {
    const robots = await readRobots(origin, {}, own(origin));
    strictEqual(
      decisionOf(robots, addressesOf(origin)),
      `${origin}/robots.txt is not there (404 Not Found): all is allowed`,
    );
  });
});
