import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { notebookKernel } from "../../tasks/kernel.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import { isDone } from "../../tasks/step.ts";

const ignore = !isDone(notebookKernel) || !offlineEncoderReady();
if (ignore) console.warn("evaluate_command_test: run deno task setup first");

/** Runs `task evaluate` with its data in a folder of its own. */
async function evaluate(data: string, ...args: string[]) {
  const stdout: string[] = [], stderr: string[] = [];
  const { code } = await runChild(
    Deno.execPath(),
    ["run", "-A", join(paths.root, "tasks", "evaluate.ts"), ...args],
    {
      env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
      onLine: (line, stream) =>
        (stream === "stdout" ? stdout : stderr).push(line),
    },
  );
  return { code, stdout, stderr: stderr.join("\n") };
}

Deno.test({
  name:
    "task evaluate --json ends with the line that scripts read, --hits with a file",
  ignore,
  async fn() {
    const data = await Deno.makeTempDir();
    const hitsFile = join(data, "hits.json");
    const { code, stdout, stderr } = await evaluate(
      data,
      ...[join(paths.sample, "plants"), "--encoder", "offline"],
      ...["--size", "16", "--json", "--hits", hitsFile],
    );
    equal(code, 0, stderr);
    equal(stdout.length, 1, "nothing but the line on standard output");
    const { gallery, queries, encoder, size, rows } = JSON.parse(stdout[0]);
    deepEqual([encoder, size], ["offline", 16]);
    ok(gallery === queries && gallery > 20);
    deepEqual(rows.map(({ method }: { method: string }) => method), [
      ...["pixel-l1", "pixel-l2", "pixel-cosine", "pixel-correlation"],
      ...["encoder-image", "encoder-text"],
    ]);
    for (const row of rows) {
      for (const key of ["top1", "p5", "map"]) {
        ok(row[key] >= 0 && row[key] <= 1);
      }
      ok(row.msPerQuery > 0);
      inIntervals(row);
      ok(row.map !== row.p5);
      ok(row.intervals.map[0] < row.intervals.map[1]);
    }
    const hits = JSON.parse(await readFile(hitsFile, "utf8"));
    const classOf = (path: string) => path.split("/").at(-2);
    for (const { method, top1, p5 } of rows.slice(0, -1)) {
      const found = Object.entries<[string, number][]>(hits[method])
        .map(([query, five]) =>
          five.map(([path]) => classOf(path) === classOf(query))
        );
      near(top1, mean(found.map(([first]) => Number(first))), method);
      near(p5, mean(found.flat().map(Number)), method);
    }
    const [query] = Object.keys(hits["pixel-l1"]);
    equal(hits["pixel-l1"][query].length, 5);
    equal(typeof hits["encoder-image"][query][0][1], "number");
    await Deno.remove(data, { recursive: true });
  },
});

Deno.test({
  name: "task evaluate --captions measures both ways",
  ignore,
  async fn() {
    const data = await Deno.makeTempDir();
    const hitsFile = join(data, "hits.json");
    const { code, stdout, stderr } = await evaluate(
      data,
      ...[paths.sample, "--captions", join(paths.sample, "captions.json")],
      ...["--encoder", "offline", "--json", "--hits", hitsFile],
    );
    equal(code, 0, stderr);
    const { pictures, captions, textToImage, imageToText } = JSON.parse(
      stdout[0],
    );
    ok(captions === 2 * pictures && pictures > 100);
    const own: Record<string, { captions: string[] }> = JSON.parse(
      await readFile(join(paths.sample, "captions.json"), "utf8"),
    );
    const hits = JSON.parse(await readFile(hitsFile, "utf8"));
    const directions = [
      [
        textToImage,
        "text-to-image",
        (a: string, b: string) => own[b].captions.includes(a),
      ],
      [
        imageToText,
        "image-to-text",
        (a: string, b: string) => own[a].captions.includes(b),
      ],
    ] as const;
    for (const [scores, name, belongs] of directions) {
      const { r1, r5, r10, map, ndcg, medianRank } = scores;
      ok(0 < r1 && r1 < r5 && r5 < r10 && r10 < 1);
      inIntervals(scores);
      // From the first five of each query, what the rest can add little to.
      const ranks = Object.entries<[string, number][]>(hits[name])
        .map(([query, five]) =>
          five.flatMap(([hit], i) => belongs(query, hit) ? [i + 1] : [])
        );
      const relevant = 2 * pictures / ranks.length;
      equal(relevant, name === "text-to-image" ? 1 : 2);
      near(r1, mean(ranks.map(([first]) => Number(first === 1))), name);
      near(r5, mean(ranks.map(({ length }) => Number(length > 0))), name);
      const known = mean(
        ranks.map((own) => sum(own.map((rank, i) => (i + 1) / rank))),
      ) / relevant;
      const missing = mean(ranks.map(({ length }) => relevant - length));
      ok(map >= known - 1e-4 && map <= known + missing / 6 + 1e-4, name);
      ok(ndcg > map && medianRank >= 1, name);
    }
    match(stderr, /text to image/);
    await Deno.remove(data, { recursive: true });
  },
});

/** Each score lies within its interval. */
function inIntervals({ intervals, ...scores }: Record<string, number> & {
  intervals: Record<string, [low: number, high: number]>;
}) {
  for (const [name, [low, high]] of Object.entries(intervals)) {
    ok(low <= scores[name] && scores[name] <= high, name);
  }
}

function near(value: number, expected: number, what: string) {
  ok(Math.abs(value - expected) < 1e-4, `${what}: ${value}, not ${expected}`);
}

const sum = (values: number[]) => values.reduce((sum, value) => sum + value, 0);

const mean = (values: number[]) => sum(values) / values.length;

Deno.test("task evaluate answers bad arguments with one line", async () => {
  const data = await Deno.makeTempDir();
  const line = async (...args: string[]) => {
    const { code, stderr } = await evaluate(data, ...args);
    equal(code, 2);
    return stderr;
  };
  equal(await line(), "evaluate: expected one DIR, got 0; see --help");
  match(
    await line("nowhere"),
    /^evaluate: expected a folder, nowhere is not there$/,
  );
  match(
    await line(paths.sample, "--size", "0"),
    /^--size: expected a whole number from 1 to 2048, got 0$/,
  );
  match(
    await line(paths.sample, "--captions", paths.sample),
    /^--captions: expected a file, .* is a folder$/,
  );
  await Deno.remove(data, { recursive: true });
});
