/** What the tests of lib/display have in common. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import sharp from "sharp";
import { type Displayable, jupyterDisplay } from "#lib/display/display.ts";
import { paths } from "#lib/paths.ts";

/** Text from outside that would be markup, or steer a terminal. */
export const HOSTILE = `"><img src=x onerror='alert(1)'>&\u001b[2J\nnext`;

/** Its MIME type says that it is drawn by Plotly. */
export const PLOTLY = "application/vnd.plotly.v1+json";

/** What the kernel gets. */
export function bundle(shown: Displayable): Record<string, string> {
  return shown[jupyterDisplay]() as Record<string, string>;
}

/** A photograph-like picture: noise does not compress away. */
export function picture(width: number, height: number): Promise<Uint8Array> {
  const noise = { type: "gaussian", mean: 128, sigma: 12 } as const;
  return sharp({
    create: { width, height, channels: 3, background: "teal", noise },
  })
    .png().toBuffer();
}

/** What is left of the HTML once every element that we write is removed. */
export function foreignMarkup(html: string): string[] {
  const ours =
    /<\/?(table|thead|tbody|tr|td|th|div|p|b|i|br|span|progress|img)( [a-z-]+="[^"<>]*")*>/g;
  return html.replace(ours, "").match(/[<>]/g) ?? [];
}

/** Runs a script in a process of its own, in this project. */
export function runScript(code: string, env: Record<string, string> = {}) {
  return spawn(Deno.execPath(), ["eval", "--no-lock", code], {
    cwd: paths.root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** What a script printed, and how it ended. */
export async function outcome(script: ReturnType<typeof runScript>) {
  const output = { stdout: "", stderr: "" };
  script.stdout.on("data", (chunk) => output.stdout += chunk);
  script.stderr.on("data", (chunk) => output.stderr += chunk);
  const timer = setTimeout(() => script.kill("SIGKILL"), 60_000);
  const [code, signal] = await once(script, "close");
  clearTimeout(timer);
  return { ...output, code, signal };
}
