/**
 * Runs a program line by line, and ends it when the command is stopped.
 *
 * ```ts
 * import { runChild } from "./child.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { code, output } = await runChild(Deno.execPath(), ["--version"]);
 * equal(code, 0);
 * equal(output.startsWith("deno "), true);
 * ```
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { paths } from "../lib/paths.ts";
import { CommandError } from "./command.ts";

/** How to run a child. */
export interface ChildOptions {
  /** Working directory; the project's folder where left out. */
  cwd?: string;
  /** Variables besides those of this process. */
  env?: Record<string, string>;
  /**
   * Ends the child: its input is closed, then SIGTERM, and 1 s later SIGKILL,
   * for what it has started as well.
   */
  signal?: AbortSignal;
  /** Called for each line as it is printed. */
  onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Runs a program to its end. Its input is a pipe that closes with this process,
 * so a child that reads it notices even a `kill -9` of its parent.
 *
 * @returns Its status, 127 if it was not found, 1 if a signal ended it; and all
 *   that it printed, both streams in order of arrival.
 * @throws The signal's reason if it was stopped.
 */
export async function runChild(
  program: string,
  args: string[],
  { cwd = paths.root, env, signal, onLine }: ChildOptions = {},
): Promise<{ code: number; output: string }> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
  });
  running.add(child);
  const lines: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface({ input: child[stream] }).on("line", (line) => {
      lines.push(line);
      onLine?.(line, stream);
    });
  }

  let killer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    const family = familyOf(child); // Before some have lost their parents.
    child.stdin.end();
    child.kill("SIGTERM");
    killer = setTimeout(() => killAll(family), 1000);
  };
  signal?.addEventListener("abort", stop);
  const code = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      lines.push(error.message);
      resolve(127);
    });
    // What the child started may hold its output open, and watch its input.
    child.once("exit", () => child.stdin.end());
    child.once("close", (code) => resolve(code ?? 1));
  });
  clearTimeout(killer);
  running.delete(child);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  return { code, output: lines.join("\n") };
}

/** Those that would outlive this process, if it ended now. */
const running = new Set<ChildProcess>();
process.on("exit", () => killAll([...running].flatMap(familyOf)));

/** Process ids of a child and of all that it has started, as `ps` tells. */
function familyOf({ pid }: ChildProcess): number[] {
  if (pid === undefined) return [];
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="]);
  const pairs = `${stdout ?? ""}`.trim().split("\n")
    .map((line) => line.trim().split(/ +/).map(Number));
  const family = [pid];
  for (const one of family) {
    for (const [id, parent] of pairs) if (parent === one) family.push(id);
  }
  return family;
}

function killAll(ids: readonly number[]): void {
  for (const id of ids) {
    try {
      process.kill(id, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/**
 * Runs a program that has to succeed.
 *
 * @param what What it is called where it fails: "deno install".
 * @throws {CommandError} If it fails: quotes its errors, or its last lines.
 */
export async function runOrFail(
  what: string,
  program: string,
  args: string[],
  options?: ChildOptions,
): Promise<void> {
  const { code, output } = await runChild(program, args, options);
  if (code === 0) return;
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /^error:/i.test(line));
  const told = (errors.length > 0 ? errors : lines).slice(-3);
  // Under an error of Deno's stand its causes, the deepest last.
  const deepest = lines.at(-1) ?? `ended with status ${code}`;
  if (!told.includes(deepest)) told.push(deepest);
  throw new CommandError(`${what}: ${told.join("\n")}`);
}
