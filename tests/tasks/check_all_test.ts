import { deepEqual, equal, match } from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { countTests } from "../../tasks/check_all.ts";

Deno.test("task test --only counts tests, names ignored ones, and repeats what failed", async () => {
  const name = `throwaway_${crypto.randomUUID().slice(0, 8)}`;
  const file = join(paths.root, "tests", "tasks", `${name}_test.ts`);
  const only = async (text: string) => {
    await writeFile(file, text);
    const args = ["run", "-A", "tasks/check_all.ts", "--only", name];
    const { code, output } = await runChild(Deno.execPath(), args, {
      env: { NO_COLOR: "1" },
    });
    return { code, lines: output.split("\n").filter((line) => line !== "") };
  };
  const passing = 'Deno.test("good", () => {}); Deno.test("fine", () => {});';
  const ignored = 'Deno.test({ name: "far", ignore: true, fn() {} });';
  const failing = 'Deno.test("bad", () => { throw new Error("no owl"); });';
  try {
    const good = await only(passing + ignored);
    equal(good.code, 0);
    deepEqual(good.lines.map((line) => line.replace(/\d+\.\d s/, "N s")), [
      "  ignored: far",
      `ok     tests/**/*${name}*_test.ts: 2 passed, 1 ignored (N s)`,
      "1 ignored, as said above",
      "2 passed, 0 failed",
    ]);

    const bad = await only(passing + failing);
    equal(bad.code, 1);
    equal(bad.lines.at(-1), "2 passed, 1 failed");
    match(bad.lines.at(-2)!, /^FAILED .*: 2 passed, 1 failed \(/);
    match(bad.lines.join("\n"), /^ ERRORS [^]*no owl/);

    const broken = await only('import "./gone.ts";');
    equal(broken.code, 1);
    equal(broken.lines.at(-1), "0 passed, 1 failed");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("countTests() reads the last line of a run, and nothing else", () => {
  const last = "ok | 12 passed (3 steps) | 0 failed | 1 ignored (2 steps) (3s)";
  deepEqual(countTests(`a test says 5 passed\n\n${last}\n`), {
    passed: 12,
    failed: 0,
    ignored: 1,
  });
  deepEqual(countTests("Checked 3 files"), {
    passed: 0,
    failed: 0,
    ignored: 0,
  });
});

Deno.test("Deno takes no file of tasks/ for a test, which it would run", async () => {
  const names = await readdir(join(paths.root, "tasks"));
  deepEqual(names.filter((name) => /(^|[._])test\.\w+$/.test(name)), []);
});
