import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { limitConnections, NO_LIMITS } from "#lib/http/connections.ts";

/** A server that waits so long for headers, and connections to it. */
async function withServer(
  listener: RequestListener,
  test: (dial: (text: string) => Socket) => Promise<void>,
  headerMs = 200,
  takeMs?: number,
): Promise<void> {
  const server = createServer(NO_LIMITS, listener);
  limitConnections(server, headerMs, takeMs);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const dial = (text: string) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).write(text);
    return socket.resume();
  };
  try {
    await test(dial);
  } finally {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

const WHOLE = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** How long a connection stays open, in milliseconds. */
async function lasts(socket: Socket): Promise<number> {
  const start = performance.now();
  await once(socket, "close", { signal: AbortSignal.timeout(5000) });
  return performance.now() - start;
}

Deno.test("limitConnections() cuts off who says nothing, half a header, or drips one", () =>
  withServer((_, response) => response.end(), async (dial) => {
    const half = ["G", "GET / HTTP/1.1\r\nHost: x\r\n"].map(dial);
    const dripping = dial("GET / HTTP/1.1\r\n");
    const drip = setInterval(() => dripping.write("x: y\r\n"), 30);
    const again = dial(WHOLE);
    setTimeout(() => again.write("GET /half"), 100);
    for (const ms of await Promise.all([...half, dripping, again].map(lasts))) {
      ok(ms >= 150 && ms < 2000, `${ms} ms`);
    }
    clearInterval(drip);
  }));

Deno.test("limitConnections() leaves alone what is under way: a body, an answer", () =>
  withServer(async (request, response) => {
    let size = 0;
    for await (const chunk of request) size += chunk.length;
    for (let i = 0; i < 5; i++) {
      response.write(`${size} `);
      await sleep(100);
    }
    response.end();
  }, async (dial) => {
    const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    const socket = dial(`${head}Content-Length: 5\r\n\r\n`);
    let answer = "";
    socket.on("data", (chunk) => answer += chunk);
    const closed = lasts(socket);
    for (let i = 0; i < 5; i++) {
      await sleep(100);
      socket.write("x");
    }
    ok(await closed >= 900);
    deepEqual(answer.match(/5 (?=\r\n)/g)?.length, 5);
  }));

Deno.test("limitConnections() takes 400 connections and no more", () =>
  withServer((_, response) => response.end(), async (dial) => {
    let open = 420;
    const sockets = Array.from({ length: open }, () => dial("G"));
    for (const socket of sockets) socket.once("close", () => open--);
    for (let tries = 0; open !== 400 && tries < 40; tries++) await sleep(50);
    equal(open, 400);
    for (const socket of sockets) socket.destroy();
    await sleep(50);
    const [answer] = await once(dial(WHOLE), "data");
    ok(String(answer).startsWith("HTTP/1.1 200"));
  }, 10_000));

Deno.test("limitConnections() cuts off who asks on without waiting for answers", async () => {
  let asked = 0;
  await withServer(async (_, response) => {
    asked++;
    await sleep(50);
    response.end("x");
  }, async (dial) => {
    const eight = dial(WHOLE.repeat(8));
    let answers = "";
    eight.on("data", (chunk) => answers += chunk);
    await lasts(eight);
    deepEqual(answers.match(/HTTP\/1.1 200/g)?.length, 8);
    equal(asked, 8);
    ok(await lasts(dial(WHOLE.repeat(2000))) < 2000);
    await sleep(100);
    equal(asked, 16);
  }, 500);
});

Deno.test("limitConnections() cuts off who takes nothing of an answer, not who takes it slowly", () =>
  withServer(
    async (request, response) => {
      if (request.url === "/large") return response.end(new Uint8Array(30e6));
      // Parts, and silence, longer than an answer may lie about.
      for (let i = 0; i < 5; i++) {
        response.write("x");
        await sleep(200);
      }
      response.end();
    },
    async (dial) => {
      const large = dial(WHOLE.replace("/", "/large")).pause();
      const slow = dial(WHOLE.replace("Host", "Connection: close\r\nHost"));
      ok(await lasts(slow) >= 900);
      // It has been cut off meanwhile: what it was sent ends in the middle.
      let size = 0;
      large.on("data", (chunk) => size += chunk.length).resume();
      await lasts(large);
      ok(size < 30e6, `${size} bytes`);
    },
    200,
    150,
  ));
