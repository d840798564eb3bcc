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
import { runChild } from "./child.ts";
import { CommandError, readArguments, runCommand } from "./command.ts";
import { findPython } from "./python.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const names = readdirSync(join(paths.root, "bench"))
  .filter((file) => file.endsWith(".ts") && file !== "harness.ts")
  .map((file) => file.slice(0, -".ts".length))
  .sort();

const HELP = `Usage: deno task bench [NAME] [--json] | deno task bench --peers

Measures ${names.join(", ")}; all of them without NAME. Beside each figure
stands that of a named peer, measured in the same run; a ratio above 1 is better
than the peer. What is not installed is left out.

  --peers  installs the Python peers into .venv-bench, from
           requirements-bench.txt
  --json   progress on standard error, and a line of JSON for each benchmark`;

if (import.meta.main) {
  await runCommand(async (signal) => {
    const { values, positionals } = readArguments({
      name: "bench",
      help: HELP,
      positionals: "NAME",
      options: {
        peers: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const unknown = positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new CommandError(
        `bench: expected ${names.join(", ")}, got ${unknown}`,
      );
    }
    await ensureSetup(signal);
    if (values.peers) return await installPeers(signal);

    // Imported now: benchmarks need npm packages, which set-up installs.
    const { runPeer } = await import("../bench/harness.ts");
    const print = values.json ? console.error : console.log;
    print(`${machine()}\n`);
    for (const name of positionals.length ? positionals : names) {
      const { bench }: { bench: Bench } = await import(
        new URL(`../bench/${name}.ts`, import.meta.url).href
      );
      const context = { signal, log: (line: string) => console.error(line) };
      const rows = await bench({
        ...context,
        peer: (script, ...args) => runPeer(script, args, context),
      });
      const flat = rows.map(({ what, unit, ours, peer, peerValue, ratio }) => ({
        ...{
          what,
          unit,
          ours: `${ours}`,
          peer,
          "peer's": peerValue && `${peerValue}`,
        },
        ...{ ratio: ratio && `${ratio}` },
      }));
      print(`${table(flat, { caption: name })}\n`);
      if (values.json) {
        console.log(JSON.stringify({ name, machine: machine(), rows }));
      }
    }
  });
}

function machine(): string {
  const [{ model }, ...more] = cpus();
  return `${model.trim()}, ${more.length + 1} cores, ${process.platform}, ` +
    `Deno ${Deno.version.deno}`;
}

/** Makes .venv-bench, or brings it up to date. */
async function installPeers(signal: AbortSignal): Promise<void> {
  const { benchPython } = await import("../bench/harness.ts");
  const program = await findPython();
  const { line, passing } = progressOn(process.stderr);
  const folder = join(paths.root, ".venv-bench");
  const requirements = join(paths.root, "requirements-bench.txt");
  const steps: [string, string[]][] = [
    [program, ["-m", "venv", folder]],
    [benchPython, ["-m", "pip", "install", "--requirement", requirements]],
  ];
  for (const [python, args] of steps) {
    const { code, output } = await runChild(python, args, {
      signal,
      onLine: passing,
    });
    if (code !== 0) {
      throw new CommandError(
        `${args.slice(0, 3).join(" ")} failed: ${
          output.trimEnd().split("\n").slice(-3).join("; ")
        }`,
      );
    }
  }
  line("The peers are installed in .venv-bench");
}
