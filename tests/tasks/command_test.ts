import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openEncoder } from "#lib/encoders/encoders.ts";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import {
  ENCODER_OPTION,
  readArguments,
  readNewPath,
  readPath,
  readPrecision,
  readWholeNumber,
} from "../../tasks/command.ts";

const { tasks }: { tasks: Record<string, { command: string }> } = JSON.parse(
  await readFile(join(paths.root, "deno.json"), "utf8"),
);
/** Each command's file. */
const files = Object.entries(tasks).map(([name, { command }]) => {
  const [, file] = command.match(/^deno run -A (tasks\/\w+\.ts)( --\w+)?$/)!;
  return { name, file };
});

/** Runs a program of Deno's text that is told to `runCommand`. */
function runText(command: string, work: string, ...args: string[]) {
  const script = `
    import { CommandError, defineCommand, runCommand } from "./tasks/command.ts";
    const work = async ({ values, positionals, signal }) => { ${work} };
    await runCommand(defineCommand(${command}, work));`;
  return runChild(Deno.execPath(), [
    ...["eval", "--no-config", script, "--", ...args],
  ]);
}

for (const { name, file } of files) {
  Deno.test(`task ${name} --help says what it does, and does nothing`, async () => {
    const args = ["run", "-A", file, "--help", "--no-such-option"];
    const { code, output } = await runChild(Deno.execPath(), args);
    equal(code, 0);
    match(output, new RegExp(`^Usage: (.* )?deno task ${name}\\b`));
    ok(output.split("\n").length > 2);
    ok(output.split("\n").every((line) => [...line].length <= 80));
  });

  Deno.test(`task ${name} starts where no npm package is installed yet`, async () => {
    // Deno looks up all that the text imports when it starts, even what is to
    // be imported later; what is not found then is not found after set-up.
    const { output } = await runChild(
      Deno.execPath(),
      ["info", "--json", file],
      { env: { NO_COLOR: "1" } },
    );
    const { roots, modules }: Graph = JSON.parse(output);
    const found = new Map(modules.map((one) => [one.specifier, one]));
    const pending = [...roots];
    for (const specifier of pending) {
      ok(specifier.startsWith("file:"), specifier);
      ok(!specifier.includes("/node_modules/"), specifier);
      for (const { code } of found.get(specifier)?.dependencies ?? []) {
        const next = code?.specifier;
        if (!next || next.startsWith("node:") || pending.includes(next)) {
          continue;
        }
        pending.push(next);
      }
    }
  });
}

/** What `deno info --json` prints. */
interface Graph {
  roots: string[];
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier: string } }[];
  }[];
}

Deno.test("importLater() imports the module whose type it states", async () => {
  let count = 0;
  for (const { file } of files) {
    const text = await readFile(join(paths.root, file), "utf8");
    const calls = text.matchAll(
      /importLater<\s*typeof import\("(.+?)"\)\s*>\(\s*"(.+?)",?\s*\)/g,
    );
    for (const [, type, path] of calls) {
      equal(path, type, file);
      ok(existsSync(join(paths.root, "tasks", path)), `${file}: ${path}`);
      count++;
    }
  }
  ok(count >= 6);
});

Deno.test("readArguments() reads options and what stands between them", () => {
  const command = {
    help: "Usage: deno task x",
    positionals: "DIR",
    options: {
      top: { type: "string", short: "t", default: "10" },
      json: { type: "boolean", short: "j" },
    },
  } as const;
  const { values, positionals } = readArguments(command, ["a", "--json", "b"]);
  deepEqual({ ...values }, { json: true, top: "10" });
  deepEqual(positionals, ["a", "b"]);
  throws(
    () => readArguments(command, ["--tap", "3"]),
    /^CommandError: x: unknown option --tap; did you mean --top\? --help lists them$/,
  );
  for (const option of ["--top", "-t"]) {
    throws(() => readArguments(command, [option]), {
      message: `x: expected a value after ${option}, got nothing; --help ` +
        "lists what is expected",
    });
  }
  for (const [arg, shown] of [["--json=1", "--json"], ["-j=1", "-j"]]) {
    throws(() => readArguments(command, [arg]), {
      message:
        `x: ${shown} takes no value, got 1; --help lists what is expected`,
    });
  }
  // Whatever it begins with.
  for (const args of [["--top", "-3"], ["-t", "-3"], ["-jt-3"]]) {
    deepStrictEqual(readArguments(command, args).values.top, "-3");
  }
  throws(() => readArguments(command, ["--help=1"]), /--help takes no value/);
  for (const unknown of ["-x", "--no-such-option"]) {
    throws(
      () => readArguments(command, [unknown]),
      { message: `x: unknown option ${unknown}; --help lists them` },
    );
  }
  throws(
    () => readArguments({ help: "Usage: deno task y" }, ["z"]),
    /^CommandError: y: unexpected argument 'z'.*; --help lists what is expected$/,
  );
});

