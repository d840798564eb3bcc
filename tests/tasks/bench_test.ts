import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { inTurns, medianMs, row, runPeer } from "../../bench/harness.ts";
import { runChild } from "../../tasks/child.ts";

Deno.test("row() gives a ratio above 1 to what is faster", () => {
  equal(row("query", "ms", 20, "NumPy", 1500).ratio, 75);
  equal(row("embedding", "pictures/s", 40, "PyTorch", 20).ratio, 2);
  deepEqual(row("query", "ms", 20.123, "NumPy", undefined), {
    what: "query",
    unit: "ms",
    ours: 20.1,
  });
});

Deno.test("medianMs() does not count the first run", async () => {
  let runs = 0;
  const wait = () => new Promise((done) => setTimeout(done, runs++ ? 1 : 500));
  const median = await medianMs(wait, 3);
  equal(runs, 4);
  equal(median < 400, true);
});

Deno.test("inTurns() measures runs in turns, and does not count the first", async () => {
  const order: string[] = [];
  const run = (name: string) => () => {
    const first = !order.includes(name);
    order.push(name);
    return new Promise((done) => setTimeout(done, first ? 300 : 1));
  };
  const { a, b } = await inTurns({ a: run("a"), b: run("b") }, 3);
  equal(order.join(""), "abababab");
  for (const { wallMs, cpuMs } of [a, b]) {
    equal(wallMs >= 1 && wallMs < 250, true, `${wallMs} ms`);
    equal(cpuMs >= 0 && cpuMs < 250, true, `${cpuMs} ms`);
  }
});

Deno.test("runPeer() says what is not installed, and fails where a script does", async () => {
  const lines: string[] = [];
  const context = {
    signal: new AbortController().signal,
    log: (line: string) => lines.push(line),
  };
  // Wrong arguments: an error where NumPy is, a remark where it is not.
  const error = await runPeer("pixels.py", ["x"], context).catch((e) => e);
  match(
    error?.message ?? lines[0],
    /^pixels\.py(: ValueError| is left out: deno task bench --peers installs)/,
  );
});

Deno.test("task bench lists what it can measure", async () => {
  const task = join(paths.root, "tasks", "bench.ts");
  const { code, output } = await runChild(
    Deno.execPath(),
    ["run", "-A", task, "nothing"],
  );
  equal(code, 2);
  match(output, /^bench: expected .*pixels, retrieval.*, got nothing$/);
});
