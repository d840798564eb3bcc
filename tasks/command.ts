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
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { statOf } from "../lib/files.ts";
import { nearestName } from "./nearest.ts";
import { withoutControls } from "./progress.ts";

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
  const end = args.indexOf("--");
  const named = end < 0 ? args : args.slice(0, end);
  const isAsked = (name: keyof typeof COMMON_OPTIONS) =>
    named.includes(`--${name}`) || named.includes(`-${name[0]}`);
  if (isAsked("help") || isAsked("version")) {
    const text = help.replaceAll("deno task", caller);
    console.log(isAsked("help") ? text : versionLine());
    process.exit(0);
  }
  try {
    const allowPositionals = positionals !== undefined;
    const given = withValues(args, options ?? {});
    return parseArgs({
      ...{ args: given, options, allowPositionals },
    }) as Arguments<Taken>;
  } catch (error) {
    throw new CommandError(
      `${nameOf({ help })}: ${problemWith(error as ParseError, options)}`,
    );
  }
}

type ParseError = Error & { code?: string };

/** What parseArgs() complains of, in one short line. */
function problemWith(error: ParseError, options: Options = {}): string {
  const [first] = error.message.split(/\. |\n/);
  const problem = first.charAt(0).toLowerCase() + shorten(first.slice(1));
  if (error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    return `${problem}; --help lists what is expected`;
  }
  const [, dashes, name] = error.message.match(/'(--?)(.*?)'/s)!;
  const known = Object.keys({ ...options, ...COMMON_OPTIONS });
  const nearest = dashes === "--" ? nearestName(name, known) : undefined;
  return `unknown option ${dashes}${shorten(name)}; ` +
    (nearest ? `did you mean --${nearest}? ` : "") + "--help lists them";
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/**
 * The arguments as parseArgs() takes them: "--preview=" for a bare "--preview" or
 * "-p", "--preview=kitty" for "-pkitty", "--top=3" for "-t=3"; each of them also
 * behind switches, "-npt3".
 */
function withValues(args: readonly string[], options: Options): string[] {
  const all = Object.entries(options);
  const shorts = (kind: "boolean" | "string") =>
    all.filter(([, { type, short }]) => type === kind && short)
      .map(([, { short }]) => short).join("");
  const group = new RegExp(
    `^-([${shorts("boolean")}]*)([${shorts("string")}])(=?)(.*)$`,
    "s",
  );
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return args.flatMap((arg, i) => {
    if (i > end) return [arg];
    if (options[arg.slice(2)]?.optional && arg.startsWith("--")) {
      return [`${arg}=`];
    }
    const [, before, letter, sign, after] = arg.match(group) ?? [];
    if (letter === undefined) return [arg];
    const [name, { optional, values = [] }] = all
      .find(([, { short }]) => short === letter)!;
    const switches = before ? [`-${before}`] : [];
    if (sign || values.includes(after)) {
      return [...switches, `--${name}=${after}`];
    }
    if (!optional) return [arg];
    const rest = after ? withValues([`-${after}`], options) : [];
    return [...switches, `--${name}=`, ...rest];
  });
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
  const other = found ? "neither file nor folder" : "not there";
  throw new CommandError(
    `${what}: expected a ${kind}, ${path || '""'} is ${is ? `a ${is}` : other}`,
  );
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
  setTimeout(() => new Worker(deadline, { type: "module" }), DEADLINE_AFTER_MS);
  let status = 2;
  try {
    const caller = installed ? "contact-sheet" : "deno task";
    const read = readArguments(command, args, caller);
    const here = goToCaller(installed);
    status = await command.work({ ...read, signal, here }) ?? 0;
  } catch (error) {
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
