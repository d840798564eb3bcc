/**
 * What every command shares: reading its arguments, where relative paths begin,
 * Ctrl-C, and how it ends.
 *
 * ```text
 * status  0  done
 *         1  done, and the answer is no: nothing fits, a test fails
 *         2  not done: one line says what is wrong
 *       130  stopped by Ctrl-C
 * ```
 *
 * The same commands are run by `deno task NAME` and by `contact-sheet NAME`,
 * which contact_sheet.ts is. A relative path means what it means to the caller:
 * the process goes to the folder where the caller stands before it reads any.
 *
 * Needs no npm package, because it runs before they are installed.
 *
 * ```ts
 * import { readArguments } from "./command.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { values } = readArguments({
 *   help: "Usage: deno task greet [--name NAME]",
 *   options: { name: { type: "string", default: "you" } },
 * }, ["--name", "Ada"]);
 * equal(values.name, "Ada");
 * ```
 *
 * @module
 */
import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { statOf } from "../lib/files.ts";
import { nearestName } from "./nearest.ts";
import { progressOn, withoutControls } from "./progress.ts";

/**
 * The one version whose notebook kernel works: later ones lose outputs, and
 * nbclient refuses those of earlier ones.
 */
export const DENO_VERSION = "2.8.1";

/** How Ctrl-C, a closed terminal's owner and a service manager ask to end. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** How long work has to put away what it has, once it is asked to stop. */
const PATIENCE_MS = 1400;
/** How long work goes on before the worker starts that can end it. */
const DEADLINE_AFTER_MS = 400;

/** As lib/encoders/clip.ts has them. */
const PRECISIONS = ["fp32", "fp16", "q8"] as const;

/** Of every command that opens an encoder; `readPrecision` reads it. */
export const PRECISION_OPTION = { type: "string", values: PRECISIONS } as const;

/** Of every command that opens an encoder: the shell completes those by name. */
export const ENCODER_OPTION = {
  type: "string",
  default: "auto",
  values: [
    ...["auto", "clip-vit-b32", "clip-vit-b16", "clip-vit-l14"],
    ...["openclip-vit-b32", "clip-rn50", "offline", "offline-large"],
  ],
} as const;

/** As lib/engines/engines.ts has them. */
const ENGINES = ["exact", "hnsw", "chroma"] as const;

/** Of every command that searches; `readEngine` reads it. */
export const INDEX_OPTION = {
  type: "string",
  default: "exact",
  values: ENGINES,
} as const;

/** What `--index` means, for a command's help: its columns, and so far in. */
export function indexHelp(indent = ""): string {
  return `
  --index ENGINE    what finds the nearest: exact, if left out, compares
                    all; hnsw, a graph in memory, and chroma, a vector
                    database, compare few and find nearly all of the
                    best. CHROMA_URL names a running server, and
                    CHROMA_API_KEY alone Chroma Cloud; else one is
                    started here`.slice(1).replaceAll(/^/gm, indent);
}

/** A wrong argument, a missing prerequisite: its message is for the user. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** The project's folder. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** Options by name, as parseArgs() takes them. */
export type Options = Record<string, Option>;

/** An option. */
export type Option = NonNullable<ParseArgsConfig["options"]>[string] & {
  /** Whether its value may be left out, and is then "". */
  optional?: true;
  /** What its value may be; the shell completes them. */
  values?: readonly string[];
};

/** A command's help and the arguments that it takes. */
export interface Command<Taken extends Options = Options> {
  /** What `--help` prints; begins "Usage: deno task NAME". */
  help: string;
  options?: Taken;
  /** How the arguments without a name are called, "DIR"; none are taken if left out. */
  positionals?: string;
}

/** A command and what it does. */
export interface Program extends Command {
  // deno-lint-ignore no-explicit-any -- of its own options
  work: (context: any) => Promise<number | void>;
}

/** What every command takes, besides its own options. */
export const COMMON_OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/**
 * A command, whose work knows the types of its options.
 *
 * @param work Returns the exit status, 0 where nothing is returned.
 */
export function defineCommand<const Taken extends Options>(
  command: Command<Taken>,
  work: (context: Context<Taken>) => Promise<number | void>,
): Program {
  return { ...command, work };
}

/** "contact-sheet 0.1.0". */
export function versionLine(): string {
  const text = readFileSync(join(root, "deno.json"), "utf8");
  return `contact-sheet ${JSON.parse(text).version}`;
}

/** A command's name, as its help begins. */
export function nameOf({ help }: Pick<Command, "help">): string {
  return help.match(/deno task (\w+)/)![1];
}

/**
 * Reads a command's arguments; prints the help or the version and ends where it
 * is asked for.
 *
 * @param caller How the help calls the program: "contact-sheet".
 * @throws {CommandError} For an unknown option, a missing value, an argument
 * too many: says what was received and what is known.
 */
