import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { Hono } from "hono";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import { readBody, startServer } from "#lib/search_page/server/server.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { pngHeader } from "../../support/png_header.ts";
import { ask, openOver, paint, withFolder } from "../../support/search_app.ts";

Deno.test("a port that is taken, and an address of elsewhere, are named", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const source = await folderSource(folder);
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const start = (place: { port?: number; host?: string }) =>
      openSearchApp(source, {
        encoders: [colourEncoder()],
        log: () => {},
        ...place,
      });
    try {
      await rejects(
        start({ port }),
        new RegExp(`^Error: port ${port} of 127.0.0.1 is taken: give another`),
      );
      await rejects(
        start({ host: "192.0.2.1" }),
        /^Error: cannot listen at 192.0.2.1, port 0 \(E\w+\): expected/,
      );
    } finally {
      other.close();
    }
  }));

/** Sends a request as it stands, and returns the status of the answer. */
function raw(port: string, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(lines.join("\r\n") + "\r\nConnection: close\r\n\r\n");
    });
    socket.on("data", (chunk) => answer += chunk);
    socket.on("end", () => resolve(answer.slice(9, 12)));
    socket.on("error", reject);
  });
}

Deno.test("the server answers to its own names, below its token, and to no other", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder()],
      publicUrl: "https://hub.example/proxy/8000/",
      log: () => {},
    });
    const { port, pathname } = new URL(app.url);
    const status = (host: string, path = `${pathname}status`) =>
      raw(port, [`GET ${path} HTTP/1.1`, `Host: ${host}`]);
    for (const name of ["127.0.0.1", "localhost", "[::1]"]) {
      equal(await status(`${name}:${port}`), "200", name);
    }
    equal(await status("hub.example"), "200");
    equal(await status("127.0.0.1:1"), "421");
    equal(await status("evil.example"), "421");
    equal(await status(`evil.example:${port}`), "421");
    const own = `127.0.0.1:${port}`;
    equal(await status(own, "/status"), "404");
    equal(await status(own, "/"), "404");
    const { error } = await (await fetch(new URL("/x/", app.url))).json();
    equal(error, "no such page: open the address as it was printed");
    equal(await status(own, `/${"0".repeat(32)}/status`), "404");
    equal(await status(own, `${pathname.slice(0, -2)}/status`), "404");
    await app.close();
    const anywhere = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder()],
      host: "0.0.0.0",
      log: () => {},
    });
    const url = new URL(anywhere.url);
    equal(url.hostname, "127.0.0.1");
    equal(
      await raw(url.port, [
        `GET ${url.pathname}status HTTP/1.1`,
        "Host: my-machine",
      ]),
      "200",
    );
    await anywhere.close();
  }));

Deno.test("what a page asks, the server's own page must ask", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const { port, origin, pathname } = new URL(app.url);
    const send = (method: string, path: string, ...more: string[]) =>
      raw(port, [
        `${method} ${pathname}${path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        ...more,
      ]);
    equal(await send("GET", "status", `Origin: ${origin}`), "200");
    for (
      const stranger of [
        "Origin: https://evil.example",
        `Origin: http://127.0.0.1:${Number(port) + 1}`,
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
      ]
    ) {
      equal(await send("GET", "status", stranger), "403", stranger);
      // A notebook frames the page from another port.
      equal(await send("GET", "", stranger), "200", stranger);
      equal(await send("POST", "", stranger), "403", stranger);
    }
    equal(await send("GET", "status", "Sec-Fetch-Site: same-origin"), "200");
    equal(await send("GET", "status", "Sec-Fetch-Site: none"), "200");
    equal(await send("POST", "search"), "403");
    equal(await send("PUT", "status", `Origin: ${origin}`), "404");
    await app.close();
  }));

