import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import process from "node:process";
import { progressBar, progressText } from "#lib/display/progress.ts";
import { stopButton } from "#lib/display/stop_button.ts";
import {
  foreignMarkup,
  HOSTILE,
  outcome,
  runScript,
} from "../support/shown.ts";

Deno.test("progressBar() writes sparse lines to a log, and the same last line each time", async () => {
  const { stdout, stderr, code } = await outcome(runScript(`
    const { progressBar } = await import("#lib/display/progress.ts");
    const bar = progressBar("Embedding", 500);
    for (let done = 1; done <= 500; done++) {
      bar.update(done, "now \\u001b[2J");
      if (done % 250 === 0) await new Promise((wake) => setTimeout(wake, 150));
    }
    bar.finish("2 failed");
    bar.update(1);
    bar.finish("again");`));
  equal(code, 0);
  equal(stdout, "");
  equal(stderr, "Embedding: 500 of 500 · 2 failed\n");
});

Deno.test("progressBar() aborts its signal at Ctrl-C, and ends the process at the second", async () => {
  const script = runScript(`
    const { progressBar } = await import("#lib/display/progress.ts");
    const bar = progressBar("Embedding", 100);
    bar.signal.addEventListener("abort", () => console.log(bar.signal.reason.message));
    bar.update(7);
    console.log("ready");
    await new Promise((resolve) => setTimeout(resolve, 50_000));`);
  let heard = "";
  script.stdout.on("data", (chunk) => {
    heard += chunk;
    if (/ready|stopped/.test(String(chunk))) {
      process.kill(script.pid!, "SIGINT");
    }
  });
  const { signal } = await outcome(script);
  equal(heard, "ready\nEmbedding: stopped\n");
  equal(signal, "SIGINT");
});

Deno.test("progressBar() refuses a total that is no count", () => {
  throws(
    () => progressBar("x", -1),
    /expected total to be a whole number from 0, got -1/,
  );
});

Deno.test("progressText() gives pace and time left from the first update on", () => {
  const state = {
    label: "Embedding",
    total: 1000,
    done: 600,
    stopped: false,
    // 500 were there already: they say nothing about the pace.
    paceFrom: { done: 500, at: 0 },
  };
  equal(progressText(state, 500), "Embedding: 600 of 1,000");
  equal(
    progressText(state, 50_000),
    "Embedding: 600 of 1,000 · 2 a second · 4 min left",
  );
  equal(
    progressText(state, 250_000),
    "Embedding: 600 of 1,000 · 2.5 s each · 17 min left",
  );
  equal(
    progressText(state, 12_500),
    "Embedding: 600 of 1,000 · 8 a second · 50 s left",
  );
  equal(progressText(state), "Embedding: 600 of 1,000");
});

Deno.test("progressText() shows text from outside on one line", () => {
  const state = {
    label: HOSTILE,
    total: 1,
    done: 1,
    note: HOSTILE,
    stopped: true,
  };
  const text = progressText(state);
  equal(/\p{Cc}/u.test(text), false);
  match(text, / next: 1 of 1 · stopped · /);
  match(progressText(state, 0), /stopping …/);
});

/** Draws bars in a kernel that is none; prints what it broadcasts, a line each. */
const inKernel = (code: string) => `
  Deno.jupyter = {
    broadcast: (kind, { data, transient }) =>
      console.log(JSON.stringify([kind, transient.display_id, data])),
  };
  const { progressBar, progressStages } = await import("#lib/display/progress.ts");
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  ${code}`;

async function broadcasts(code: string) {
  const { stdout, stderr } = await outcome(runScript(inKernel(code)));
  equal(stderr, "");
  return stdout.trim().split("\n").map((line) =>
    JSON.parse(line) as [string, string, Record<string, string>]
  );
}

Deno.test("progressBar() draws one output in a notebook, four times a second, and ends it", async () => {
  const sent = await broadcasts(`
    const bar = progressBar(${JSON.stringify(HOSTILE)}, 0);
    for (let done = 1; done <= 100; done++) bar.update(done);
    await wait(300);
    bar.update(50, ${JSON.stringify(HOSTILE)});
    bar.finish("whole");
    await wait(300);
    bar.update(60);
    bar.finish();
    bar.signal;`);
  deepEqual(sent.map(([kind]) => kind), [
    "display_data",
    "update_display_data",
    "update_display_data",
  ]);
  equal(new Set(sent.map(([, id]) => id)).size, 1);
  const [first, second, last] = sent.map(([, , data]) => data);
  match(
    first["text/html"],
    /<progress value="0" max="1" aria-label="&quot;&gt;/,
  );
  match(second["text/html"], /<progress value="50"/);
  match(last["text/plain"], /: 50 of 0 · whole$/);
  equal(/<progress/.test(last["text/html"]), false);
  for (const { "text/html": html } of [first, second, last]) {
    deepEqual(foreignMarkup(html), []);
  }
});

