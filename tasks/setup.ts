/**
 * Set-up: installs what is missing, all of it below the project's folder.
 *
 * Each step can tell whether it is done, and a step that was stopped half-way
 * is not done, so running any command again repairs it. Where nothing is
 * missing this costs a few milliseconds.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { runChild } from "./child.ts";
import { CommandError, readArguments, runCommand } from "./command.ts";
import { kernelReady, setUpKernel } from "./kernel.ts";
import {
  offlineEncoderReady,
  offlineLargeReady,
  setUpOfflineEncoder,
  setUpOfflineLarge,
} from "./offline_encoder.ts";
import { takeLock } from "./lock.ts";
import { progressOn } from "./progress.ts";
import { pythonReady, setUpPython } from "./python.ts";

/** One part of set-up. */
interface Step {
  name: string;
  /** Whether nothing is left to do; cheap. */
  done: () => boolean;
  /** Does it; `onStage` is told what is being done. */
  run: (
    onStage: (stage: string) => void,
    signal?: AbortSignal,
  ) => Promise<void>;
}

const steps: Step[] = [
  { name: "npm packages", done: packagesReady, run: setUpPackages },
  { name: "Python packages", done: pythonReady, run: setUpPython },
  { name: "notebook kernel", done: kernelReady, run: setUpKernel },
  {
    name: "offline encoder",
    done: offlineEncoderReady,
    run: setUpOfflineEncoder,
  },
];

/** What `--large` asks for besides. */
const largeStep: Step = {
  name: "encoder offline-large",
  done: offlineLargeReady,
  run: setUpOfflineLarge,
};

/**
 * Installs what is missing and says so on standard error; silent otherwise.
 *
 * @throws {CommandError} If something cannot be installed: says why. What was
 * done by then stays done.
 */
export async function ensureSetup(
  signal?: AbortSignal,
  { large = false }: { large?: boolean } = {},
): Promise<void> {
  const wanted = large ? [...steps, largeStep] : steps;
  if (wanted.every(({ done }) => done())) return;
  using _lock = await takeLock("Set-up");
  for (const step of wanted) {
    // Asked here and now: making .venv anew takes the kernel with it.
    if (!step.done()) await runStep(step, signal);
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

const packagesFolder = join(paths.root, "node_modules");
const packagesStamp = join(packagesFolder, "contact-sheet.txt");

function packagesReady(): boolean {
  return packageNames().every((name) =>
    existsSync(join(packagesFolder, name, "package.json"))
  ) &&
    existsSync(packagesStamp) &&
    readFileSync(packagesStamp, "utf8") === packagesHash();
}

async function setUpPackages(
  _: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { code, output } = await runChild(
    Deno.execPath(),
    ["install", "--quiet"],
    { signal, env: { NO_COLOR: "1", RUST_BACKTRACE: "0" } },
  );
  if (code !== 0) {
    // What failed, and at the end the deepest cause.
    const [first, ...causes] = output.trim().split("\n");
    throw new CommandError(
      ["deno install", first, ...causes.slice(-1)].join(": "),
    );
  }
  await writeAtomic(packagesStamp, packagesHash());
}

/** The npm packages that deno.json names, as folders of node_modules. */
function packageNames(): string[] {
  return Object.values(readImports())
    .flatMap((target) => target.match(/^npm:(.+)@[^@]+$/)?.[1] ?? []);
}

function packagesHash(): string {
  return createHash("sha256")
    .update(JSON.stringify(readImports()))
    .update(readFileSync(join(paths.root, "deno.lock")))
    .digest("hex");
}

function readImports(): Record<string, string> {
  return JSON.parse(readFileSync(join(paths.root, "deno.json"), "utf8"))
    .imports;
}

if (import.meta.main) {
  await runCommand(async (signal) => {
    const { values } = readArguments({
      name: "setup",
      help: `Usage: deno task setup [--large]

Installs what is missing below this folder: npm packages (node_modules),
JupyterLab and the database server (.venv), the notebook kernel, the offline
encoder. Every other command does this by itself. Running it again repairs a
set-up that was stopped; to begin anew, delete node_modules and .venv.

  --large  also the encoder offline-large: a download of 23 MB, for better
           results at half the speed`,
      options: { large: { type: "boolean", default: false } },
    });
    await ensureSetup(signal, { large: values.large });
    console.log("Set-up is complete.");
  });
}