Deno.test("no path leads out of the page's files and pictures", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const { port, origin, pathname } = new URL(app.url);
    for (
      const path of [
        "..%2f..%2fapp.ts",
        "../app.ts",
        "../search_page.ts",
        "..%2fsearch_page.ts",
        "web/page.js",
        "thumbnail/..%2f..%2fdeno.json",
        "thumbnail/-1",
        "thumbnail/99",
        "thumbnail/1e0",
        "picture/%00",
        "uploaded/..%2f..%2f..%2fetc%2fpasswd",
        "%zz",
        "detail?path=../../etc/passwd",
      ]
    ) {
      const lines = [
        `GET ${pathname}${path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
      ];
      match(await raw(port, lines), /40[04]/, path);
    }
    const { status, json } = await ask(app, "detail", '{"path":"../x"}');
    deepEqual([status, json.error], [404, 'no picture "../x"']);
    equal((await fetch(`${origin}${pathname}icon.svg`)).ok, true);
    await app.close();
  }));

Deno.test("thumbnails that have been made come with a search, and with nothing else", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const search = async (name: string) =>
      (await ask(app, name, '{"text":"red"}')).json;
    const { hits: [{ id }], thumbnails } = await search("search");
    deepEqual(thumbnails, {});
    const { bytes } = await ask(app, `thumbnail/${id}`);
    const data = Buffer.from(bytes).toString("base64");
    deepEqual((await search("search")).thumbnails, {
      [id]: `data:image/webp;base64,${data}`,
    });
    equal("thumbnails" in await search("compare"), false);
    equal("thumbnails" in app.result!, false);
    await app.close();
  }));

Deno.test("answers say what a browser may do with them, and what it may keep", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const id = app.searcher.spaces[0].collection.idOf(0);
    const upload = await ask(app, "upload", await plain("red"));
    const lasting = "private, max-age=31536000, immutable";
    const expected: [path: string, type: string, caching: string][] = [
      ["", "text/html; charset=utf-8", "no-store"],
      ["page.js", "text/javascript; charset=utf-8", "no-store"],
      ["page.css", "text/css; charset=utf-8", "no-store"],
      ["icon.svg", "image/svg+xml; charset=utf-8", "no-store"],
      ["status", "application/json", "no-store"],
      [`thumbnail/${id}`, "image/webp", lasting],
      [`picture/${id}`, "image/jpeg", lasting],
      [`original/${id}`, "application/octet-stream", "no-store"],
      [`uploaded/${upload.json.picture.slice(7)}`, "image/jpeg", lasting],
      ["thumbnail/99", "application/json", "no-store"],
    ];
    for (const [path, type, caching] of expected) {
      const { headers } = await ask(app, path);
      equal(headers.get("content-type"), type, path);
      equal(headers.get("cache-control"), caching, path);
      const policy = headers.get("content-security-policy")!;
      match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      match(policy, /form-action 'none'; frame-ancestors 'self' http:/);
      equal(headers.get("x-content-type-options"), "nosniff");
      equal(headers.get("referrer-policy"), "no-referrer");
      equal(headers.get("cross-origin-resource-policy"), "same-origin");
      equal(headers.get("x-frame-options"), null, "notebooks frame the page");
    }
    await app.close();
  }));

Deno.test("bodies are bounded, told or not, and the next request is answered", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const send = async (path: string, size: number, isTold: boolean) => {
      const bytes = new Uint8Array(size).fill(32);
      const { status } = await fetch(app.url + path, {
        method: "POST",
        headers: { origin: new URL(app.url).origin },
        body: isTold ? bytes : new Blob([bytes]).stream(),
      });
      return status;
    };
    for (const isTold of [true, false]) {
      equal(await send("search", 200_000, isTold), 400, "blank, but taken");
      equal(await send("search", 200_001, isTold), 413);
      equal(await send("detail", 200_001, isTold), 413);
      equal(await send("select", 5_000_000, isTold), 400, "a long list");
      equal(await send("select", 5_000_001, isTold), 413);
      equal(await send("upload", 20_000_000, isTold), 400, "no picture");
      equal(await send("upload", 20_000_001, isTold), 413);
      equal((await ask(app, "search", '{"text":"red"}')).status, 200);
    }
    await app.close();
  }));

Deno.test("a connection ends with a body that was not read to its end", async () => {
  const routes = new Hono().post("/length", async (context) => {
    const { length } = await readBody(context, 100);
    return context.json(length);
  });
  const server = await startServer(routes);
  const { port, host, origin, pathname } = new URL(server.url);
  const socket = connect(Number(port), "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => answer += chunk);
  socket.write(
    `POST ${pathname}length HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n` +
      `Content-Length: 5000\r\n\r\n${"x".repeat(101)}`,
  );
  await once(socket, "close", { signal: AbortSignal.timeout(10_000) });
  match(answer, /^HTTP\/1.1 413 [^]*\r\nconnection: close\r\n/i);
  await server.close();
});

Deno.test("a body may come slowly; one that stops coming is cut off", async () => {
  const routes = new Hono().post("/length", async (context) => {
    const { length } = await readBody(context, 100, 400);
    return context.json(length);
  });
  const server = await startServer(routes);
  const { port, host, origin, pathname } = new URL(server.url);
  const send = async (pieces: number) => {
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    let answer = "";
    socket.on("data", (chunk) => answer += chunk);
    const closed = once(socket, "close", {
      signal: AbortSignal.timeout(10_000),
    });
    socket.write(
      `POST ${pathname}length HTTP/1.1\r\nHost: ${host}\r\n` +
        `Origin: ${origin}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n`,
    );
    for (let i = 0; i < pieces; i++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      socket.write("x");
    }
    await closed;
    return answer;
  };
  match(await send(5), /^HTTP\/1.1 200 [^]*\n5/);
  equal(await send(2), "");
  await server.close();
});

Deno.test("an upload whose sender leaves, or stops, is no fault to tell of", async () => {
  const routes = new Hono().post("/length", async (context) => {
    const { length } = await readBody(context, 100, 200);
    return context.json(length);
  });
  const faults: string[] = [];
  const server = await startServer(routes, {
    onError: ({ message }) => faults.push(message),
  });
  const { port, host, origin, pathname } = new URL(server.url);
  const upload = () => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.resume().write(
      `POST ${pathname}length HTTP/1.1\r\nHost: ${host}\r\n` +
        `Origin: ${origin}\r\nContent-Length: 50\r\n\r\nxyz`,
    );
    return socket;
  };
  const late = { signal: AbortSignal.timeout(10_000) };
  const leaving = upload();
  setTimeout(() => leaving.destroy(), 50);
  const stopping = upload();
  await Promise.all([leaving, stopping].map((one) => once(one, "close", late)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  deepEqual(faults, []);
  await server.close();
});

Deno.test("the server closes at once, with requests under way", async () => {
  const routes = new Hono().get("/never", () => new Promise(() => {}));
  const server = await startServer(routes);
  const waiting = rejects(fetch(`${server.url}never`));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const late = AbortSignal.timeout(2000);
  await Promise.race([server.close(), once(late, "abort")]);
  equal(late.aborted, false, "closed in time");
  await waiting;
});

Deno.test("a fault inside is told to the reader and to the one who logs", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const log: string[] = [];
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder()],
      log: (line) => log.push(line),
    });
    await app.ready;
    const { status, json } = await ask(app, "search", '{"text":"please fail"}');
    deepEqual([status, json.error], [500, "the model ran out of memory"]);
    deepEqual(log, ["The search page: the model ran out of memory"]);
    await ask(app, "search", '{"k":0}');
    equal(log.length, 1, "a wrong question is no fault of ours");
    await app.close();
  }));

Deno.test("bad questions are answered in words, and the server goes on", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const search = (query: object) => ask(app, "search", JSON.stringify(query));
    const complaint = async (query: object, status: number, words: RegExp) => {
      const answer = await search(query);
      equal(answer.status, status);
      match(answer.json.error, words);
    };
    await complaint(
      { text: "x".repeat(100_000) },
      400,
      /at most 1000 characters, got 100000/,
    );
    await complaint({ text: "x".repeat(300_000) }, 413, /too much to take/);
    await complaint({}, 400, /nothing to look for/);
    await complaint({ k: 1e9 }, 400, /k: expected a number from 1 to 200/);
    await complaint(
      { text: "a", space: "clap" },
      400,
      /expected colours, pixels/,
    );
    await complaint(
      { text: "a", space: "pixels" },
      400,
      /pixels cannot be compared with words/,
    );
    await complaint({ like: ["nobody"] }, 400, /no picture "nobody"/);
    const upload0 = `upload:${"0".repeat(64)}`;
    await complaint({ like: [upload0] }, 400, /gone: give it again/);
    await complaint({ text: "a", colour: 1 }, 400, /"colour": expected/);
    await complaint({ text: "please fail" }, 500, /ran out of memory/);
    equal((await ask(app, "search", "{")).status, 400);

    const upload = async (bytes: Uint8Array) =>
      (await ask(app, "upload", bytes)).json.error;
    match(await upload(Uint8Array.of(1, 2, 3)), /not a JPEG, PNG/);
    const whole = await plain("red", "png", 400);
    match(await upload(whole.slice(0, 200)), /the decoder says/);
    const svg = new TextEncoder().encode(
      '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>',
    );
    match(await upload(svg), /SVG is not supported/);
    match(
      await upload(pngHeader(15_000, 10_001)),
      /expected 150000000 or fewer/,
    );
    match(await upload(new Uint8Array(20_000_001)), /too much to take/);

    const path = "paint/red/red-0.png";
    const { collection } = app.searcher.spaces[0];
    const id = collection.idOf(collection.rowOf(path)!);
    await Deno.remove(join(folder, path));
    const gone = await ask(app, `picture/${id}`);
    equal(gone.status, 404);
    match(gone.json.error, /file not found|is gone/);
    await writeFile(join(folder, path), "no picture");
    equal((await ask(app, `thumbnail/${id}`)).status >= 400, true);
    equal((await search({ text: "red" })).status, 200);
    await app.close();
  }));

Deno.test("50 searches at once are all answered", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) =>
          ask(
            app,
            "search",
            JSON.stringify({ text: `red ${i}`, cut: "none", fold: 2 }),
          ),
      ),
    );
    ok(
      answers.every(({ status, json }) =>
        status === 200 && json.hits.length === 12
      ),
    );
    await app.close();
  }));

Deno.test("a page has the same address again, and another one while that is taken", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    const log: string[] = [];
    const open = async (options: object = {}) => {
      const encoders = [colourEncoder()];
      const source = await folderSource(folder);
      return await openSearchApp(source, {
        ...{ encoders, log: (line: string) => log.push(line) },
        ...options,
      });
    };
    const first = await open();
    const second = await open();
    const { pathname } = new URL(first.url);
    strictEqual(new URL(second.url).pathname, pathname);
    strictEqual(second.url === first.url, false);
    for (const { url } of [first, second]) {
      equal((await fetch(url)).status, 200);
    }
    strictEqual(log.length, 1);
    match(log[0], /^Port \d+, where this folder was served before, is taken: /);
    const { port } = new URL(first.url);
    await rejects(open({ port: Number(port) }), /is taken: give another/);
    await first.close();
    await second.close();
    const third = await open();
    strictEqual(third.url, first.url);
    await third.close();
    const token = "Bookmark00000000";
    const chosen = await open({ token });
    strictEqual(new URL(chosen.url).pathname, `/${token}/`);
    equal((await fetch(`${chosen.url}page.js`)).status, 200);
    await chosen.close();
    for (const token of ["short", "x".repeat(65), "../../etc/passwd0000", ""]) {
      await rejects(
        open({ token }),
        /token: expected 16 to 64 letters and digits/,
      );
    }
  }));

Deno.test("a wrong address is answered with a page, which tells no token", async () => {
  const server = await startServer(new Hono());
  const { origin, pathname } = new URL(server.url);
  const open = async (path: string, headers: Record<string, string>) => {
    const answer = await fetch(`${origin}${path}`, { headers });
    const type = answer.headers.get("content-type") ?? "";
    return { text: await answer.text(), status: answer.status, type };
  };
  const navigations: Record<string, string>[] = [
    { "sec-fetch-mode": "navigate", "sec-fetch-site": "none" },
    { accept: "text/html,application/xhtml+xml" },
  ];
  for (const headers of navigations) {
    for (
      const path of ["/", "/<b>0123456789abcdef/", `${pathname}<b>nothing`]
    ) {
      const { text, status, type } = await open(path, headers);
      deepStrictEqual([status, type], [404, "text/html; charset=UTF-8"]);
      match(text, /<html lang="en">[^]*<title>[^]*terminal or the notebook/);
      ok(!text.includes(pathname.slice(1, -1)) && !text.includes("<b>"), text);
    }
  }
  const ofScripts: Record<string, string>[] = [
    { accept: "*/*" },
    { "sec-fetch-mode": "cors", accept: "text/html" },
  ];
  for (const headers of ofScripts) {
    const { status, type } = await open("/", headers);
    deepStrictEqual([status, type], [404, "application/json"]);
  }
  await server.close();
});
