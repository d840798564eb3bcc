import { deepEqual, equal, match, rejects } from "node:assert/strict";
import {
  chmod,
  cp,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { takeLock } from "../../tasks/lock.ts";
import { venvPython } from "../../tasks/python.ts";

Deno.test("findPython() asks the programs on PATH and says what was found", async () => {
  const folder = await Deno.makeTempDir();
  const { output: python } = await runChild("python3", [
    ...["-c", "import sys; print(sys.executable)"],
  ]);
  /** Runs what it is asked with the real Python, but another's looks. */
  const pretend = (looks: string) =>
    `exec ${python} -c "import sys; ${looks}; exec(sys.argv[1])" "$2"`;
  const version = (text: string) =>
    `sys.version_info = (${text.replaceAll(".", ", ")})`;
  const found = async (programs: Record<string, string>) => {
    for (const name of await readdir(folder)) await rm(join(folder, name));
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder, name), 0o755);
    }
    const { output } = await evaluate(
      paths.root,
      `import { findPython } from "./tasks/python.ts";
       console.log(await findPython().catch((error) => error.message));`,
      { PATH: folder },
    );
    return output;
  };
  match(
    await found({}),
    /^Python 3\.10 or later with its venv module is needed; found no python3, python or py on PATH\. Install it from python\.org .* run this again\.$/,
  );
  match(
    await found({
      python3: pretend(version("3.9.2")),
      python: "echo not a Python",
      py: pretend(version("2.7.18")),
    }),
    /found python3 3\.9\.2 \(too old\), py 2\.7\.18 \(too old\)\. Install it from/,
  );
  const withoutVenv = `${version("3.11.2")}; sys.modules['ensurepip'] = None`;
  match(
    await found({ python3: pretend(withoutVenv) }),
    /found python3 3\.11\.2 \(without venv\)\. Install that module .* apt install python3-venv/,
  );
  equal(
    await found({
      python3: pretend(withoutVenv),
      py: pretend(version("3.10.0")),
      "python3.14": pretend(version("3.14.0")),
    }),
    "py",
  );
  await rm(folder, { recursive: true });
});

Deno.test({
  name: "set-up of .venv is repaired, updated, and kept without a network",
  ignore: !existsSync(venvPython),
  async fn() {
    await using project = await makeProject();
    const at = (...names: string[]) => join(project.folder, ...names);
    await writeFile(at("constraints.txt"), "");
    const bin = at("bin");
    await writeQuickPython(bin);
    const require = (line: string) =>
      writeFile(at("requirements.txt"), line + "\n");
    const setUp = () =>
      project.run(
        `import { pythonPackages, virtualEnvironment } from "./tasks/python.ts";
       const steps = [virtualEnvironment, pythonPackages];`,
        // A package index that refuses connections; no other is known.
        {
          PATH: `${bin}:${process.env.PATH}`,
          PIP_CONFIG_FILE: "/dev/null",
          PIP_INDEX_URL: "http://127.0.0.1:9/simple",
          PIP_RETRIES: "1",
        },
      );
    const made = /^Set-up: virtual environment, done \(\d+ s\)$/m;
    const installed = async () =>
      (await readdir(at(".venv"), { recursive: true }))
        .map((path) => path.split("/").at(-1)!)
        .filter((name) => /^tiny/.test(name)).toSorted();

    const wheel = await makeWheel(project.folder, "1.0");
    await require(wheel);
    const first = await setUp();
    match(first, made);
    match(first, /^Set-up: Python packages, done \(\d+ s\)\ndone$/m);
    deepEqual(await installed(), ["tiny-1.0.dist-info", "tiny.py"]);
    equal(await setUp(), "done", "a second run is silent");

    await require("no-such-package==1.0");
    match(
      await setUp(),
      /Set-up stopped at Python packages: pip has no connection to its package index: .*\nNothing is lost: run the command again to go on\.$/,
    );
    await require(wheel);
    equal(await setUp(), "done", "what was there is still in use");

    await require(await makeWheel(project.folder, "2.0"));
    equal(made.test(await setUp()), false, "updated where it is");
    deepEqual(await installed(), ["tiny-2.0.dist-info", "tiny.py"]);

    // From where pip begins to write, a stop leaves an environment to make anew.
    // Here it is a link besides, to another project's, which is not touched.
    await require(await makeWheel(project.folder, "3.0", { whole: false }));
    match(await setUp(), /^Set-up stopped at Python packages: pip install: /m);
    await rename(at(".venv"), at("elsewhere"));
    await symlink(at("elsewhere"), at(".venv"));
    await require(await makeWheel(project.folder, "4.0"));
    match(await setUp(), made);
    deepEqual(await installed(), ["tiny-4.0.dist-info", "tiny.py"]);
    equal(existsSync(at("elsewhere", "pyvenv.cfg")), true);
  },
});

