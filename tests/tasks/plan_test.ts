import { deepStrictEqual, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import type { SearchPlan } from "#lib/crawl/plan.ts";
import { readPlan } from "../../tasks/plan.ts";

const remarks: string[] = [];
const progress = {
  remarks: (lines: readonly string[]) => remarks.push(...lines),
};

async function planOf(text: string): Promise<SearchPlan> {
  const path = join(await Deno.makeTempDir(), "plan.json");
  await Deno.writeTextFile(path, text);
  return await readPlan(path, progress);
}

Deno.test("readPlan() takes terms by category, and says which the practice site does not know", async () => {
  const plan = { food: ["fruit", "cheese"], space: ["planet"] };
  deepStrictEqual(await planOf(JSON.stringify(plan)), plan);
  match(remarks.join(), /no pictures of "cheese"; it knows .*planet/);
});

Deno.test("readPlan() refuses what is no plan, and says what one looks like", async () => {
  await rejects(planOf("[1"), /plan\.json is no JSON/);
  for (
    const text of [
      "[]",
      "3",
      "null",
      "{}",
      '{"a":[]}',
      '{"a":"b"}',
      '{"a":[1]}',
      '{"a":[" "]}',
    ]
  ) {
    await rejects(planOf(text), {
      name: "CommandError",
      message: /plan\.json: expected .*term.*, got /,
    });
  }
  await rejects(planOf('{"a":["unicorn"]}'), /no pictures of "unicorn"/);
  await rejects(
    readPlan("no/plan.json", progress),
    /^CommandError: --plan: expected a file, no\/plan\.json is not there$/,
  );
});
