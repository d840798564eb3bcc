import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { commands } from "../../tasks/commands.ts";
import { ownFolder } from "../../tasks/own_folder.ts";

/** Runs the command as its script does, with a home of its own. */
async function contactSheet(
  args: string[],
  { cwd = tmpdir(), ...env }: Record<string, string> = {},
) {
  return await runChild(Deno.execPath(), [
    ...["run", "-A", "--quiet", "--config", join(paths.root, "deno.json")],
    join(paths.root, "tasks", "contact_sheet.ts"),
    ...args,
  ], { cwd, env: { NO_COLOR: "1", ...env } });
}

Deno.test("contact-sheet --help names every command and the data folder", async () => {
  const own = "/nowhere/but here";
  const { code, output } = await contactSheet(["--help"], {
    CONTACT_SHEET_DATA: own,
  });
  strictEqual(code, 0);
  for (const name of commands.keys()) {
    match(output, new RegExp(`^  ${name} `, "m"));
  }
  ok(output.includes(`  ${own}\n`));
  ok(output.split("\n").every((line) => [...line].length <= 80));
  for (const args of [[], ["help"], ["-h"]]) {
    const same = await contactSheet(args, { CONTACT_SHEET_DATA: own });
    deepStrictEqual(same, { code, output });
  }
});

Deno.test("contact-sheet help NAME prints that command's help, as contact-sheet's", async () => {
  const { code, output } = await contactSheet(["help", "store"]);
  strictEqual(code, 0);
  match(output, /^Usage: contact-sheet store /);
  deepStrictEqual(await contactSheet(["store", "-h"]), { code, output });
});

Deno.test("contact-sheet -v prints its version", async () => {
  const { output } = await contactSheet(["-v"]);
  match(output, /^contact-sheet \d+\.\d+\.\d+$/);
  deepStrictEqual(await contactSheet(["search", "-v"]), { code: 0, output });
});

Deno.test("contact-sheet answers a word it does not know with the nearest one", async () => {
  const cases: Record<string, RegExp> = {
    serch: /^contact-sheet: no command "serch"; did you mean search\?$/,
    eval: /did you mean evaluate\?$/,
    xylophone: /no command "xylophone"; expected search, serve, /,
    "-x": /no command "-x"; expected search, /,
    "": /no command ""; expected search, /,
    ab: /no command "ab"; expected search, /,
    constructor: /no command "constructor"; expected search, /,
  };
  for (const [word, message] of Object.entries(cases)) {
    const { code, output } = await contactSheet([word]);
    strictEqual(code, 2);
    match(output, message);
  }
});

Deno.test("a relative path is the caller's, in the installed command and under deno task", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "caller-"));
  try {
    await writeFile(join(cwd, "mine.json"), "no plan");
    const mine = /^mine\.json is no JSON/;
    const args = ["crawl", "--plan", "mine.json"];
    match((await contactSheet(args, { cwd })).output, mine);
    // As `deno task` starts a command.
    const task = ["run", "-A", "tasks/crawl.ts", ...args.slice(1)];
    const env = { INIT_CWD: cwd, NO_COLOR: "1" };
    const { code, output } = await runChild(Deno.execPath(), task, { env });
    match(output, mine);
    strictEqual(code, 2);
    deepStrictEqual(await readdir(cwd), ["mine.json"]);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

Deno.test("ownFolder() is the platform's own, unless the environment says otherwise", () => {
  const of = (platform: string, variables: Record<string, string> = {}) =>
    ownFolder({ platform, home: "/h", variables });
  strictEqual(of("linux"), "/h/.local/share/contact-sheet");
  strictEqual(of("linux", { XDG_DATA_HOME: "/x" }), "/x/contact-sheet");
  strictEqual(
    of("linux", { XDG_DATA_HOME: "x" }),
    "/h/.local/share/contact-sheet",
  );
  strictEqual(of("darwin"), "/h/Library/Application Support/contact-sheet");
  strictEqual(of("win32", { LOCALAPPDATA: "/l" }), "/l/contact-sheet");
  strictEqual(of("darwin", { CONTACT_SHEET_DATA: "/d" }), "/d");
});