/** Steps that write a file each, and say so. */
const STEPS = `
  import { writeFile } from "node:fs/promises";
  import { existsSync, rmSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  const step = (name, work = () => {}) => ({
    name, stamp: name + ".json", files: ["made_from"],
    outputs: [name + ".txt"],
    inputs: () => ({ version: process.env.VERSION ?? "1" }),
    async run(onStage, signal) {
      console.log("making " + name);
      await work(onStage, signal);
      await writeFile(name + ".txt", name);
    },
  });`;

Deno.test("set-up does what is not done, in order, and is silent where all is", async () => {
  await using project = await makeProject();
  const steps = `${STEPS} const steps = [step("one"), step("two")];`;
  const made = async (env?: Record<string, string>) =>
    (await project.run(steps, env)).match(/(?<=^making )\w+/gm)?.join(" ");
  equal(await made(), "one two");
  equal(await project.run(steps), "done");
  await rm(join(project.folder, "two.txt"));
  equal(await made(), "two", "a result that is gone");
  await writeFile(join(project.folder, "one.txt"), "cut");
  equal(await made(), undefined, "of the same size");
  await writeFile(join(project.folder, "one.txt"), "c");
  equal(await made(), "one", "a result cut short");
  await writeFile(join(project.folder, "one.json"), '{"inp');
  equal(await made(), "one", "a damaged stamp");
  equal(await made({ VERSION: "2" }), "one two", "made from something else");
  await made();
  await writeFile(join(project.folder, "made_from"), "another");
  equal(await made(), "one two", "from a file that has changed");
});

Deno.test("set-up says at which step it stopped, and goes on from there", async () => {
  await using project = await makeProject();
  const steps = (work: string) =>
    `${STEPS} const steps = [step("one"), step("two", ${work}), step("three")];`;
  const failed = await project.run(
    steps('() => { throw new Error("no space left"); }'),
  );
  match(failed, /^Set-up stopped at two: no space left\nNothing is lost: .*$/m);
  equal(existsSync(join(project.folder, "three.txt")), false);
  const output = await project.run(steps("undefined"));
  deepEqual(output.match(/^making \w+/gm), ["making two", "making three"]);
});