export function readArguments<const Taken extends Options>(
  { help, options, positionals }: Command<Taken>,
  args: string[] = process.argv.slice(2),
  caller = "deno task",
): Arguments<Taken> {
  const name = nameOf({ help });
  const known: Options = { ...options, ...COMMON_OPTIONS };
  const { given, problem } = withLongNames(args, known);
  const end = given.indexOf("--");
  const isAsked = (option: keyof typeof COMMON_OPTIONS) =>
    given.slice(0, end < 0 ? undefined : end).includes(`--${option}`);
  if (isAsked("help") || isAsked("version")) {
    const text = help.replaceAll("deno task", caller);
    console.log(isAsked("help") ? text : versionLine());
    process.exit(0);
  }
  if (problem) throw new CommandError(`${name}: ${problem}`);
  const read = parseArgs({
    ...{ args: given, options: known, allowPositionals: true },
  }) as Arguments<Taken>;
  const [first] = read.positionals;
  if (first === undefined || positionals !== undefined) return read;
  throw new CommandError(
    `${name}: unexpected argument '${shorten(first)}'; ${ADVICE}`,
  );
}

const ADVICE = "--help lists what is expected";

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function unknownOption(shown: string, known: Options): string {
  const nearest = shown.startsWith("--")
    ? nearestName(shown.slice(2), Object.keys(known))
    : undefined;
  return `unknown option ${shorten(shown)}; ` +
    (nearest ? `did you mean --${nearest}? ` : "") + "--help lists them";
}

/**
 * The arguments with each option by its long name and its value behind "=":
 * "--top=3" for "-t 3", "-t3", "-t=3" and the end of "-nt3".
 *
 * A value that an option needs is the next argument, whatever that begins with.
 * One that may be left out stands in the same argument, "-pkitty", or is "".
 *
 * @returns Also the first problem with them, if there is one.
 */
function withLongNames(
  args: readonly string[],
  known: Options,
): { given: string[]; problem?: string } {
  const given: string[] = [], rest = [...args];
  let problem: string | undefined;
  const take = (shown: string, name: string, value?: string) => {
    const { type, optional } = known[name];
    const isSwitch = type === "boolean";
    const taken = value ?? (isSwitch || optional ? "" : rest.shift());
    if (isSwitch && value !== undefined) {
      problem ??= `${shown} takes no value, got ${
        shorten(value) || '""'
      }; ${ADVICE}`;
    } else if (taken === undefined) {
      problem ??= `expected a value after ${shown}, got nothing; ${ADVICE}`;
    } else given.push(isSwitch ? `--${name}` : `--${name}=${taken}`);
  };
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return { given: [...given, arg, ...rest], problem };
    const [, long, value] = arg.match(/^--([^=]*)(?:=(.*))?$/s) ?? [];
    let letters = long === undefined && arg.startsWith("-") ? arg.slice(1) : "";
    if (long !== undefined && Object.hasOwn(known, long)) {
      take(`--${long}`, long, value);
    } else if (long !== undefined) {
      problem ??= unknownOption(`--${long}`, known);
    } else if (letters === "") given.push(arg);
    while (letters !== "") {
      const [letter] = letters;
      const after = letters.slice(letter.length);
      const [name, option] = Object.entries(known)
        .find(([, { short }]) => short === letter) ?? [];
      if (!name || !option) {
        problem ??= unknownOption(`-${letter}`, known);
        break;
      }
      const isValue = option.type === "string" && after !== "" &&
        (!option.optional || option.values?.includes(after));
      const value = after.startsWith("=")
        ? after.slice(1)
        : isValue
        ? after
        : undefined;
      take(`-${letter}`, name, value);
      letters = value === undefined ? after : "";
    }
  }
  return { given, problem };
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
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
    `--${option}: expected a whole number from ${min} to ${max}, got ${
      text || '""'
    }`,
  );
}

/**
 * Reads how an encoder's weights are to be stored; left out, it is what is there.
 *
 * @throws {CommandError} If there is no such precision.
 */
export function readPrecision(
  text: string | undefined,
): typeof PRECISIONS[number] | undefined {
  const found = PRECISIONS.find((precision) => precision === text);
  if (found || text === undefined) return found;
  throw new CommandError(
    `--precision: expected ${PRECISIONS.join(", ")}, got ${text || '""'}`,
  );
}

/**
 * Reads which engine is to search.
 *
 * @throws {CommandError} If there is no such engine.
 */
export function readEngine(text: string): typeof ENGINES[number] {
  const found = ENGINES.find((engine) => engine === text);
  if (found) return found;
  throw new CommandError(
    `--index: expected ${ENGINES.slice(0, -1).join(", ")} or ` +
      `${ENGINES.at(-1)}, got ${text || '""'}`,
  );
}

/**
 * Reads the path of something that has to be there.
 *
 * @param what What it was given as: "--captions".
 * @returns Absolute.
 * @throws {CommandError} If it is not there, or something else.
 */
