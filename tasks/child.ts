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
import { spawn } from "node:child_process";
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
  /** Ends the child: its input is closed, then SIGTERM, 5 s later SIGKILL. */
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
  const lines: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface({ input: child[stream] }).on("line", (line) => {
      lines.push(line);
      onLine?.(line, stream);
    });
  }

  let killer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    child.stdin.end();
    child.kill("SIGTERM");
    // Deno's child.kill() sends one signal and ignores the next.
    killer = setTimeout(() => process.kill(child.pid!, "SIGKILL"), 5000);
  };
  signal?.addEventListener("abort", stop);
  const code = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      lines.push(error.message);
      resolve(127);
    });
    // What the child started may hold its output open, and watch its input.
    child.once("exit", () => {
      clearTimeout(killer);
      child.stdin.end();
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  return { code, output: lines.join("\n") };
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
