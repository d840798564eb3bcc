import { match, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { pathAdvice, posixScript, windowsScript } from "../../tasks/install.ts";
import { isDone } from "../../tasks/step.ts";
import { npmPackages } from "../../tasks/setup.ts";
import { pythonPackages, virtualEnvironment } from "../../tasks/python.ts";

const missing = ![npmPackages, virtualEnvironment, pythonPackages].every(
  isDone,
);
if (missing) {
  console.warn("install_test: some ignored, set-up has not been run");
}
const isWindows = Deno.build.os === "windows";

async function withHome(body: (home: string) => Promise<void>) {
  const home = await mkdtemp(join(tmpdir(), "an empty home-"));
  try {
    await body(home);
  } finally {
    await rm(home, { recursive: true });
  }
}

function install(home: string, ...args: string[]) {
  const file = join(paths.root, "tasks", "install.ts");
  return runChild(Deno.execPath(), ["run", "-A", file, ...args], {
    env: { HOME: home, NO_COLOR: "1", SHELL: "/bin/zsh", XDG_DATA_HOME: "" },
  });
}

Deno.test({
  name:
    "task install writes a command that runs from anywhere, and takes it back",
  ignore: missing || isWindows,
  fn: () =>
    withHome(async (home) => {
      const { code, output } = await install(home);
      strictEqual(code, 0, output);
      const bin = join(home, ".local", "bin");
      match(output, /is not on PATH yet: add this line to ~\/\.zshrc/);
      ok(output.includes(`export PATH='${bin}':"$PATH"`));
      const program = join(bin, "contact-sheet");
      const help = await runChild(program, ["--help"], {
        cwd: home,
        env: { HOME: home, XDG_DATA_HOME: "", CONTACT_SHEET_DATA: "" },
      });
      match(help.output, /^Usage: contact-sheet COMMAND/);
      ok(help.output.includes(`  ${home}/.local/share/contact-sheet\n`));
      strictEqual((await runChild(program, ["searhc"])).code, 2);

      strictEqual((await install(home)).code, 0, "a second time");
      match((await install(home, "--uninstall")).output, /^Removed /);
      strictEqual((await readdir(bin)).length, 0);
      const again = await install(home, "--uninstall");
      strictEqual(again.code, 2);
      match(again.output, /contact-sheet is not there$/);
    }),
});

Deno.test("task install refuses what is no folder to install into", () =>
  withHome(async (home) => {
    const file = join(home, "file");
    await writeFile(file, "");
    for (
      const [bin, message] of [
        ["", '--bin: expected a folder, got ""'],
        [file, `--bin: expected a folder, got ${file}, which is none`],
      ]
    ) {
      const { code, output } = await install(home, "--bin", bin);
      strictEqual(code, 2);
      strictEqual(output, message);
    }
  }));

Deno.test("task install leaves another program of that name alone", () =>
  withHome(async (home) => {
    const name = isWindows ? "contact-sheet.cmd" : "contact-sheet";
    await writeFile(join(home, name), "#!/bin/sh\n");
    for (const more of [[], ["--uninstall"]]) {
      const { code, output } = await install(home, "--bin", home, ...more);
      strictEqual(code, 2);
      match(output, /is another program's: remove it, or give another --bin$/);
    }
  }));

Deno.test({
  name:
    "the installed script takes any folder's name, hands on every argument, and says when its folder is gone",
  ignore: isWindows,
  fn: () =>
    withHome(async (home) => {
      const root = join(home, "it's $HOME `x`");
      const program = join(home, "contact-sheet");
      await writeFile(program, posixScript(root));
      await chmod(program, 0o755);
      const gone = spawnSync(program, { encoding: "utf8" });
      strictEqual(gone.status, 2);
      ok(gone.stderr.startsWith(`contact-sheet: ${root} is gone: `));

      await mkdir(join(root, "tasks"), { recursive: true });
      await writeFile(join(root, "tasks", "contact_sheet.ts"), "");
      await mkdir(join(root, ".venv", "bin"), { recursive: true });
      const deno = join(root, ".venv", "bin", "deno");
      await writeFile(deno, '#!/bin/sh\nfor one; do echo "<$one>"; done\n');
      await chmod(deno, 0o755);
      const args = ["search", "two words", "*", "", "'"];
      const { stdout } = spawnSync(program, args, { encoding: "utf8" });
      ok(stdout.includes(`<${root}/tasks/contact_sheet.ts>`));
      ok(stdout.endsWith("<search>\n<two words>\n<*>\n<>\n<'>\n"), stdout);

      const stand = 'mkdir gone && cd gone && rmdir ../gone && exec "$0"';
      const lost = spawnSync("sh", ["-c", stand, program], {
        cwd: home,
        encoding: "utf8",
      });
      strictEqual(lost.status, 2);
      match(
        lost.stderr,
        /^contact-sheet: the folder that you stand in is gone: /m,
      );
    }),
});

Deno.test("the script for Windows ends its lines as cmd.exe needs it", () => {
  const script = windowsScript("C:\\100% mine");
  ok(script.split("\n").slice(0, -1).every((line) => line.endsWith("\r")));
  ok(script.includes('set "root=C:\\100%% mine"'));
});

Deno.test({
  name:
    "pathAdvice() gives the line for the reader's shell, none where it is not needed",
  ignore: isWindows,
  fn() {
    const advice = (SHELL: string) =>
      pathAdvice("/h/bin", { PATH: "/bin", SHELL });
    match(
      advice("/usr/bin/fish")!,
      /config\.fish .*\n {2}fish_add_path '\/h\/bin'$/,
    );
    match(
      advice("/bin/bash")!,
      /~\/\.bashrc .*\n {2}export PATH='\/h\/bin':"\$PATH"$/,
    );
    match(advice("")!, /~\/\.profile /);
    strictEqual(pathAdvice("/h/bin", { PATH: "/bin:/h/bin/" }), undefined);
  },
});
