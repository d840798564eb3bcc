/**
 * What every command shares: reading its arguments, Ctrl-C, and ending with one
 * line and a status other than 0 where something is wrong.
 *
 * Needs no npm package,
 * because it runs before they are installed.
 *
 * ```ts
 * import { readArguments } from "./command.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { values } = readArguments({
 *   name: "greet",
 *   help: "Greets somebody.",
 *   options: { name: { type: "string", default: "you" } },
 * }, ["--name", "Ada"]);
 * equal(values.name, "Ada");
 * ```
 *
 * @module
 */
import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";

/**
 * The one version whose notebook kernel works: later ones lose outputs, and
 * nbclient refuses those of earlier ones.
 */
export const DENO_VERSION = "2.8.1";

/** A wrong argument, a missing prerequisite: its message is for the user. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** A command's name, its help and the options that it takes. */
export interface CommandLine<
  Options extends NonNullable<ParseArgsConfig["options"]>,
> {
  /** As after `task`: "demo". */
  name: string;
  /** What `--help` prints. */
  help: string;
  options: Options;
  /** How the arguments without a name are called, "DIR"; none are taken if left out. */
  positionals?: string;
}

/**
 * Reads a command's arguments; prints the help and ends where it is asked for.
 *
 * @throws {CommandError} For an unknown option, a missing value, an argument
 * too many: says what was received and what is known.
 */
export function readArguments<
  const Options extends NonNullable<ParseArgsConfig["options"]>,
>(command: CommandLine<Options>, args: string[] = process.argv.slice(2)) {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(command.help);
    process.exit(0);
  }
  try {
    return parseArgs({
      args,
      options: command.options,
      allowPositionals: command.positionals !== undefined,
      strict: true,
    });
  } catch (error) {
    const known = Object.entries(command.options).map(([name, { type }]) =>
      `--${name}${type === "string" ? ` ${name.toUpperCase()}` : ""}`
    );
    if (command.positionals) known.unshift(command.positionals);
    throw new CommandError(
      `${command.name}: ${firstSentence(error)}; expected ${
        [...known, "--help"].join(", ")
      }`,
    );
  }
}

/**
 * Reads a whole number that was given as an option.
 *
 * @throws {CommandError} If it is none, or out of bounds.
 */
export function readWholeNumber(
  option: string,
  text: string,
  { min, max }: { min: number; max: number },
): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new CommandError(
    `--${option}: expected a whole number from ${min} to ${max}, got ${text}`,
  );
}

/**
 * Runs a command to its end and leaves the process with its status.
 *
 * @param body Does the work; returns the exit status, 0 where nothing is
 * returned. Its signal is aborted by Ctrl-C; a second Ctrl-C ends at once.
 */
export async function runCommand(
  body: (signal: AbortSignal) => Promise<number | void>,
): Promise<never> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(130);
      console.error("Stopping …");
      abort.abort(new CommandError("stopped"));
    });
  }
  let status: number;
  try {
    status = await body(abort.signal) ?? 0;
  } catch (error) {
    console.error(describeError(error));
    status = 1;
  }
  process.exit(abort.signal.aborted ? 130 : status);
}

/**
 * Imports a module that needs npm packages, once set-up has installed them. An
 * ordinary import would be looked up when the command starts.
 *
 * `importLater<typeof import("../lib/search_page/server.ts")>("../lib/search_page/server.ts")`
 *
 * @param file Relative to this folder.
 */
export function importLater<Module>(file: string): Promise<Module> {
  return import(new URL(file, import.meta.url).href);
}

/** An expected error's message alone; anything else with its stack. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const unexpected = error instanceof TypeError ||
    error instanceof ReferenceError;
  return unexpected ? error.stack ?? error.message : error.message;
}

function firstSentence(error: unknown): string {
  const [first] = (error as Error).message.split(/\. |\n/);
  return first.charAt(0).toLowerCase() + first.slice(1);
}