Deno.test("-h and -v hold among other letters, before what is wrong, and not as a value", async () => {
  const help = `{
    help: "Usage: deno task x",
    options: { file: { type: "string", short: "f" }, all: { type: "boolean", short: "a" } },
  }`;
  for (const args of [["-hv"], ["-ah"], ["-x", "-h"], ["--help", "--no"]]) {
    const { code, output } = await runText(help, "", ...args);
    deepStrictEqual({ code, output }, {
      code: 0,
      output: "Usage: deno task x",
    });
  }
  const { output } = await runText(help, "", "-av");
  match(output, /^contact-sheet \d/);
  const read = "console.log(values.file);";
  strictEqual((await runText(help, read, "-f", "-h")).output, "-h");
});

Deno.test("readArguments() quotes the beginning of what is long", () => {
  const long = `--${"a".repeat(5000)}`;
  throws(() => readArguments({ help: "Usage: deno task x" }, [long]), {
    message: `x: unknown option --${"a".repeat(98)}…; --help lists them`,
  });
});

Deno.test("ENCODER_OPTION names the encoders that there are", async () => {
  const { message } = await openEncoder("no such").then(
    () => new Error(),
    (error: Error) => error,
  );
  const names = ENCODER_OPTION.values.join(", ");
  ok(message.includes(`expected ${names}, or a folder`), message);
});

Deno.test("readArguments() takes an option whose value may be left out", () => {
  const command = {
    help: "Usage: deno task x",
    positionals: "TEXT",
    options: {
      preview: {
        type: "string",
        short: "p",
        optional: true,
        values: ["kitty", "blocks"],
      },
      fast: { type: "boolean", short: "n" },
      top: { type: "string", short: "t" },
    },
  } as const;
  const read = (...args: string[]) => {
    const { values, positionals } = readArguments(command, args);
    return { ...values, positionals: positionals.join(" ") };
  };
  const bare = { preview: "", positionals: "cat" };
  deepStrictEqual(read("--preview", "cat"), bare);
  deepStrictEqual(read("-p", "cat"), bare);
  deepStrictEqual(read("--preview=kitty", "cat"), {
    ...bare,
    preview: "kitty",
  });
  for (const one of ["-p=kitty", "-pkitty"]) {
    deepStrictEqual(read(one, "cat"), { ...bare, preview: "kitty" });
  }
  for (const one of ["-t5", "-t=5", "--top=5"]) {
    deepStrictEqual(read(one), { top: "5", positionals: "" }, one);
  }
  const all = { ...bare, fast: true, preview: "kitty" };
  deepStrictEqual(read("-npkitty", "cat"), all);
  deepStrictEqual(read("-npt3", "cat"), { ...bare, fast: true, top: "3" });
  deepStrictEqual(read("--", "-p", "-h", "-"), { positionals: "-p -h -" });
  deepStrictEqual(read("+", "-", "-t", "1"), { top: "1", positionals: "+ -" });
});

Deno.test("readWholeNumber() takes a whole number within bounds, and no other", () => {
  const read = (text: string) => readWholeNumber("k", text, { min: 1, max: 9 });
  deepEqual(["1", "9", "05"].map(read), [1, 9, 5]);
  for (const text of ["0", "10", "1.5", "-1", "1e0", "", " 1", "x"]) {
    throws(
      () => read(text),
      new RegExp(
        `^CommandError: --k: expected a whole number from 1 to 9, got `,
      ),
    );
  }
});

Deno.test("readPath() tells a file from a folder and from nothing", () => {
  const { root } = paths;
  const license = join(root, "LICENSE");
  equal(readPath("--x", license, "file"), license);
  equal(readPath("--x", join(root, "lib"), "folder"), join(root, "lib"));
  throws(
    () => readPath("--x", root, "file"),
    /--x: expected a file, .* is a folder$/,
  );
  throws(() => readPath("--x", license, "folder"), /LICENSE is a file$/);
  throws(() => readPath("--x", "gone", "folder"), /folder, gone is not there$/);
  if (Deno.build.os === "windows") return;
  const link = Deno.makeTempFileSync();
  Deno.removeSync(link);
  Deno.symlinkSync(link, link);
  throws(() => readPath("--x", link, "file"), / is a link that leads nowhere$/);
  Deno.removeSync(link);
  const below = join(license, "below");
  throws(() => readPath("--x", below, "file"), / is not there$/);
  throws(
    () => readPath("--x", "/dev/null", "file"),
    /neither file nor folder$/,
  );
});

Deno.test("readPrecision() takes what an encoder may be opened in", () => {
  deepEqual(["fp32", "fp16", "q8", undefined].map(readPrecision), [
    ...["fp32", "fp16", "q8", undefined],
  ]);
  throws(
    () => readPrecision("int8"),
    /^CommandError: --precision: expected fp32, fp16, q8, got int8$/,
  );
});

