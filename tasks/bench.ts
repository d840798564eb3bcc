/**
 * `task bench`: runs bench/NAME.ts, or all of them.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Bench } from "../bench/harness.ts";
import { table } from "../lib/display/table.ts";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import {
  CommandError,
  defineCommand,
  importLater,
  runCommand,
} from "./command.ts";
import { progressOn } from "./progress.ts";
import { findPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const names = readdirSync(join(paths.root, "bench"))
  .filter((file) => file.endsWith(".ts") && file !== "harness.ts")
  .map((file) => file.slice(0, -".ts".length))
  .sort();

const help = `Usage: deno task bench [NAME] [--json] | deno task bench --peers

Runs the benchmark of that name, all of them without NAME:
${names.join(", ").replace(/(.{50,74},) /g, "$1\n")}.
Beside each figure stands that of a named peer, measured in the same run; a
ratio above 1 is better than the peer. What is not installed is left out.

  --peers  installs the Python peers into .venv-bench, from
           requirements-bench.txt
  --json   progress on standard error, and a line of JSON for each benchmark`;

export const command = defineCommand({
  help,
  positionals: "NAME",
  options: { peers: { type: "boolean" }, json: { type: "boolean" } },
}, async ({ values: { peers, json }, positionals, signal }) => {
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new CommandError(
      `bench: expected ${names.join(", ")}, got ${unknown}`,
    );
  }
  await ensureSetup(signal);
  const { benchPython, runPeer } = await importLater<
    typeof import("../bench/harness.ts")
  >("../bench/harness.ts");
  if (peers) return await installPeers(benchPython, signal);

  const print = json ? console.error : console.log;
  const context = { signal, log: (line: string) => console.error(line) };
  const peer = (script: string, ...args: string[]) =>
    runPeer(script, args, context);
  print(`${machine()}\n`);
  for (const name of positionals.length ? positionals : names) {
    const { bench } = await importLater<{ bench: Bench }>(
      `../bench/${name}.ts`,
    );
    const rows = await bench({ ...context, peer });
    const cells = rows.map(({ peerValue, ...row }) => ({
      what: row.what,
      unit: row.unit,
      // As text, so that each keeps its digits.
      ours: `${row.ours}`,
      peer: row.peer,
      "peer's": peerValue && `${peerValue}`,
      ratio: row.ratio && `${row.ratio}`,
    }));
    print(`${table(cells, { caption: name })}\n`);
    if (json) console.log(JSON.stringify({ name, machine: machine(), rows }));
  }
});

function machine(): string {
  const [{ model }, ...more] = cpus();
  return `${model.trim()}, ${more.length + 1} cores, ${process.platform}, ` +
    `Deno ${Deno.version.deno}`;
}

/** Makes .venv-bench, or brings it up to date. */
async function installPeers(python: string, signal: AbortSignal) {
  const { line, passing } = progressOn(process.stderr);
  const options = { signal, onLine: passing };
  const venv = ["-m", "venv", join(paths.root, ".venv-bench")];
  await runOrFail("venv", await findPython(), venv, options);
  const requirements = join(paths.root, "requirements-bench.txt");
  const install = ["-m", "pip", "install", "--requirement", requirements];
  await runOrFail("pip install", python, install, options);
  line("The peers are installed in .venv-bench");
}

if (import.meta.main) await runCommand(command);
