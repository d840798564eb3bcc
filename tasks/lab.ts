/**
 * `task lab`: JupyterLab on the notebooks.
 *
 * It listens on the loopback address, wants a token of its own, knows the Deno
 * kernel alone, and keeps its settings below `.venv`.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { runChild } from "./child.ts";
import {
  CommandError,
  defineCommand,
  DENO_VERSION,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { notebooksFolder } from "./execute.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { moduleArguments, venvPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task lab [--port PORT] [--no-browser]

Opens JupyterLab on the notebooks, after installing what is missing. It can be
reached from this machine only. Ctrl-C stops it.

  --port PORT   where to listen; the first free port from 8888 if left out
  --no-browser  prints the address and opens no browser`;

const NO_DATA = "There is no data set yet. Begin with notebooks 1 and 2, or " +
  `run npx deno@${DENO_VERSION} task demo once: then each runs by itself.`;

export const command = defineCommand({
  help,
  options: { port: { type: "string" }, "no-browser": { type: "boolean" } },
}, async ({ values, signal }) => {
  const port = choosePort(values.port);
  await ensureSetup(signal);
  // It would ask each reader whether to fetch news from the network.
  const news = "@jupyterlab/apputils-extension:announcements";
  await writeAtomic(
    join(paths.venv, "etc", "jupyter", "labconfig", "page_config.json"),
    JSON.stringify({ disabledExtensions: { [news]: true } }),
  );

  const token = randomUUID();
  const args = moduleArguments(
    "jupyterlab",
    "-y", // to Ctrl-C's question
    ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
    "--ServerApp.log_level=WARN",
    "--LabApp.log_level=WARN",
    "--LabApp.extension_manager=readonly",
    "--ServerApp.ip=127.0.0.1",
    `--ServerApp.port=${port}`,
    "--ServerApp.port_retries=0",
    `--ServerApp.root_dir=${paths.root}`,
    `--FileContentsManager.preferred_dir=${notebooksFolder}`,
    `--ServerApp.open_browser=${!values["no-browser"]}`,
    "--KernelSpecManager.allowed_kernelspecs={'deno'}",
    "--MappingKernelManager.default_kernel_name=deno",
    "--KernelSpecManager.ensure_native_kernel=False",
  );
  const ended = runChild(venvPython, args, {
    signal,
    env: { ...jupyterEnvironment, JUPYTER_TOKEN: token },
    onLine: (line) => console.error(line),
  });
  announce(`http://127.0.0.1:${port}`, token, signal);
  const { code } = await ended;
  if (code !== 0) throw new CommandError(`JupyterLab ended, status ${code}`);
});

/**
 * The port asked for, or the first free one.
 *
 * @throws {CommandError} If the port asked for is taken.
 */
function choosePort(asked: string | undefined): number {
  if (asked !== undefined) {
    const port = readWholeNumber("port", asked, { min: 1, max: 65535 });
    if (isFree(port)) return port;
    throw new CommandError(
      `--port: ${port} cannot be listened on, probably taken; give another, or leave it out`,
    );
  }
  let port = 8888;
  while (!isFree(port)) port++;
  return port;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

/** Prints the address as soon as somebody answers there. */
async function announce(
  origin: string,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const answer = await fetch(`${origin}/api`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) {
      console.log(`JupyterLab: ${origin}/lab?token=${token}`);
      if (!existsSync(paths.dataset)) console.log(NO_DATA);
      console.log("Ctrl-C stops it.");
      return;
    }
    await sleep(100);
  }
}

if (import.meta.main) await runCommand(command);
