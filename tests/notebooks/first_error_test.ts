import { match, strictEqual } from "node:assert/strict";
import { firstOfRun } from "#lib/display/first_error.ts";
import { runChild } from "../../tasks/child.ts";
import { jupyterEnvironment, notebookKernel } from "../../tasks/kernel.ts";
import { venvPython } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";
import { notebooksFolder } from "../../tasks/execute.ts";

const ignore = !isDone(notebookKernel);
if (ignore) console.warn("first_error_test: skipped, run task setup first");

Deno.test("firstOfRun() takes what fails soon after for a result, of whatever kind it is", () => {
  const first = new RangeError("first");
  const missing = new ReferenceError("a is not defined");
  const empty = new RangeError("expected one value or more");
  const run = { error: first, lastAt: 1000 };
  strictEqual(firstOfRun(undefined, missing, 0), missing);
  strictEqual(firstOfRun(run, missing, 2000), first);
  strictEqual(firstOfRun(run, empty, 31_000), first, "after a long wait");
  strictEqual(firstOfRun(run, empty, 90_000), empty, "another run");
});

/** Runs all cells whatever fails, as JupyterLab does; prints each one's text. */
const RUN_ALL = `
import json, sys, nbformat
from nbclient import NotebookClient
sources, folder = json.loads(sys.argv[1]), sys.argv[2]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
NotebookClient(notebook, kernel_name="deno", allow_errors=True,
               resources={"metadata": {"path": folder}}).execute()
print(json.dumps([" ".join(o.evalue if o.output_type == "error" else o.data["text/plain"]
                           for o in cell.outputs) for cell in notebook.cells]))
`;

Deno.test({
  name: "after a Run All with errors, the first is what stands below the last",
  ignore,
  async fn() {
    const { output } = await runChild(venvPython, [
      "-c",
      RUN_ALL,
      JSON.stringify([
        `import { watchErrors } from "#lib/display/first_error.ts";
         const watch = watchErrors();`,
        'try { throw new Error("caught") } catch (error) { error.stack.length > 9 }',
        'const size = 8; throw new RangeError("size: expected 9, got 8");',
        "const vectors = pixels.slice(size);",
        '"goes on"',
        'throw new TypeError("expected one value or more")',
        "watch.report()",
        "watch.report()",
      ]),
      notebooksFolder,
    ], { env: jupyterEnvironment });
    const texts: string[] = JSON.parse(output.trim().split("\n").at(-1)!);
    strictEqual(texts[1], "true");
    strictEqual(texts[2], "size: expected 9, got 8");
    for (const text of [texts[3], texts[5]]) {
      match(
        text,
        /✗ An earlier error, .*: RangeError: size: expected 9, got 8/,
      );
    }
    match(texts[6], /✗ The first error: RangeError: size: expected 9, got 8/);
    strictEqual(texts[4], '"goes on"');
    strictEqual(texts[7], "✓ No cell that ran threw an error.");
  },
});
