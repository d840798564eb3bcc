/**
 * `task test`: everything, with the real browser, database, encoder and kernel;
 * and `task ok`, its quick part. A run of tests counts each test, everything
 * else counts as one. (Deno would take a file called test.ts for a test.)
 *
 * ```ts
 * import { countTests } from "./check_all.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(
 *   countTests("FAILED | 8 passed (2 steps) | 1 failed | 3 ignored (2s)"),
 *   { passed: 8, failed: 1, ignored: 3 },
 * );
 * ```
 *
 * @module
 */
import process from "node:process";
import { runChild } from "./child.ts";
import { defineCommand, runCommand } from "./command.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task test [--only TEXT] | deno task ok

Installs what is missing, then checks format, lint, types and examples, runs all
tests, and all notebooks as task demo does. Its last line is
"N passed, N failed"; tests that this machine cannot run are named as ignored.

  --only TEXT  only tests whose file's name contains TEXT: "crawl"
  --quick      as task ok: without the notebooks and the tests that need a
               browser, database, model or kernel; in less than a minute`;

/** Tests that take longer, in tests/. */
const SLOW = "chroma crawl dataset/download_test.ts " +
  "display/chart_layout_test.ts display/chart_test.ts " +
  "encoders evaluate notebooks search_page tasks";

/** One command whose status says whether all is well. */
export interface Check {
  /** What it is about, as printed: "types". */
  name: string;
  /** Arguments of `deno`. */
  args: string[];
}

/** How many things were found to be well or not. */
export interface Counts {
  passed: number;
  failed: number;
  ignored: number;
}

/**
 * The checks of the source text; notebooks' cells are checked by the tests. The
 * types of lib/, tasks/, tests/ and bench/ are checked here, and nowhere else.
 */
const sourceChecks: Check[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  {
    name: "types",
    args: ["check", "--quiet", "lib", "tasks", "tests", "bench"],
  },
  {
    name: "examples",
    args: ["test", "-A", "--doc", "--parallel", "lib", "tasks"],
  },
];

/**
 * Runs lists of checks side by side, each list's checks one after another; a
 * failed one does not stop the rest. Much of what is tested waits, for a site's
 * pace or a server's start, so two lists take little longer than one.
 *
 * @returns The exit status, after the last line "12 passed, 0 failed".
 */
export async function runChecks(
  lists: Check[][],
  signal: AbortSignal,
): Promise<number> {
  const { line, passing } = progressOn(process.stdout);
  const sum: Counts = { passed: 0, failed: 0, ignored: 0 };
  const run = async ({ name, args }: Check) => {
    const start = performance.now();
    passing(`${name} …`);
    const { code, output } = await runChild(Deno.execPath(), args, {
      signal,
      // Tests stand where they are told to, not where this was called.
      env: { NO_COLOR: "1", RUST_BACKTRACE: "0", INIT_CWD: "" },
      onLine: (text) => passing(`${name}: ${text}`),
    });
    const counts = countTests(output);
    const { passed, failed, ignored } = counts;
    // A file that cannot be loaded counts too, though no test of it ran.
    if (code !== 0 && failed === 0) counts.failed = 1;
    if (code === 0 && passed === 0) counts.passed = 1;
    for (const key in sum) {
      sum[key as keyof Counts] += counts[key as keyof Counts];
    }
    // Tests repeat what failed at the end; before that stands what did not.
    if (code !== 0) {
      line(output.slice(Math.max(0, output.indexOf("\n ERRORS "))));
    }
    for (const [, test] of output.matchAll(/^(.*) \.\.\. ignored/gm)) {
      line(`  ignored: ${test}`);
    }
    const parts = [`${counts.passed} passed`];
    if (counts.failed > 0) parts.push(`${counts.failed} failed`);
    if (ignored > 0) parts.push(`${ignored} ignored`);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const mark = code === 0 ? "ok    " : "FAILED";
    line(`${mark} ${name}: ${parts.join(", ")} (${seconds} s)`);
  };
  await Promise.all(lists.map(async (checks) => {
    for (const check of checks) await run(check);
  }));
  if (sum.ignored > 0) line(`${sum.ignored} ignored, as said above`);
  line(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed === 0 ? 0 : 1;
}

/** Reads the last line of `deno test`; all zeros if there is none. */
export function countTests(output: string): Counts {
  const last = output.match(/^(?:ok|FAILED) \| (.*)$/m)?.[1] ?? "";
  const count = (word: string) =>
    Number(last.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return {
    passed: count("passed"),
    failed: count("failed"),
    ignored: count("ignored"),
  };
}

export const command = defineCommand({
  help,
  options: { only: { type: "string" }, quick: { type: "boolean" } },
}, async ({ values: { only, quick }, signal }) => {
  await ensureSetup(signal);
  const tests = (name: string, ...args: string[]) => (
    { name, args: ["test", "-A", "--no-check", ...args] }
  );
  if (only !== undefined) {
    const files = `tests/**/*${only}*_test.ts`;
    return await runChecks([[tests(files, files)]], signal);
  }
  const without = (...names: string[]) =>
    `--ignore=${names.map((name) => `tests/${name}`).join()}`;
  if (quick) {
    const slow = without(...SLOW.split(" "));
    const rest = tests("quick tests", "--parallel", slow, "tests");
    return await runChecks([[...sourceChecks, rest]], signal);
  }
  return await runChecks([
    [...sourceChecks, tests("tests", without("notebooks", "tasks"), "tests")],
    [
      tests("tests of tasks", "tests/tasks"),
      tests("tests of notebooks", "tests/notebooks"),
      { name: "notebooks", args: ["run", "-A", "tasks/demo.ts"] },
    ],
  ], signal);
});

if (import.meta.main) await runCommand(command);
