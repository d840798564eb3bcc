/**
 * Shows a file in the system's file manager, or opens it as the system does, by
 * the program that each system has for it. No shell reads the file's name.
 *
 * ```ts
 * import { fileManagerFor } from "#lib/search_page/server/reveal.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(fileManagerFor("/photos/owl.jpg", "linux"), ["xdg-open", ["/photos"]]);
 * ```
 *
 * @module
 */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";

/** What says nothing for so long has opened. */
const OPENED_MS = 1500;

/** The program that shows a file, and what it is told. */
export function fileManagerFor(
  file: string,
  platform: string = process.platform,
): [program: string, args: string[]] {
  if (platform === "darwin") return ["open", ["-R", file]];
  if (platform === "win32") return ["explorer", [`/select,${file}`]];
  return ["xdg-open", [dirname(file)]];
}

/** Shows a file; otherwise says why not, in a sentence. */
export async function reveal(file: string): Promise<string | undefined> {
  return await start(...fileManagerFor(file), file);
}

/** Opens a file or an address; otherwise says why not, in a sentence. */
export async function openOutside(target: string): Promise<string | undefined> {
  const programs: Record<string, string> = {
    darwin: "open",
    win32: "explorer",
  };
  return await start(
    programs[process.platform] ?? "xdg-open",
    [target],
    target,
  );
}

function start(
  program: string,
  args: string[],
  target: string,
): Promise<string | undefined> {
  const child = spawn(program, args, { detached: true, stdio: "ignore" });
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, OPENED_MS, undefined);
    const end = (trouble?: string) => {
      clearTimeout(timer);
      resolve(trouble && `${trouble}: open ${target} yourself`);
    };
    // Not before: of one that did not start, there is nothing to let go of.
    child.on("spawn", () => child.unref());
    child.on("error", () => end(`there is no program ${program} here`));
    child.on("exit", (code) => {
      // Explorer ends with 1 whenever it has opened something.
      const isOpened = code === 0 || program === "explorer";
      end(isOpened ? undefined : `${program} could not open it`);
    });
  });
}
