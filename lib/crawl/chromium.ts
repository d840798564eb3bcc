/**
 * Unpacks the Chromium inside the npm package `@sparticuz/chromium` (Linux on
 * x64), with its fonts and libraries: a browser where none is installed.
 *
 * The package itself would unpack to fixed names in the temporary folder, where
 * two users or two versions meet and a killed run leaves half a file for good.
 * Here each version has a folder under paths.chromium, named when complete.
 *
 * Writes about 215 MB, in 3 seconds, once.
 *
 * ```ts
 * import { unpackChromium } from "#lib/crawl/chromium.ts";
 * import { existsSync } from "node:fs";
 * import { ok } from "node:assert/strict";
 *
 * const home = await unpackChromium();
 * ok(existsSync(`${home}/chromium`));
 * ```
 *
 * @module
 */
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { unpackTar } from "modern-tar/fs";
import { paths } from "../paths.ts";

/** Minutes after which an unfinished folder counts as left by a killed run. */
const ABANDONED_AFTER = 10;

/** The machine's own fonts, and the package's where there are none. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * Unpacks the package's Chromium, unless that was done before.
 *
 * @param folder Gets a subfolder named for the package's version.
 * @returns The subfolder: `chromium`, `fonts.conf` and the libraries in `lib`.
 */
export async function unpackChromium(
  folder: string = paths.chromium,
): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const source = join(entry, "../..");
  const about = await readFile(join(source, "package.json"), "utf8");
  const home = join(folder, JSON.parse(about).version);
  if (existsSync(home)) return home;

  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const part = await mkdtemp(join(folder, ".part-"));
  try {
    const unpack = (name: string, target: NodeJS.WritableStream) =>
      pipeline(
        createReadStream(join(source, "bin", name)),
        createBrotliDecompress(),
        target,
      );
    const executable = join(part, "chromium");
    await unpack("fonts.tar.br", unpackTar(part));
    await unpack("al2023.tar.br", unpackTar(part));
    await unpack("chromium.br", createWriteStream(executable, { mode: 0o755 }));
    await writeFile(join(part, "fonts.conf"), FONTS);
    await chmod(part, 0o755); // mkdtemp keeps it from other users.
    await rename(part, home);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    // Where another process was faster, its folder is as good.
    if (!existsSync(home)) throw error;
  }
  return home;
}

/** Removes what killed runs had begun, and spares a process at work. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(".part-")) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > ABANDONED_AFTER * 60_000) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
