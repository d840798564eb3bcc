/**
 * A real JupyterLab with the real kernel, for tests.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "puppeteer-core";
import { paths } from "#lib/paths.ts";

/** JupyterLab's program, made by set-up. */
export const jupyterLab = join(paths.venv, "bin", "jupyter-lab");

/** Runs all cells of the notebook that is open. */
export async function runAll(page: Page) {
  await page.waitForFunction(() => {
    const { jupyterapp } = globalThis as unknown as Lab;
    const panel = jupyterapp?.shell.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === "idle";
  }, { timeout: 60_000 });
  await page.evaluate(() => {
    (globalThis as unknown as Lab).jupyterapp.commands.execute(
      "notebook:run-all-cells",
    );
  });
}

interface Lab {
  jupyterapp: {
    shell: {
      currentWidget?: {
        sessionContext?: { session?: { kernel?: { status: string } } };
      };
    };
    commands: { execute(id: string): void };
  };
}

/** Waits until an output holds that text. */
export async function waitForText(page: Page, text: string) {
  await page.waitForFunction(
    (text) =>
      [...document.querySelectorAll(".jp-OutputArea-output")].some((output) =>
        output.textContent?.includes(text)
      ),
    { timeout: 30_000 },
    text,
  );
}

/**
 * Starts JupyterLab on a notebook, with nothing of this user's settings.
 *
 * @param folder Where its files go.
 * @param theme "Light" or "Dark".
 * @param sources The notebook's cells.
 * @param env More environment variables for the kernel.
 */
export async function startLab(
  folder: string,
  theme: string,
  sources: readonly string[],
  env: Record<string, string> = {},
) {
  const write = async (path: string[], content: object) => {
    await mkdir(join(folder, ...path.slice(0, -1)), { recursive: true });
    await writeFile(join(folder, ...path), JSON.stringify(content));
  };
  await write(["kernels", "deno", "kernel.json"], {
    argv: [
      Deno.execPath(),
      "jupyter",
      "--kernel",
      "--conn",
      "{connection_file}",
    ],
    display_name: "Deno",
    language: "typescript",
    env: { NO_COLOR: "1", ...env },
  });
  await write([
    "settings",
    "@jupyterlab",
    "apputils-extension",
    "themes.jupyterlab-settings",
  ], {
    theme: `JupyterLab ${theme}`,
  });
  await write(
    [
      "settings",
      "@jupyterlab",
      "apputils-extension",
      "notification.jupyterlab-settings",
    ],
    { checkForUpdates: false, fetchNews: "false", doNotDisturbMode: true },
  );
  await write(["work", "display.ipynb"], {
    cells: sources.map((source, index) => ({
      cell_type: "code",
      id: `cell-${index}`,
      execution_count: null,
      metadata: {},
      outputs: [],
      source,
    })),
    metadata: {
      kernelspec: {
        name: "deno",
        display_name: "Deno",
        language: "typescript",
      },
    },
    nbformat: 4,
    nbformat_minor: 5,
  });
  const runtime = join(folder, "runtime");
  const lab = spawn(jupyterLab, [
    "--no-browser",
    "--allow-root",
    "--expose-app-in-browser",
    "--ip=127.0.0.1",
    `--ServerApp.root_dir=${join(folder, "work")}`,
    // The kernel needs this project's import map, wherever the notebook lies.
    `--AsyncMappingKernelManager.root_dir=${paths.root}`,
  ], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      JUPYTER_PATH: folder,
      JUPYTER_CONFIG_DIR: join(folder, "config"),
      JUPYTER_DATA_DIR: join(folder, "data"),
      JUPYTER_RUNTIME_DIR: runtime,
      JUPYTERLAB_SETTINGS_DIR: join(folder, "settings"),
      JUPYTERLAB_WORKSPACES_DIR: join(folder, "workspaces"),
    },
  });
  const log: string[] = [];
  lab.stderr.on("data", (chunk) => log.push(String(chunk)));
  const { url, token } = await serverFile(runtime, lab, log);
  return {
    url: `${url}lab/tree/display.ipynb?token=${token}`,
    async [Symbol.asyncDispose]() {
      lab.kill("SIGTERM");
      if (lab.exitCode === null) await once(lab, "exit");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The file that says where the server listens, once it does. */
async function serverFile(
  runtime: string,
  lab: ChildProcess,
  log: string[],
): Promise<{ url: string; token: string }> {
  for (let tries = 0; tries < 300 && lab.exitCode === null; tries++) {
    const names = existsSync(runtime) ? await readdir(runtime) : [];
    const name = names.find((name) => /^jpserver-\d+\.json$/.test(name));
    if (name) {
      const found = JSON.parse(await readFile(join(runtime, name), "utf8"));
      const answer = await fetch(`${found.url}api?token=${found.token}`).catch(
        () => undefined,
      );
      await answer?.body?.cancel();
      if (answer?.ok) return found;
    }
    await sleep(100);
  }
  lab.kill();
  throw new Error(`JupyterLab does not start:\n${log.join("")}`);
}
