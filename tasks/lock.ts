/**
 * One at a time: what two windows may not do at once in one project folder.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { paths } from "../lib/paths.ts";
import { CommandError } from "./command.ts";

/**
 * Takes the lock of that name, "Set-up"; if it is taken, says so and waits.
 *
 * @param data The folder in which two may not do it at once.
 * @returns Gives it back when closed; so does the end of the process, however
 * it comes.
 * @throws {CommandError} If it cannot be taken: this user may not write there.
 */
export async function takeLock(
  name: string,
  data: string = join(paths.root, "data"),
): Promise<Deno.FsFile> {
  const folder = join(data, ".locks");
  const path = join(folder, name);
  const lock = await mkdir(folder, { recursive: true })
    .then(() => Deno.open(path, { create: true, write: true }))
    .catch(({ code, message }) => {
      throw new CommandError(
        `${name} is to be done, and ${path} cannot be written ` +
          `(${code ?? message}): ` +
          (data.startsWith(paths.root)
            ? `let the owner of ${paths.root} run task setup`
            : "expected a folder that you may write"),
      );
    });
  if (!await lock.tryLock(true)) {
    console.error(`${name} is running in another window: waiting for it …`);
    await lock.lock(true);
  }
  return lock;
}

/** Of what no two runs may do at once in one data folder. */
export function takeDatasetLock(): Promise<Deno.FsFile> {
  return takeLock("A run that makes a data set", dirname(paths.dataset));
}
