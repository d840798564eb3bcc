import { match, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { PROTOCOLS } from "#lib/search_page/terminal/protocol.ts";
import { runChild } from "../../tasks/child.ts";

function completion(...args: string[]) {
  const file = join(paths.root, "tasks", "completion.ts");
  return runChild(Deno.execPath(), ["run", "-A", file, ...args]);
}

/** What is offered where `line` has been typed, by the shell's own program. */
const SHELLS: Record<string, (script: string, line: string) => string[]> = {
  bash: (script, line) => [
    "--norc",
    "-c",
    `${script}
     COMP_WORDS=(${line.replace(/ $/, ' ""')})
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
     _contact_sheet
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (script, line) => [
    "-f",
    "-c",
    `compdef() {}
     _describe() { print -l -- \${\${(P)2}%%:*} }
     _files() { print -- files }
     compadd() { shift; print -l -- $@ }
     compset() {}
     ${script}
     words=(${line.replace(/ $/, ' ""')})
     CURRENT=$#words
     _contact_sheet`,
  ],
  fish: (script, line) => [
    "--no-config",
    "-c",
    `${script}
     complete -C '${line}' | string replace -r '\\t.*' ''`,
  ],
};

for (const [shell, argumentsFor] of Object.entries(SHELLS)) {
  const isHere = spawnSync(shell, ["-c", "true"]).status === 0;
  if (!isHere) console.warn(`completion_test: ignored, there is no ${shell}`);
  Deno.test({
    name:
      `task completion ${shell} completes commands, their options and words`,
    ignore: !isHere,
    async fn() {
      const { code, output } = await completion(shell);
      strictEqual(code, 0);
      const offered = (line: string) => {
        const args = argumentsFor(output, line);
        const { stdout, stderr } = spawnSync(shell, args, { encoding: "utf8" });
        strictEqual(stderr, "");
        return stdout.trim().split("\n");
      };
      const first = offered("contact-sheet se");
      for (const name of ["search", "serve"]) {
        ok(first.includes(name), `${first}`);
      }
      const flags = offered("contact-sheet search --");
      for (const flag of ["--top", "--mode", "--help"]) {
        ok(flags.includes(flag), `${flags}`);
      }
      ok(!flags.includes("--port"));
      const words = offered("contact-sheet store ");
      ok(words.includes("compact") && words.includes("forget"), `${words}`);
      ok(offered("contact-sheet help l").includes("lab"));
      const values: [line: string, value: string][] = [
        ["search --mode ", "smart"],
        ["search --mode v", "visual"],
        ["search --encoder ", "offline"],
        ["evaluate --precision ", "fp16"],
        ["completion ", "fish"],
        ["crawl --site ", "flickr"],
      ];
      for (const [line, value] of values) {
        const found = offered(`contact-sheet ${line}`);
        ok(found.includes(value), `${line}: ${found}`);
        ok(!found.includes("--top"), `${line}: ${found}`);
      }
      // Bash takes "=" for a word of its own, and zsh completes behind it.
      const behind = shell === "bash" ? " = k" : "=k";
      const shown = offered(`contact-sheet search --preview${behind}`);
      ok(shown.some((one) => one.endsWith("kitty")), `${shown}`);
      ok(!offered("contact-sheet search --preview ").includes("kitty"));
      const any = shell === "bash" ? " = " : "=";
      const all = offered(`contact-sheet search --preview${any}`);
      strictEqual(all.length, PROTOCOLS.length, `${all}`);
      // "store" is a word of the query here.
      ok(!offered("contact-sheet search store ").includes("compact"));
    },
  });
}

Deno.test("task completion names the shells it knows", async () => {
  for (const args of [[], ["tcsh"], ["bash", "zsh"], ["toString"]]) {
    const { code, output } = await completion(...args);
    strictEqual(code, 2);
    match(output, /^completion: expected bash, zsh or fish, got /);
  }
});
