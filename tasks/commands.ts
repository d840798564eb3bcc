/**
 * The table of all commands, read from deno.json: `contact-sheet NAME` is
 * `deno task NAME`.
 *
 * ```ts
 * import { commands } from "./commands.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(commands.get("ok")?.file, "check_all.ts");
 * strictEqual(commands.get("ok")?.args.join(), "--quick");
 * ```
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { importLater, type Program } from "./command.ts";

/** A command, before its file is read. */
export interface Entry {
  /** One line. */
  description: string;
  /** In this folder. */
  file: string;
  /** Those that it always has: "--quick". */
  args: string[];
}

const { tasks }: {
  tasks: Record<string, { description: string; command: string }>;
} = JSON.parse(
  readFileSync(new URL("../deno.json", import.meta.url), "utf8"),
);

/** Those about pictures of one's own. */
const OWN = ["search", "serve", "crawl", "dataset", "evaluate", "store"];

/** All commands by name, those about pictures of one's own first. */
export const commands: ReadonlyMap<string, Entry> = new Map(
  [...OWN, ...Object.keys(tasks).filter((name) => !isOwn(name))]
    .map((name) => [name, tasks[name]] as const)
    .map(([name, { description, command }]) => {
      const [, file, rest] = command.match(/^deno run -A tasks\/(\S+)(.*)$/)!;
      const args = rest.trim().split(" ").filter(Boolean);
      return [name, { description, file, args }];
    }),
);

/**
 * Whether a command is about pictures of one's own. The others are about the
 * course, and work in its folder.
 */
export function isOwn(name: string): boolean {
  return OWN.includes(name);
}

/** What a command takes and does. @throws {TypeError} If there is none. */
export async function openCommand(name: string): Promise<Program> {
  const { file } = commands.get(name)!;
  return (await importLater<{ command: Program }>(`./${file}`)).command;
}
