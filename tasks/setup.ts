/**
 * Set-up: installs what is missing, all of it below the project's folder.
 *
 * A step that was stopped half-way is not done, so running any command again
 * repairs it. Where nothing is missing this costs a few milliseconds.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { CommandError, defineCommand, runCommand } from "./command.ts";
import { notebookKernel } from "./kernel.ts";
import { offlineEncoder, offlineLarge } from "./offline_encoder.ts";
import { takeLock } from "./lock.ts";
import { progressOn } from "./progress.ts";
import { pythonPackages, virtualEnvironment } from "./python.ts";
import { isDone, type Step, writeStamp } from "./step.ts";

const { imports }: { imports: Record<string, string> } = JSON.parse(
  readFileSync(join(paths.root, "deno.json"), "utf8"),
);

/** The npm packages of deno.json and package.json, in node_modules. */
export const npmPackages: Step = {
  name: "npm packages",
  stamp: join(paths.root, "node_modules", "contact-sheet.json"),
  files: ["deno.lock"],
  inputs: () => ({ imports }),
  outputs: Object.values(imports)
    .flatMap((target) => target.match(/^npm:(.+)@[^@]+$/)?.[1] ?? [])
    .map((name) => `${name}/package.json`),
  run: (_, signal) =>
    runOrFail("deno install", Deno.execPath(), ["install", "--quiet"], {
      signal,
      env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    }),
};

const all = [
  npmPackages,
  virtualEnvironment,
  pythonPackages,
  notebookKernel,
  offlineEncoder,
];

/**
 * Installs what is missing and says so on standard error; silent otherwise.
 *
 * @param steps In the order in which one needs the other.
 * @throws {CommandError} If something cannot be installed: says why. What was
 * done by then stays done.
 */
export async function ensureSetup(
  signal?: AbortSignal,
  steps: Step[] = all,
): Promise<void> {
  if (steps.every(isDone)) return;
  using _lock = await takeLock("Set-up");
  for (const step of steps) {
    // Asked here and now: making .venv anew takes what is in it with it.
    if (!isDone(step)) await runStep(step, signal);
  }
}

async function runStep(step: Step, signal?: AbortSignal): Promise<void> {
  const progress = progressOn(process.stderr);
  const start = Date.now();
  let stage = "";
  const seconds = () => `(${Math.round((Date.now() - start) / 1000)} s)`;
  progress.line(`Set-up: ${step.name} …`);
  const timer = setInterval(() => {
    progress.passing(`Set-up: ${step.name}${stage} … ${seconds()}`);
  }, 500);
  try {
    await step.run((text) => stage = `, ${text}`, signal);
    await writeStamp(step);
  } catch (error) {
    if (signal?.aborted || !(error instanceof Error)) throw error;
    throw new CommandError(
      `Set-up stopped at ${step.name}: ${error.message}\nNothing is lost: run the command again to go on.`,
    );
  } finally {
    clearInterval(timer);
  }
  progress.line(`Set-up: ${step.name}, done ${seconds()}`);
}

export const command = defineCommand({
  help: `Usage: deno task setup [--large]

Installs what is missing below the project's folder: npm packages in
node_modules, JupyterLab and the database server in .venv, the notebook kernel,
the offline encoder. Every other command does this by itself. Running it again
repairs a set-up that was stopped; to begin anew, delete node_modules and .venv.

  --large  also the encoder offline-large: a download of 23 MB, for better
           results at less than half the speed`,
  options: { large: { type: "boolean" } },
}, async ({ values, signal }) => {
  await ensureSetup(signal, values.large ? [...all, offlineLarge] : all);
  console.log("Set-up is complete.");
});

if (import.meta.main) await runCommand(command);
