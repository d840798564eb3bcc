/**
 * `task ok`: the quick checks before a commit.
 *
 * @module
 */
import { runChecks, sourceChecks } from "./checks.ts";
import { readArguments, runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

const HELP = `Usage: deno task ok

Checks format, lint, types and examples, and runs the tests that need neither
browser, database, model nor kernel. Takes less than a minute.`;

/** Parts of the names of test files that take longer. */
const SLOW = [
  "browser",
  "child",
  "chroma",
  "comparison",
  "crawl",
  "evaluate_",
  "execute",
  "lab",
  "offline_encoder",
  "search_app",
  "search_command",
  "search_notebook",
  "search_page",
  "setup",
];

if (import.meta.main) {
  await runCommand(async (signal) => {
    readArguments({ name: "ok", help: HELP, options: {} });
    await ensureSetup(signal);
    const ignored = SLOW.map((name) => `tests/*${name}*_test.ts`).join();
    return runChecks([
      ...sourceChecks,
      {
        name: "quick tests",
        args: ["test", "-A", "--no-check", `--ignore=${ignored}`, "tests"],
      },
    ], signal);
  });
}