export function readPath(
  what: string,
  path: string,
  kind: "file" | "folder",
): string {
  const found = statOf(path);
  const is = found?.isFile() ? "file" : found?.isDirectory() ? "folder" : "";
  if (is === kind) return resolve(path);
  const other = found
    ? "neither file nor folder"
    : isLink(path)
    ? "a link that leads nowhere"
    : "not there";
  throw new CommandError(
    `${what}: expected a ${kind}, ${path || '""'} is ${is ? `a ${is}` : other}`,
  );
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * Reads the path of a file that is going to be written, in a folder that is
 * there. What it was before, it is until then.
 *
 * @param what What it was given as: "--hits".
 * @returns Absolute.
 * @throws {CommandError} If no file can be written there.
 */
export function readNewPath(what: string, path: string): string {
  const absolute = resolve(path);
  const isFolder = /[/\\]$/.test(path) || path === "";
  const found = statOf(absolute);
  if (isFolder || (found && !found.isFile())) {
    throw new CommandError(
      `${what}: expected the name of a file to write, got ${path || '""'}`,
    );
  }
  try {
    const folder = readPath(what, dirname(absolute), "folder");
    accessSync(folder, constants.W_OK);
    return absolute;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `${what}: ${path} cannot be written (${code}): expected a folder that ` +
        "this user may write to",
    );
  }
}

/** A command's arguments: `values` by option, and `positionals`. */
type Arguments<Taken extends Options> = ReturnType<
  typeof parseArgs<{ options: Taken; allowPositionals: true; strict: true }>
>;

/** What a command's work is given. */
export type Context<Taken extends Options = Options> = Arguments<Taken> & {
  /** Aborted by Ctrl-C; the command ends at a second one, or soon after. */
  signal: AbortSignal;
  /**
   * The folder that is searched where none is named: where the caller of
   * `contact-sheet` stands. Undefined for the sample, which it is in the
   * project's folder and for `deno task`.
   */
  here?: string;
};

/** How a command was called. */
export interface Call {
  /** @default {what the process was given} */
  args?: string[];
  /** Whether as `contact-sheet NAME`, and not as `deno task NAME`. */
  installed?: boolean;
}

/** Runs a command to its end and leaves the process with its status. */
export async function runCommand(
  command: Program,
  { args, installed = false }: Call = {},
): Promise<never> {
  const abort = new AbortController();
  const { signal } = abort;
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      if (signal.aborted) process.exit(130);
      console.error("Stopping …");
      // Whatever the work waits for may never come.
      setTimeout(() => process.exit(130), PATIENCE_MS);
      abort.abort(new CommandError("stopped"));
    });
  }
  // Later, since most commands answer sooner, and a worker takes 50 ms to start.
  const deadline = new URL("./deadline.ts", import.meta.url);
  setTimeout(() => {
    try {
      process.cwd();
    } catch {
      return; // Where the folder that we stand in is gone no worker starts.
    }
    const worker = new Worker(deadline, { type: "module" });
    worker.onerror = (event) => event.preventDefault(); // It goes just now.
  }, DEADLINE_AFTER_MS);
  let status = 2;
  try {
    const caller = installed ? "contact-sheet" : "deno task";
    const read = readArguments(command, args, caller);
    const here = goToCaller(installed);
    status = await command.work({ ...read, signal, here }) ?? 0;
  } catch (error) {
    progressOn(process.stderr).passing(""); // What was going on, in a terminal.
    console.error(describeError(error));
  }
  process.exit(signal.aborted ? 130 : status);
}

/**
 * Goes where the caller stands: `deno task` starts a command in the project's
 * folder, and says in INIT_CWD where it was called.
 *
 * @returns What `Context.here` is.
 * @throws {CommandError} If that folder is gone.
 */
function goToCaller(installed: boolean): string | undefined {
  try {
    // Either may have been reached through a link.
    const isProject = () => realpathSync(".") === realpathSync(root);
    const called = process.env.INIT_CWD;
    if (!installed && called && isProject()) process.chdir(called);
    return installed && !isProject() ? process.cwd() : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `the folder that this was called in cannot be entered (${code}): go to another`,
    );
  }
}

/**
 * Imports a module that needs npm packages, once set-up has installed them. An
 * ordinary import, even a dynamic one, would be looked up when the command
 * starts, and then not be found.
 *
 * `importLater<typeof import("./evaluation.ts")>("./evaluation.ts")`
 *
 * @param file Relative to this folder.
 */
export function importLater<Module>(file: string): Promise<Module> {
  return import(new URL(file, import.meta.url).href);
}

/**
 * An expected error's message alone; anything else with its stack. Messages
 * quote names of files.
 */
function describeError(error: unknown): string {
  const unexpected = error instanceof TypeError ||
    error instanceof ReferenceError;
  const text = error instanceof Error
    ? (unexpected && error.stack || error.message)
    : String(error);
  return text.split("\n").map(withoutControls).join("\n");
}
