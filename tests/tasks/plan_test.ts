import { deepStrictEqual, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import { readPlan } from "../../tasks/plan.ts";

const remarks: string[] = [];
const progress = {
  remarks: (lines: readonly string[]) => remarks.push(...lines),
};

async function planOf(text: string): Promise<Record<string, string[]>> {
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
    await rejects(planOf(text), /expected \{"category": \["term", …\], …\}/);
  }
  await rejects(planOf('{"a":["unicorn"]}'), /no pictures of "unicorn"/);
  await rejects(
    readPlan("no/plan.json", progress),
    /cannot be read \(ENOENT\)/,
  );
});
