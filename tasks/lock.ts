/**
 * One at a time: what two windows may not do at once in one project folder.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../lib/paths.ts";

/**
 * Takes the lock of that name; if it is taken, says so and waits.
 *
 * @returns Gives it back when closed; so does the end of the process, however
 * it comes.
 */
export async function takeLock(name: string): Promise<Deno.FsFile> {
  const folder = join(paths.root, "data", ".locks");
  await mkdir(folder, { recursive: true });
  const lock = await Deno.open(join(folder, name), {
    create: true,
    write: true,
  });
  if (!await lock.tryLock(true)) {
    console.error(`${name} is running in another window: waiting for it …`);
    await lock.lock(true);
  }
  return lock;
}
