import { deepEqual, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { jupyterEnvironment, notebookKernel } from "../../tasks/kernel.ts";
import { venvPython } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";

const ignore = !isDone(notebookKernel);
if (ignore) console.warn("execute_test: skipped, run deno task setup first");

const script = join(paths.root, "tasks", "execute.py");

Deno.test({
  name: "execute.py writes the same bytes twice, without stray metadata",
  ignore,
  async fn() {
    const cells = [
      "for (let i = 0; i < 30; i++) { console.log(i); await 0; } undefined",
      'console.log("a"); await Deno.jupyter.display({ "text/plain": "D" }, { raw: true }); console.log("b"); 5',
    ];
    const [first, second] = await Promise.all([execute(cells), execute(cells)]);
    equal(first.code, 0);
    equal(first.notebook, second.notebook);

    const { cells: [one, two], metadata } = JSON.parse(first.notebook);
    equal(one.outputs.length, 1, "one stream, no pieces");
    equal(one.outputs[0].text.length, 30);
    deepEqual(two.outputs[0].text, ["a\n", "b\n"]);
    equal(two.outputs[1].data["text/plain"][0], "D");
    deepEqual(one.metadata, { tags: ["timing"] });
    deepEqual(Object.keys(metadata), ["kernelspec", "language_info"]);
    deepEqual(first.events.map(({ event }) => event), [
      ...["notebook", "cell", "cell", "written"],
    ]);
  },
});

Deno.test({
  name: "execute.py ends at a failed cell, names it and keeps what came before",
  ignore,
  async fn() {
    const { code, events, notebook } = await execute([
      'console.log("before")',
      'throw new RangeError("expected 3, got 4")',
      'console.log("after")',
    ]);
    equal(code, 1);
    const error = events.at(-1)!;
    equal(error.cell, "cell-2");
    match(error.error, /^RangeError: expected 3, got 4/);
    const counts = JSON.parse(notebook).cells.map((
      cell: { execution_count: number | null },
    ) => cell.execution_count);
    deepEqual(counts, [1, 2, null]);
  },
});

Deno.test({
  name: "execute.py puts code behind a cell, shown in the executed notebook",
  ignore,
  async fn() {
    const { code, notebook } = await execute(
      ["const k = 5;", "k + 1"],
      JSON.stringify({ "1_a": { "cell-1": "const k = 7;" }, "2_b": { x: "" } }),
    );
    equal(code, 0);
    const { cells } = JSON.parse(notebook);
    deepEqual(cells.map(({ id }: { id: string }) => id), [
      ...["cell-1", "cell-1-inserted", "cell-2"],
    ]);
    deepEqual(cells[1].source, ["const k = 7;"]);
    deepEqual(cells[2].outputs[0].data["text/plain"], ["8"]);
  },
});

for (const victim of ["execute.py", "its parent"]) {
  Deno.test({
    name: `no kernel outlives a kill -9 of ${victim}`,
    ignore: ignore || Deno.build.os !== "linux", // reads /proc
    async fn() {
      const folder = await writeNotebook([
        `const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
         Deno.writeTextFileSync("pids.part", [Deno.pid, child.pid].join(" "));
         Deno.renameSync("pids.part", "pids");
         await new Promise((resolve) => setTimeout(resolve, 600_000));`,
      ]);
      // A parent between this test and execute.py, as `task demo` is.
      const parent = spawn(Deno.execPath(), [
        "eval",
        `import { spawn } from "node:child_process";
         const child = spawn(${JSON.stringify(venvPython)},
           ${
          JSON.stringify([script, folder, "{}", join(folder, "1_a.ipynb")])
        });
         console.log(child.pid);
         child.once("exit", () => child.stdin.end());
         child.stdout.resume();
         child.stderr.resume();`,
      ], {
        env: { ...process.env, ...jupyterEnvironment },
        stdio: ["ignore", "pipe", "ignore"],
      });
      const runner = await new Promise<number>((resolve) =>
        parent.stdout.once("data", (data) => resolve(Number(data)))
      );
      while (!existsSync(join(folder, "pids"))) await sleep(50);
      const pids = await readFile(join(folder, "pids"), "utf8");
      const family = [runner, ...pids.split(" ").map(Number)];
      await sleep(500); // The watcher is started beside the first cell.
      try {
        deepEqual(family.filter(isRunning), family);
        process.kill(
          victim === "execute.py" ? runner : parent.pid!,
          "SIGKILL",
        );
        for (let i = 0; i < 80 && family.some(isRunning); i++) await sleep(100);
        deepEqual(family.filter(isRunning), []);
      } finally {
        for (const pid of family.filter(isRunning)) {
          process.kill(pid, "SIGKILL");
        }
        parent.kill("SIGKILL");
        if (parent.exitCode === null && !parent.signalCode) {
          await once(parent, "exit");
        }
      }
    },
  });
}

async function execute(cells: string[], insert = "{}") {
  const folder = await writeNotebook(cells);
  const events: { event: string; cell: string; error: string }[] = [];
  const { code } = await runChild(
    venvPython,
    [script, join(folder, "out"), insert, join(folder, "1_a.ipynb")],
    {
      env: jupyterEnvironment,
      onLine: (line, stream) =>
        stream === "stdout" && events.push(JSON.parse(line)),
    },
  );
  const notebook = await readFile(join(folder, "out", "1_a.ipynb"), "utf8");
  return { code, events, notebook };
}

/** Writes a notebook of these code cells to a new folder. */
async function writeNotebook(cells: string[]): Promise<string> {
  const folder = await Deno.makeTempDir();
  await writeFile(
    join(folder, "1_a.ipynb"),
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: "deno", display_name: "x" }, stray: 1 },
      cells: cells.map((source, index) => ({
        cell_type: "code",
        id: `cell-${index + 1}`,
        metadata: { tags: ["timing"], stray: 1 },
        execution_count: null,
        outputs: [],
        source,
      })),
    }),
  );
  return folder;
}

/** Whether a process is there and not a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
