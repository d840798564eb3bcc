/**
 * `task test`: everything, with the real browser, database, encoder and kernel.
 *
 * @module
 */
import { type Check, runChecks, sourceChecks } from "./checks.ts";
import { readArguments, runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

const HELP = `Usage: deno task test [--only TEXT]

Installs what is missing, then checks format, lint, types and examples, runs all
tests, and all notebooks as task demo does. Its last line is
"N passed, N failed"; tests that this machine cannot run are named as ignored.

  --only TEXT  only tests whose file's name contains TEXT: "crawl"`;

const everything: Check[] = [
  ...sourceChecks,
  { name: "tests", args: ["test", "-A", "--no-check", "tests"] },
  { name: "notebooks", args: ["run", "-A", "tasks/demo.ts"] },
];

if (import.meta.main) {
  await runCommand(async (signal) => {
    const { values: { only } } = readArguments({
      name: "test",
      help: HELP,
      options: { only: { type: "string" } },
    });
    await ensureSetup(signal);
    if (only === undefined) return runChecks(everything, signal);
    const files = `tests/*${only}*_test.ts`;
    return runChecks([{ name: files, args: ["test", "-A", files] }], signal);
  });
}
