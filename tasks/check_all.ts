/**
 * `task test`: everything, with the real browser, database, encoder and kernel;
 * and `task ok`, its quick part. (Deno would take a file called test.ts for a
 * test, and this for one of its own.)
 *
 * @module
 */
import { runChecks, sourceChecks } from "./checks.ts";
import { runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task test [--only TEXT] | deno task ok

Installs what is missing, then checks format, lint, types and examples, runs all
tests, and all notebooks as task demo does. Its last line is
"N passed, N failed"; tests that this machine cannot run are named as ignored.

  --only TEXT  only tests whose file's name contains TEXT: "crawl"
  --quick      as task ok: without the notebooks and the tests that need a
               browser, database, model or kernel; in less than a minute`;

/** Folders of tests that take longer, and single files. */
const SLOW = [
  "chroma",
  "crawl",
  "evaluate",
  "notebooks",
  "search_page",
  "tasks",
]
  .map((folder) => `tests/${folder}`).join();

await runCommand({
  help,
  options: { only: { type: "string" }, quick: { type: "boolean" } },
}, async ({ values: { only, quick }, signal }) => {
  await ensureSetup(signal);
  const tests = (name: string, ...args: string[]) => (
    { name, args: ["test", "-A", "--no-check", ...args] }
  );
  if (only !== undefined) {
    const files = `tests/**/*${only}*_test.ts`;
    return await runChecks([tests(files, files)], signal);
  }
  const rest = quick ? [tests("quick tests", `--ignore=${SLOW}`, "tests")] : [
    tests("tests", "tests"),
    { name: "notebooks", args: ["run", "-A", "tasks/demo.ts"] },
  ];
  return await runChecks([...sourceChecks, ...rest], signal);
});
