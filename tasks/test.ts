/**
 * `task test`: everything, with the real browser, database, encoder and kernel.
 *
 * @module
 */
import { runChecks, sourceChecks } from "./checks.ts";
import { runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task test [--only TEXT]

Installs what is missing, then checks format, lint, types and examples, runs all
tests, and all notebooks as task demo does. Its last line is
"N passed, N failed"; tests that this machine cannot run are named as ignored.

  --only TEXT  only tests whose file's name contains TEXT: "crawl"`;

await runCommand({
  help,
  options: { only: { type: "string" } },
}, async ({ values: { only }, signal }) => {
  await ensureSetup(signal);
  const tests = ["test", "-A", "--no-check"];
  if (only !== undefined) {
    const files = `tests/**/*${only}*_test.ts`;
    return await runChecks([{ name: files, args: [...tests, files] }], signal);
  }
  return await runChecks([
    ...sourceChecks,
    { name: "tests", args: [...tests, "tests"] },
    { name: "notebooks", args: ["run", "-A", "tasks/demo.ts"] },
  ], signal);
});
