/**
 * Starts a browser: the one that `CHROME_PATH` names, else a Chrome, Chromium
 * or Edge of this machine, else the Chromium inside the npm package
 * `@sparticuz/chromium` (Linux on x64).
 *
 * The package itself would unpack to fixed names in the temporary folder, where
 * two users or two versions meet and a killed run leaves half a file for good.
 * Here each version has a folder under paths.chromium, named when complete:
 * about 215 MB, in 3 seconds, once.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { equal } from "node:assert/strict";
 *
 * const browser = await launchBrowser();
 * const page = await browser.newPage();
 * await page.setContent("<title>Owls</title>");
 * equal(await page.title(), "Owls");
 * await browser.close();
 * ```
 *
 * @module
 */
import { execFile } from "node:child_process";
import {
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
} from "node:fs";
import {
  access,
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
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { unpackTar } from "modern-tar/fs";
import { type Browser, launch, type LaunchOptions } from "puppeteer-core";
import { environment, paths } from "../paths.ts";

/**
 * Starts a headless browser with a profile of its own in the temporary folder.
 *
 * It ends with `close()`, and also when this process ends in whatever way: it
 * listens on a pipe, not on a port, and leaves when the pipe breaks.
 *
 * @throws {Error} If none starts: what was tried, why it failed, what to do.
 */
export async function launchBrowser(): Promise<Browser> {
  const failures: string[] = [];
  for (const { name, find } of candidates()) {
    try {
      return await start(await find());
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    [
      "launchBrowser: no browser starts",
      ...(failures.length > 0 ? failures : ["none found on this machine"]),
      "Install Google Chrome or Chromium, or set CHROME_PATH to one",
    ].join("\n- "),
  );
}

/** How a browser is started, where it is not as all are. */
interface Found extends LaunchOptions {
  executablePath: string;
  args: string[];
}

/** Ways to a browser, best first. */
function candidates(): { name: string; find: () => Promise<Found> }[] {
  // Chrome refuses to run as root with a sandbox.
  const args = process.getuid?.() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS;
  const at = (executablePath: string, name = executablePath) => ({
    name,
    find: () => Promise.resolve({ executablePath, args }),
  });
  const chosen = environment("CHROME_PATH");
  // Whoever names one wants that one, or to hear why not.
  if (chosen) return [at(chosen, `CHROME_PATH=${chosen}`)];

  const found = INSTALLED.filter((path) => existsSync(path)).map((path) =>
    at(path)
  );
  if (process.platform === "linux" && process.arch === "x64") {
    found.push({ name: "npm package @sparticuz/chromium", find: findPackaged });
  }
  return found;
}

/** The package's Chromium is built without a sandbox, for machines without GPU. */
async function findPackaged(): Promise<Found> {
  const home = await unpackChromium();
  const libraries = process.env.LD_LIBRARY_PATH?.split(delimiter) ?? [];
  return {
    executablePath: join(home, "chromium"),
    headless: "shell",
    args: [...FLAGS, "--no-sandbox", "--no-zygote", "--disable-gpu"],
    env: {
      ...process.env,
      FONTCONFIG_FILE: join(home, "fonts.conf"),
      LD_LIBRARY_PATH: [...libraries, join(home, "lib")].join(delimiter),
    },
  };
}

async function start(found: Found): Promise<Browser> {
  // A file that cannot be executed would end this process, not reject.
  await access(found.executablePath, constants.X_OK).catch(() => {
    throw new Error("not found, or not executable");
  });
  try {
    return await launch({
      ...found,
      pipe: true,
      // Signals belong to the program; the broken pipe ends the browser.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (error) {
    throw new Error(await complaint(found) ?? (error as Error).message);
  }
}

/** What a browser that does not start says about it, on one line. */
function complaint({ executablePath, args, env }: Found) {
  return new Promise<string | undefined>((resolve) => {
    execFile(
      executablePath,
      [...args, "--headless", "--dump-dom", "about:blank"],
      { env: env as NodeJS.ProcessEnv, timeout: 5000 },
      (_error, _stdout, stderr) => {
        resolve(stderr.split("\n").find((line) => line.trim())?.slice(0, 300));
      },
    );
  });
}

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
    // Another process may have removed or renamed it meanwhile.
    const { mtimeMs } = await stat(join(folder, name))
      .catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER * 60_000) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

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

/** Beyond Puppeteer's own flags: no requests but those of the pages. */
const FLAGS = [
  // A window that a page opened would be nobody's, and not guarded (guard.ts).
  "--block-new-web-contents",
  "--disable-component-update",
  "--disable-domain-reliability",
  // Calls between browsers (WebRTC) would go past a proxy (public_proxy.ts).
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--no-default-browser-check",
  "--no-pings",
];

const WINDOWS_FOLDERS = [
  "C:\\Program Files",
  "C:\\Program Files (x86)",
  join(homedir(), "AppData", "Local"),
];

/** Where Chrome, Chromium and Edge install themselves. */
const INSTALLED = [
  "/usr/bin/google-chrome-stable",
  "/opt/google/chrome/chrome",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/snap/bin/chromium",
  "/usr/bin/microsoft-edge-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ...WINDOWS_FOLDERS.flatMap((folder) => [
    join(folder, "Google", "Chrome", "Application", "chrome.exe"),
    join(folder, "Microsoft", "Edge", "Application", "msedge.exe"),
  ]),
];
