import { deepEqual, equal, rejects } from "node:assert/strict";
import { runChild } from "../../tasks/child.ts";

Deno.test("runChild() gives lines as they come, and all of them", async () => {
  const seen: string[] = [];
  const { code, output } = await runChild(
    "sh",
    ["-c", "echo one; sleep 0.1; echo two >&2; exit 3"],
    { onLine: (line, stream) => seen.push(`${stream}: ${line}`) },
  );
  equal(code, 3);
  equal(output, "one\ntwo");
  deepEqual(seen, ["stdout: one", "stderr: two"]);
});

Deno.test("runChild() gives 127 for a program that is not there", async () => {
  const { code, output } = await runChild("no-such-program", []);
  equal(code, 127);
  equal(output.includes("no-such-program"), true);
});

Deno.test("runChild() closes the child's input when it is stopped", async () => {
  const abort = new AbortController();
  const lines: string[] = [];
  const child = runChild(
    "sh",
    ["-c", "trap '' TERM; echo ready; cat; echo input closed"],
    {
      signal: abort.signal,
      onLine(line) {
        lines.push(line);
        if (line === "ready") abort.abort(new Error("stopped"));
      },
    },
  );
  await rejects(child, /stopped/);
  deepEqual(lines, ["ready", "input closed"]);
});

Deno.test("runChild() kills a child that does not end by itself", async () => {
  const abort = new AbortController();
  const child = runChild(
    "sh",
    ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
    {
      signal: abort.signal,
      onLine: () => abort.abort(new Error("stopped")),
    },
  );
  await rejects(child, /stopped/);
});
