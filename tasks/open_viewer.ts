/**
 * Opens a file or an address with what the system opens it with.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";

const OPENERS: Record<string, string> = { darwin: "open", win32: "explorer" };

/** Opens it; otherwise says why not, in a sentence. */
export function openViewer(
  target: string,
  say: (line: string) => void,
): void {
  const program = OPENERS[process.platform] ?? "xdg-open";
  const viewer = spawn(program, [target], { stdio: "ignore", detached: true });
  viewer.once(
    "error",
    ({ message }) =>
      say(`${program} cannot be started (${message}): open ${target} yourself`),
  );
  viewer.unref();
}