Deno.test("progressBar() shows the last pictures below the bar while it runs, as text tells them", async () => {
  const sent = await broadcasts(`
    const bar = progressBar("Crawling", 2);
    const url = "data:image/jpeg;base64,AAAA";
    const alt = ${JSON.stringify(HOSTILE)};
    await wait(300);
    bar.update(1, "owl", [{ url, alt, width: 96, height: 64 }, { url, alt, width: 48, height: 96 }]);
    bar.finish("whole");`);
  const [first, second, last] = sent.map(([, , data]) => data["text/html"]);
  equal(/<img/.test(first), false);
  const sides = [...second.matchAll(/width="(\d+)" height="(\d+)"/g)];
  deepEqual(sides.map(([, ...pixels]) => pixels), [["96", "64"], ["32", "64"]]);
  match(second, /alt="&quot;&gt;/);
  deepEqual(foreignMarkup(second), []);
  // What a notebook keeps is small, and the same each time.
  equal(last, "<div>Crawling: 1 of 2 · whole</div>");
});

Deno.test("progressBar() counts the pace from the first update on", async () => {
  const sent = await broadcasts(`
    const bar = progressBar("Embedding", 1000);
    bar.update(500);
    await wait(1050);
    bar.update(520);
    await wait(300);
    bar.update(530);
    bar.finish();`);
  const texts = sent.map(([, , data]) => data["text/plain"]);
  match(texts[1], /^Embedding: 520 of 1,000 · 1\d a second · \d\d s left$/);
  match(texts[2], /^Embedding: 530 of 1,000 · 2\d a second · \d\d s left$/);
  equal(texts[3], "Embedding: 530 of 1,000");
});

Deno.test("progressBar() offers a Stop button in a notebook, and takes it away", async () => {
  const sent = await broadcasts(`
    const bar = progressBar("Embedding", 9);
    bar.signal;
    const { signal } = bar;
    bar.finish();
    console.log(JSON.stringify(["aborted", String(signal.aborted), {}]));`);
  const texts = sent.map(([kind, , data]) => [kind, data["text/html"]]);
  match(texts[1][1], /<button[^>]*>Stop: Embedding<\/button>/);
  deepEqual(texts[2], ["update_display_data", ""]);
  equal(sent[2][1], sent[1][1]);
  equal(texts.length, 5);
  equal(sent[4][1], "false");
});

Deno.test("progressBar() aborts its signal at the Stop button, and says so", async () => {
  const sent = await broadcasts(`
    const { broadcast } = Deno.jupyter;
    let address;
    Deno.jupyter.broadcast = (kind, content) => {
      address ??= content.data["text/html"].match(/action="([^"]+)"/)?.[1];
      broadcast(kind, content);
    };
    const bar = progressBar("Embedding", 9);
    const { signal } = bar;
    const headers = { origin: "http://localhost:8888" };
    await (await fetch(address, { method: "POST", headers })).text();
    console.log(JSON.stringify(["reason", signal.reason.name, signal.reason.message]));
    bar.update(3);
    bar.finish("3 here");`);
  const [, , gone, stopping, reason] = sent;
  equal(gone[2]["text/html"], "");
  equal(stopping[2]["text/plain"], "Embedding: 0 of 9 · stopping …");
  deepEqual(reason, ["reason", "AbortError", "Embedding: stopped"]);
  equal(sent.at(-1)![2]["text/plain"], "Embedding: 3 of 9 · stopped · 3 here");
});

Deno.test("progressBar() draws over one line of a terminal, cut to its width", async () => {
  const { stdout, stderr } = await outcome(runScript(`
    const { default: process } = await import("node:process");
    Object.assign(process.stderr, { isTTY: true, columns: 20 });
    const { progressBar } = await import("#lib/display/progress.ts");
    const bar = progressBar("Embedding pictures", 3);
    bar.update(3);
    bar.finish("done");`));
  equal(stdout, "");
  const line = "\r\u001b[2KEmbedding pictures:";
  equal(stderr, `${line}${line}\n`);
});

Deno.test("progressStages() ends each stage's bar before the next begins", async () => {
  const { stderr } = await outcome(runScript(`
    const { progressStages } = await import("#lib/display/progress.ts");
    const onProgress = progressStages();
    for (let done = 1; done <= 3; done++) onProgress("Reading", done, 3);
    onProgress("Searching", 1, 5);
    onProgress("Writing", 0, 2);
    onProgress("Writing", 2, 2);
    onProgress("Writing", 2, 2);`));
  deepEqual(stderr.trim().split("\n"), [
    "Reading: 3 of 3",
    "Searching: 1 of 5",
    "Writing: 2 of 2",
  ]);
});

/** A request with any header, as no browser would send it. */
async function send(
  { port, pathname }: URL,
  method: string,
  headers: Record<string, string>,
  host = "127.0.0.1",
): Promise<number> {
  const sent = request({
    host,
    port,
    path: pathname,
    method,
    headers,
  });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

Deno.test("stopButton() stops at a POST from a page of this machine, once, and at nothing else", async () => {
  let stops = 0;
  const button = stopButton("Stop: <b>", () => stops++);
  try {
    const url = new URL(button.html.match(/action="([^"]+)"/)![1]);
    const wrong = new URL("/guess", url);
    const origin = "http://localhost:8888";
    equal(url.hostname, "127.0.0.1");
    match(url.pathname, /^\/[0-9a-f-]{36}$/);
    const other = stopButton("Another", () => {});
    equal(other.html.includes(url.pathname), false);
    await other.close();
    // Of this machine's addresses that one alone is served.
    if (Deno.build.os === "linux") {
      await rejects(send(url, "POST", { origin }, "127.0.0.2"), /ECONNREFUSED/);
    }
    match(button.html, /Stop: &lt;b&gt;/);

    equal(await send(wrong, "POST", { origin }), 404);
    equal(await send(url, "GET", { origin }), 405);
    equal(await send(url, "POST", {}), 403);
    equal(await send(url, "POST", { origin: "null" }), 403);
    equal(await send(url, "POST", { origin: "https://example.com" }), 403);
    equal(
      await send(url, "POST", { origin: "http://localhost.example.com" }),
      403,
    );
    equal(await send(url, "POST", { origin, host: "example.com" }), 421);
    equal(stops, 0);

    equal(await send(url, "POST", { origin }), 200);
    equal(await send(url, "POST", { origin: "vscode-webview://1a2b" }), 200);
    equal(stops, 1);
    await button.close();
    await rejects(send(url, "POST", { origin }), /ECONNREFUSED/);
  } finally {
    await button.close();
  }
});
