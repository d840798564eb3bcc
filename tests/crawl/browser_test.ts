import { equal, match, ok, rejects } from "node:assert/strict";
import {
  chmod,
  readdir,
  readFile,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { launchBrowser, unpackChromium } from "#lib/crawl/browser.ts";
import { paths } from "#lib/paths.ts";

const linux = process.platform === "linux";
const packaged = linux && process.arch === "x64";

/** Runs a module that imports the library in a Deno of its own. */
async function run(source: string, env: Record<string, string> = {}) {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "script.ts");
  const lib = new URL("../../lib/", import.meta.url).href;
  await writeFile(file, source.replaceAll("#lib/", lib));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, file],
    env,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

const CONFIG = join(paths.root, "deno.json");

/** The processes whose command line holds a text (Linux). */
async function processes(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of await readdir("/proc")) {
    const command = /^\d+$/.test(id) &&
      await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
    if (command && command.includes(text)) found.push(id);
  }
  return found;
}

/** Waits for something to come true; a test that waits 10 s has failed. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error("waited for 10 s in vain");
}

async function withChromePath(path: string, test: () => Promise<void>) {
  const before = process.env.CHROME_PATH;
  process.env.CHROME_PATH = path;
  try {
    await test();
  } finally {
    if (before === undefined) delete process.env.CHROME_PATH;
    else process.env.CHROME_PATH = before;
  }
}

Deno.test("launchBrowser() draws a page and leaves no profile behind", async () => {
  const folder = await Deno.makeTempDir();
  const child = await run(
    `import { launchBrowser } from "#lib/crawl/browser.ts";
     const browser = await launchBrowser();
     const page = await browser.newPage();
     await page.setContent("<p>owl</p>");
     console.log(await page.$eval("p", (p) => p.getBoundingClientRect().width > 9));
     console.log([...Deno.readDirSync(${JSON.stringify(folder)})].length);
     await browser.close();`,
    { TMPDIR: folder, TMP: folder, TEMP: folder },
  );
  const { stdout } = await child.output();
  equal(new TextDecoder().decode(stdout), "true\n1\n");
  equal((await readdir(folder)).length, 0);
});

Deno.test({
  name: "launchBrowser() leaves no browser when its process is killed",
  ignore: !linux,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const child = await run(
      `import { launchBrowser } from "#lib/crawl/browser.ts";
       await launchBrowser();
       console.log("started");
       await new Promise((resolve) => setTimeout(resolve, 60_000));`,
      { TMPDIR: folder },
    );
    const reader = child.stdout.getReader();
    await reader.read();
    ok((await processes(folder)).length > 0);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await until(async () => (await processes(folder)).length === 0);
  },
});

Deno.test("launchBrowser() names a CHROME_PATH that is not there", () =>
  withChromePath("/nowhere/chrome", () =>
    rejects(launchBrowser(), {
      message: "launchBrowser: no browser starts" +
        "\n- CHROME_PATH=/nowhere/chrome: not found, or not executable" +
        "\n- Install Google Chrome or Chromium, or set CHROME_PATH to one",
    })));

Deno.test({
  name: "launchBrowser() quotes what a browser says that does not start",
  ignore: process.platform === "win32",
  fn: async () => {
    const broken = join(await Deno.makeTempDir(), "chrome");
    await writeFile(
      broken,
      "#!/bin/sh\necho libowl.so: not found >&2\nexit 1\n",
    );
    await chmod(broken, 0o755);
    await withChromePath(
      broken,
      () => rejects(launchBrowser(), /chrome: libowl\.so: not found\n/),
    );
  },
});

Deno.test({
  name: "unpackChromium() starts afresh after a kill, and shares the result",
  ignore: !packaged,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const child = await run(
      `import { unpackChromium } from "#lib/crawl/browser.ts";
       await unpackChromium(${JSON.stringify(folder)});`,
    );
    const half = async () => {
      const [name = ""] = await readdir(folder);
      const file = join(folder, name, "chromium");
      return (await stat(file).catch(() => ({ size: 0 }))).size > 0;
    };
    await until(half);
    child.kill("SIGKILL");
    await child.output();
    const [part] = await readdir(folder);
    match(part, /^\.part-/);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, part), longAgo, longAgo);

    const homes = await Promise.all([
      unpackChromium(folder),
      unpackChromium(folder),
    ]);
    equal(homes[0], homes[1]);
    equal((await readdir(folder)).length, 1);
    const { size } = await stat(join(homes[0], "chromium"));
    equal(size, (await stat(join(await unpackChromium(), "chromium"))).size);
    await Deno.remove(folder, { recursive: true });
  },
});
