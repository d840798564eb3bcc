/**
 * `contact-sheet`, the installed command: all that `deno task` runs, from
 * wherever one stands. install.ts puts it on the search path.
 *
 * @module
 */
import process from "node:process";
import { CommandError, runCommand, versionLine } from "./command.ts";
import { commands, isOwn, openCommand } from "./commands.ts";
import { nearestName } from "./nearest.ts";
import { ownFolder } from "./own_folder.ts";

const [first = "--help", ...rest] = process.argv.slice(2);
try {
  await run(first, rest);
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exit(2);
}

async function run(name: string, args: string[]): Promise<void> {
  if (name === "help" && args.length > 0) return await run(args[0], ["--help"]);
  if (["help", "--help", "-h"].includes(name)) return console.log(help());
  if (["--version", "-v"].includes(name)) return console.log(versionLine());
  const entry = commands.get(name);
  if (!entry) throw new CommandError(`contact-sheet: ${unknown(name)}`);
  if (isOwn(name)) process.env.CONTACT_SHEET_DATA = ownFolder();
  const program = await openCommand(name);
  await runCommand(program, {
    args: [...entry.args, ...args],
    installed: true,
  });
}

function help(): string {
  const list = (own: boolean) =>
    [...commands].filter(([name]) => isOwn(name) === own)
      .map(([name, { description }]) => `  ${name.padEnd(10)}  ${description}`)
      .join("\n");
  return `Usage: contact-sheet COMMAND [ARGUMENTS]

Finds pictures in folders of yours, by words and by pictures:
${list(true)}

They keep what they write in
  ${ownFolder()}
or in the folder that CONTACT_SHEET_DATA names.

About the course, in its folder:
${list(false)}

contact-sheet help COMMAND tells more of each; -v prints the version.
contact-sheet search, without --images, searches the folder that you stand in.`;
}

/** What is wrong with a word that is no command. */
function unknown(word: string): string {
  const names = [...commands.keys()];
  const nearest = nearestName(word, names);
  const advice = nearest
    ? `did you mean ${nearest}?`
    : `expected ${names.join(", ")}`;
  return `no command ${JSON.stringify(word.slice(0, 40))}; ${advice}`;
}