Deno.test("set-up tells stages, ends at Ctrl-C, and a killed one is resumed", async () => {
  await using project = await makeProject();
  const script = project.script(
    `${STEPS} const steps = [step("one"), step("slow", async (onStage, signal) => {
       onStage("half of it");
       if (!process.env.FAST) await sleep(60_000, undefined, { signal });
     })];`,
  );
  for (const [signal, status] of [["SIGINT", 130], ["SIGKILL", 137]] as const) {
    const child = new Deno.Command(Deno.execPath(), {
      args: script,
      cwd: project.folder,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    for await (const data of child.stdout) {
      if (new TextDecoder().decode(data).includes("making slow")) {
        child.kill(signal);
      }
    }
    equal((await child.status).code, status);
    match(await stderr, /^Set-up: slow …$/m);
    equal((await stderr).includes("\nStopping …\n"), signal === "SIGINT");
    equal(existsSync(join(project.folder, "slow.json")), false);
  }
  const { output } = await runChild(Deno.execPath(), script, {
    cwd: project.folder,
    env: { FAST: "1" },
  });
  deepEqual(output.match(/^making \w+/gm), ["making slow"]);
});

Deno.test("two set-ups at once: the second waits, and finds all done", async () => {
  await using project = await makeProject();
  const script = project.script(
    `${STEPS} const steps = [step("one", () => sleep(1500))];`,
  );
  const outputs = await Promise.all([0, 1].map(async () => {
    const options = { cwd: project.folder };
    return (await runChild(Deno.execPath(), script, options)).output;
  }));
  const [waited, made] = outputs.toSorted();
  match(made, /^Set-up: one …\nmaking one\n.*\ndone$/);
  equal(
    waited,
    "Set-up is running in another window: waiting for it …\ndone",
  );
});

Deno.test("task setup --help names --large, and a wrong option is quoted", async () => {
  const task = join(paths.root, "tasks", "setup.ts");
  const run = (arg: string) =>
    runChild(Deno.execPath(), ["run", "-A", task, arg]);
  const help = await run("--help");
  equal(help.code, 0);
  match(help.output, /^Usage: deno task setup \[--large\]$/m);
  const wrong = await run("--lage");
  equal(wrong.code, 2);
  match(
    wrong.output,
    /^setup: unknown option --lage; did you mean --large\? --help lists them$/,
  );
});

/** A folder with all that set-up needs before anything is installed. */
async function makeProject() {
  const folder = await Deno.makeTempDir();
  await cp(join(paths.root, "tasks"), join(folder, "tasks"), {
    recursive: true,
  });
  await writeFile(join(folder, "made_from"), "");
  for (const name of ["lib/paths.ts", "lib/files.ts", "deno.json"]) {
    await cp(join(paths.root, name), join(folder, name));
  }
  /** Arguments of Deno for a set-up of steps that `script` declares. */
  const script = (steps: string) => [
    ...["eval", "--no-config", "--no-npm"],
    `${steps}
          import { ensureSetup } from "./tasks/setup.ts";
     import { defineCommand, runCommand } from "./tasks/command.ts";
     const help = "Usage: deno task x";
     await runCommand(defineCommand({ help }, async ({ signal }) => {
       await ensureSetup(signal, steps);
       console.log("done");
     }));`,
  ];
  return {
    folder,
    script,
    async run(steps: string, env?: Record<string, string>) {
      const options = { cwd: folder, env: { ...env, NO_COLOR: "1" } };
      return (await runChild(Deno.execPath(), script(steps), options)).output;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Runs a script that imports from `project`. */
function evaluate(
  project: string,
  script: string,
  env: Record<string, string>,
) {
  return runChild(Deno.execPath(), ["eval", "--no-config", script], {
    cwd: project,
    env: { ...env, NO_COLOR: "1" },
  });
}

/** Writes a python3 that makes environments with the pip of this project's. */
async function writeQuickPython(bin: string): Promise<void> {
  const { output } = await runChild(venvPython, [
    ...["-c", "import pip, sys; print(sys._base_executable, pip.__path__[0])"],
  ]);
  const [python, pip] = output.split(" ");
  await mkdir(bin);
  await writeFile(
    join(bin, "python3"),
    `#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  ${python} -m venv --without-pip "$3"
  cp -r "${pip}" "$3"/lib/python*/site-packages
else
  exec ${python} "$@"
fi
`,
  );
  await chmod(join(bin, "python3"), 0o755);
}

/** Makes a Python package of one empty module; returns its wheel's path. */
async function makeWheel(
  folder: string,
  version: string,
  { whole = true } = {},
): Promise<string> {
  const name = `tiny-${version}`;
  const wheel = join(folder, `${name}-py3-none-any.whl`);
  const info = `${name}.dist-info`;
  await mkdir(join(folder, info), { recursive: true });
  const files = {
    "tiny.py": "",
    [`${info}/METADATA`]:
      `Metadata-Version: 2.1\nName: tiny\nVersion: ${version}\n`,
    [`${info}/WHEEL`]:
      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    ...(whole && { [`${info}/RECORD`]: "" }),
  };
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(folder, path), text);
  }
  await runChild("python3", ["-m", "zipfile", "-c", wheel, "tiny.py", info], {
    cwd: folder,
  });
  return wheel;
}

Deno.test("a lock that this user may not take is told in words", async () => {
  await rejects(takeLock("no/such"), {
    name: "CommandError",
    message:
      /^no\/such is to be done, and .* cannot be written \(.*\): let the/,
  });
});
