/**
 * `task ok`: the quick checks before a commit.
 *
 * @module
 */
import { runChecks, sourceChecks } from "./checks.ts";
import { runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

/** What takes longer, in tests/. */
const SLOW = [
  "chroma",
  "crawl",
  "evaluate",
  "notebooks",
  "search_page",
  "tasks",
]
  .map((folder) => `tests/${folder}`).join();

const help = `Usage: deno task ok

Checks format, lint, types and examples, and runs the tests that need neither
browser, database, model nor kernel. Takes less than a minute.`;

await runCommand({ help }, async ({ signal }) => {
  await ensureSetup(signal);
  const quick = {
    name: "quick tests",
    args: ["test", "-A", "--no-check", `--ignore=${SLOW}`, "tests"],
  };
  return await runChecks([...sourceChecks, quick], signal);
});
