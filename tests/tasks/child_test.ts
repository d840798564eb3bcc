import { deepEqual, equal, rejects } from "node:assert/strict";
import { runChild, runOrFail } from "../../tasks/child.ts";

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

Deno.test("runChild() asks a child to end by SIGTERM first", async () => {
  const abort = new AbortController();
  const lines: string[] = [];
  const child = runChild(
    "sh",
    [
      "-c",
      "trap 'echo asked; exit' TERM; echo ready; while :; do sleep .1; done",
    ],
    {
      signal: abort.signal,
      onLine(line) {
        lines.push(line);
        if (line === "ready") abort.abort(new Error("stopped"));
      },
    },
  );
  await rejects(child, /stopped/);
  deepEqual(lines, ["ready", "asked"]);
});

Deno.test("runOrFail() quotes errors, or the last lines, and the deepest cause", async () => {
  const told = (script: string) =>
    runOrFail("it", "sh", ["-c", script]).then(
      () => "",
      ({ message }) => message,
    );
  equal(await told("echo fine"), "");
  equal(
    await told("echo error: a; echo b; echo '  c'; exit 1"),
    "it: error: a\n  c",
  );
  equal(await told("seq 5; exit 1"), "it: 3\n4\n5");
  equal(await told("exit 7"), "it: ended with status 7");
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
