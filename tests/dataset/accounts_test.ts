import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { type Account, reasonCounts } from "#lib/dataset/accounts.ts";
import { reasonsChart } from "#lib/display/charts.ts";

function account(url: string, given: Partial<Account> = {}): Account {
  return {
    ...{ category: "birds", term: "owl", page: "", caption: "", author: "" },
    ...{ url, license: "", outcome: "not downloaded", stage: "status" },
    ...{ reason: "404 Not Found", ...given },
  };
}

Deno.test("reasonCounts() counts by site, stage and reason, the most frequent first", () => {
  const small = { outcome: "too small", stage: "clean" } as const;
  deepStrictEqual(
    reasonCounts([
      account("https://a.example/1"),
      account("https://a.example/2", { ...small, reason: "40 × 40 pixels" }),
      account("https://a.example/3", { ...small, reason: "20 × 90 pixels" }),
      account("https://a.example/4", {
        outcome: "train",
        reason: "",
        stage: "",
      }),
      account("", { outcome: "corrupt", stage: "clean" }),
      account("not an address", { stage: "look-up", reason: "no host" }),
    ]),
    [
      { site: "a.example", stage: "clean", reason: "too small", count: 2 },
      { site: "a.example", stage: "status", reason: "404 Not Found", count: 1 },
      { site: "files", stage: "clean", reason: "corrupt", count: 1 },
      { site: "no address", stage: "look-up", reason: "no host", count: 1 },
    ],
  );
});

Deno.test("reasonsChart() has a bar for each of the most frequent sites, and one for all others", async () => {
  const accounts = Array.from(
    { length: 40 },
    (_, i) =>
      account(`https://host-${Math.min(i, 30)}.${"x".repeat(60)}.example/`),
  );
  const chart = await reasonsChart(accounts, { caption: "Figure 1. Reasons." });
  match(`${chart}`, /40 addresses were left out, most at the stage "status"/);
  match(`${chart}`, /404 Not Found/);
  const bundle = chart[Symbol.for("Jupyter.display") as never] as unknown;
  const { "application/vnd.plotly.v1+json": figure } =
    (bundle as () => Record<string, { data: { y: string[] }[] }>).call(chart);
  strictEqual(figure.data[0].y.length, 12);
  strictEqual(figure.data[0].y.at(-1), "others");
  match(figure.data[0].y[0], /^….{31}$/);
});

Deno.test("reasonsChart() says so where nothing was left out", async () => {
  match(`${await reasonsChart([])}`, /No address was left out/);
});
