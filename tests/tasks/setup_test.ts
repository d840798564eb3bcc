import { deepEqual, equal, match, throws } from "node:assert/strict";
import { chmod, cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { choosePython } from "../../tasks/find_python.ts";

Deno.test("choosePython() takes the first that will do", () => {
  const python = { program: "python3", version: [3, 9, 2], venv: true };
  const newer = { program: "python3.12", version: [3, 12, 1], venv: true };
  equal(choosePython([python, newer]), newer);
});

Deno.test("choosePython() says what was found and what to do", () => {
  throws(() => choosePython([]), /found no python3, python or py on PATH/);
  throws(
    () => choosePython([{ program: "py", version: [2, 7, 18], venv: false }]),
    /Python 3\.10 or later .* found py 2\.7\.18 \(too old\).* python\.org/,
  );
  throws(
    () => choosePython([{ program: "py", version: [3, 11, 2], venv: false }]),
    /found py 3\.11\.2 \(without venv\).* apt install python3-venv/,
  );
});

Deno.test("findPython() asks the programs on PATH and passes over others", async () => {
  const folder = await Deno.makeTempDir();
  const found = async (programs: Record<string, string>) => {
    for (const name of await readdir(folder)) await rm(join(folder, name));
    for (const [name, answer] of Object.entries(programs)) {
      await writeFile(join(folder, name), `#!/bin/sh\necho '${answer}'\n`);
      await chmod(join(folder, name), 0o755);
    }
    const { output } = await evaluate(
      paths.root,
      `import { findPython } from "./tasks/find_python.ts";
       console.log(await findPython().then((it) => it.program, (error) => error.message));`,
      { PATH: folder },
    );
    return output;
  };
  match(await found({}), /found no python3, python or py on PATH/);
  match(
    await found({ python3: "[[3, 6, 15], true]", python: "not a Python" }),
    /found python3 3\.6\.15 \(too old\)\./,
  );
  equal(
    await found({ python3: "[[3, 11, 2], false]", py: "[[3, 10, 0], true]" }),
    "py",
  );
  await rm(folder, { recursive: true });
});

Deno.test("set-up of .venv is repaired, updated, and kept without a network", async () => {
  const project = await Deno.makeTempDir();
  await cp(join(paths.root, "tasks"), join(project, "tasks"), {
    recursive: true,
  });
  for (const name of ["paths.ts", "files.ts"]) {
    await cp(join(paths.root, "lib", name), join(project, "lib", name));
  }
  await writeFile(join(project, "constraints.txt"), "");
  const site = join(project, ".venv", "lib");
  const require = (line: string) =>
    writeFile(join(project, "requirements.txt"), line + "\n");
  const setUp = (env: Record<string, string> = {}) =>
    evaluate(
      project,
      `import { pythonReady, setUpPython } from "./tasks/python.ts";
       const before = pythonReady();
       await setUpPython(() => {}).catch((error) => console.log(error.message));
       console.log(before, pythonReady());`,
      env,
    );
  // A package index that refuses connections; no other is known.
  const offline = {
    PIP_CONFIG_FILE: "/dev/null",
    PIP_INDEX_URL: "http://127.0.0.1:9/simple",
    PIP_RETRIES: "1",
  };

  await require(await makeWheel(project, "1.0"));
  equal((await setUp(offline)).output, "false true");
  equal((await setUp(offline)).output, "true true");

  // As a stop in the midst of writing leaves it: listed as there, but is not.
  const [module] = await find(site, "tiny.py");
  await rm(module);
  await rm(join(project, ".venv", "contact-sheet.json"));
  equal((await setUp(offline)).output, "false true");
  equal(existsSync(module), true);

  await require("no-such-package==1.0");
  const { output } = await setUp(offline);
  match(output, /^pip has no connection to its package index: .*\nfalse false/);
  equal(existsSync(module), true);

  await require(await makeWheel(project, "2.0"));
  equal((await setUp(offline)).output, "false true");
  deepEqual((await find(site, "tiny-2.0.dist-info")).length, 1);
  await rm(project, { recursive: true });
});

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

/** Makes a Python package of one empty module; returns its wheel's path. */
async function makeWheel(folder: string, version: string): Promise<string> {
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
    [`${info}/RECORD`]: "",
  };
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(folder, path), text);
  }
  await runChild("python3", ["-m", "zipfile", "-c", wheel, "tiny.py", info], {
    cwd: folder,
  });
  return wheel;
}

async function find(folder: string, name: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true });
  return found.filter((path) => path.endsWith(`/${name}`))
    .map((path) => join(folder, path));
}
