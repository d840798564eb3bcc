/**
 * The notebook kernel: a Deno of one version inside `.venv`, and its
 * description, by which JupyterLab and nbclient find it.
 *
 * @module
 */
import { copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { CommandError, DENO_VERSION } from "./command.ts";
import { venvPython } from "./python.ts";
import type { Step } from "./step.ts";

// Beside Python, because npx may clear its own copy at any time.
const deno = join(
  dirname(venvPython),
  process.platform === "win32" ? "deno.exe" : "deno",
);
const jupyter = join(paths.venv, "share", "jupyter");
const specPath = join(jupyter, "kernels", "deno", "kernel.json");
const spec = JSON.stringify(
  {
    argv: [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
    // Colours would stand in the outputs as escape codes.
    env: { NO_COLOR: "1" },
    metadata: { deno: DENO_VERSION },
  },
  null,
  2,
);

/** With these, Jupyter finds this kernel first and writes only below `.venv`. */
export const jupyterEnvironment: Record<string, string> = {
  JUPYTER_PATH: jupyter,
  JUPYTER_CONFIG_DIR: join(paths.venv, "var", "config"),
  JUPYTER_DATA_DIR: join(paths.venv, "var", "data"),
  JUPYTER_RUNTIME_DIR: join(paths.venv, "var", "runtime"),
};

/** Puts the Deno that runs, and its description, into `.venv`. */
export const notebookKernel: Step = {
  name: "notebook kernel",
  stamp: join(paths.venv, "kernel.json"),
  files: [],
  inputs: () => ({ spec }),
  outputs: [deno, specPath].map((path) => relative(paths.venv, path)),
  async run() {
    if (Deno.version.deno !== DENO_VERSION) {
      throw new CommandError(
        `Deno ${Deno.version.deno} is running; the notebooks need the kernel of ${DENO_VERSION}: run npx deno@${DENO_VERSION} task setup once, then this again`,
      );
    }
    const temporary = `${deno}.part`;
    await mkdir(dirname(deno), { recursive: true });
    await rm(temporary, { force: true });
    // A link costs no space; it fails across disks and on another user's file.
    await link(Deno.execPath(), temporary)
      .catch(() => copyFile(Deno.execPath(), temporary));
    await rename(temporary, deno);
    await writeAtomic(specPath, spec);
  },
};
