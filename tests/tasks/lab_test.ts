import { equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";

const ignore = !existsSync(join(paths.venv, "packages.json"));
if (ignore) console.warn("lab_test: skipped, run deno task setup first");

const lab = (...args: string[]) => ["run", "-A", "tasks/lab.ts", ...args];

Deno.test({
  name: "task lab offers the Deno kernel alone, to who has its token",
  ignore,
  async fn() {
    const child = spawn(Deno.execPath(), lab("--no-browser"), {
      cwd: paths.root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    const lines = createInterface({ input: child.stdout });
    const [line] = await once(lines, "line");
    const [, origin, token] = line.match(
      /^JupyterLab: (http:\/\/127\.0\.0\.1:\d+)\/lab\?token=([\w-]+)$/,
    );
    try {
      const specs = await fetch(`${origin}/api/kernelspecs?token=${token}`);
      const { default: name, kernelspecs } = await specs.json();
      equal(name, "deno");
      equal(Object.keys(kernelspecs).join(), "deno");
      const [program] = kernelspecs.deno.spec.argv;
      equal(program.startsWith(paths.venv), true);

      const stranger = await fetch(`${origin}/api/kernelspecs`);
      await stranger.body?.cancel();
      equal(stranger.status, 403);

      const port = new URL(origin).port;
      const second = await runChild(Deno.execPath(), lab("--port", port));
      equal(second.code, 2);
      match(second.output, new RegExp(`--port: ${port} .* taken`));
    } finally {
      // As after a crash: Python must notice by itself.
      process.kill(child.pid!, "SIGKILL");
      await ended;
    }
    await gone(origin);
  },
});

Deno.test("task lab refuses a port that is none", async () => {
  const { code, output } = await runChild(Deno.execPath(), lab("--port=x"));
  equal(code, 2);
  equal(output, "--port: expected a whole number from 1 to 65535, got x");
});

/** Ends when nobody answers at `origin` any more. */
async function gone(origin: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${origin}/api`).catch(() => undefined);
    if (!answer) return;
    await answer.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`JupyterLab still answers at ${origin}`);
}