Deno.test("runCommand() ends with the work's status, one line where it fails", async () => {
  const help = '{ help: "Usage: deno task x", positionals: "STATUS" }';
  const one = await runText(help, "return Number(positionals[0]);", "3");
  deepEqual(one, { code: 3, output: "" });
  deepEqual(await runText(help, ""), { code: 0, output: "" });
  deepEqual(await runText(help, 'throw new CommandError("no such thing");'), {
    code: 2,
    output: "no such thing",
  });
  const wrong = await runText(help, 'throw new Error("a host is down");');
  deepEqual(wrong, { code: 2, output: "a host is down" });
  // A mistake of our own tells where it is.
  const own = await runText(help, "null.length;");
  match(own.output, /TypeError: [^]*\n +at /);
});

Deno.test({
  name: "runCommand() goes on where the folder that it stands in is gone",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { code, output } = await runText(
      '{ help: "Usage: deno task x" }',
      `const folder = await Deno.makeTempDir();
       Deno.chdir(folder);
       await Deno.remove(folder);
       await new Promise((resolve) => setTimeout(resolve, 1500));
       console.log("done");`,
    );
    deepStrictEqual({ code, output }, { code: 0, output: "done" });
  },
});

Deno.test("runCommand() aborts its signal at Ctrl-C, and ends at the second", async () => {
  const stopAfter = (count: number, work: string) =>
    runText(
      '{ help: "Usage: deno task x" }',
      `for (let i = 1; i <= ${count}; i++) {
         setTimeout(() => Deno.kill(Deno.pid, "SIGINT"), 200 * i);
       }
       ${work}`,
    );
  const patient = await stopAfter(
    1,
    `await new Promise((resolve) => signal.addEventListener("abort", resolve));
     console.log("put away");`,
  );
  equal(patient.output, "Stopping …\nput away");
  const deaf = await stopAfter(2, "await new Promise(() => {});");
  equal(deaf.output, "Stopping …");
  for (const { code } of [patient, deaf]) ok(code !== 0);
});

for (
  const [what, work] of Object.entries({
    "for ever": "await new Promise(() => {});",
    "for a pipe": `const path = await Deno.makeTempFile();
      await Deno.remove(path);
      await new Deno.Command("mkfifo", { args: [path] }).output();
      await Deno.readTextFile(path);`,
    "in a computation": "while (true);",
  })
) {
  Deno.test({
    name: `runCommand() ends with 130 at Ctrl-C, though its work waits ${what}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      // From another process, since some work leaves its own no time; and again
      // and again, since the first may come before anybody listens.
      const signal = `new Deno.Command("sh", { args: ["-c",
        "sleep .7; while kill -INT " + Deno.pid + "; do sleep 3; done"
      ], stderr: "null" }).spawn();
      await new Promise((resolve) => setTimeout(resolve, 500));`;
      const help = '{ help: "Usage: deno task x" }';
      const { code } = await runText(help, signal + work);
      strictEqual(code, 130);
    },
  });
}

Deno.test({
  name: "runCommand() leaves no child behind, whatever that does about signals",
  ignore: Deno.build.os === "windows",
  async fn() {
    // Not told of the signal: nobody but the end of this process can end it.
    const { output } = await runText(
      '{ help: "Usage: deno task x" }',
      `const { runChild } = await import("./tasks/child.ts");
       setTimeout(() => Deno.kill(Deno.pid, "SIGTERM"), 500);
       await runChild("sh", ["-c",
         "trap '' TERM INT; sleep 60 & echo $! $$; wait; sleep 60"
       ], { onLine: (line) => console.log(line) });`,
    );
    const [ids] = output.match(/^\d+ \d+$/m)!;
    const args = ["-o", "stat=", "-p", ids.replace(" ", ",")];
    // Z: it has ended, and nobody has asked yet how.
    const gone = /^(Z\S*\s+)*$/;
    const states = () => spawnSync("ps", args, { encoding: "utf8" }).stdout;
    // On a busy machine a killed process takes a moment to go.
    for (let i = 0; i < 40 && !gone.test(states()); i++) await sleep(50);
    match(states(), gone);
  },
});

Deno.test("readNewPath() takes a file's name in a folder that is there, and makes nothing", async () => {
  const folder = await Deno.makeTempDir();
  const name = join(folder, "hits.json");
  equal(readNewPath("--hits", name), name);
  await Deno.writeTextFile(name, "old");
  equal(readNewPath("--hits", name), name);
  const cases: [path: string, message: RegExp][] = [
    [
      join(folder, "no", "hits.json"),
      /^--hits: expected a folder, .*no is not/,
    ],
    [
      join(name, "hits.json"),
      /^--hits: expected a folder, .*hits.json is a file$/,
    ],
    [folder, /^--hits: expected the name of a file to write, got /],
    [`${folder}/new/`, /^--hits: expected the name of a file to write, got /],
    ["", /^--hits: expected the name of a file to write, got ""$/],
  ];
  if (Deno.build.os !== "windows") cases.push(["/dev/null", /name of a file/]);
  for (const [path, message] of cases) {
    throws(() => readNewPath("--hits", path), {
      name: "CommandError",
      message,
    });
  }
  deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [
    "hits.json",
  ]);
  await Deno.remove(folder, { recursive: true });
});
