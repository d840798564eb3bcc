/**
 * Downloads a model's files from the hub, huggingface.co or a mirror of it.
 *
 * They go into a folder of the repository's name among the models. A file that
 * exists there is whole, so a folder that someone filled by hand, or that an
 * interrupted download left, is taken as it is and completed.
 *
 * ```ts
 * import { missingFiles, repositoryFolder } from "#lib/encoders/hub.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const folder = repositoryFolder("nobody/no-such-model");
 * deepEqual(missingFiles(folder, ["config.json"]), ["config.json"]);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Host } from "../http/hosts.ts";
import { send } from "../http/http.ts";
import { paths } from "../paths.ts";
import {
  readFacts,
  downloadFile,
  hubEndpoint,
  type HubFile,
} from "./hub_file.ts";

/** How far a download is, in bytes. */
export interface HubProgress {
  /** The file under way, by its path in the repository. */
  file: string;
  /** Bytes of all files that are here. */
  received: number;
  /** Bytes of all files. */
  total: number;
}

/** How a download is watched and stopped. */
export interface HubOptions {
  /** Called as bytes arrive. */
  onProgress?: (progress: HubProgress) => void;
  /** Where `onProgress` is left out, told in a line at each tenth. */
  log?: (line: string) => void;
  /** Stops the download; what has arrived stays for the next one. */
  signal?: AbortSignal;
  /**
   * First pause between two attempts at a file, in milliseconds; it doubles.
   * @default 1000
   */
  retryDelayMs?: number;
}

/** Where a repository's files lie: a folder of that name among the models. */
export function repositoryFolder(
  repository: string,
  models: string = paths.models,
): string {
  return join(models, ...repository.split("/"));
}

/** Those of the files that the folder does not hold. */
export function missingFiles(
  folder: string,
  files: readonly string[],
): string[] {
  return files.filter((file) => !existsSync(join(folder, file)));
}

/**
 * Whether the hub answers soon and has the file.
 *
 * @param timeoutMs Longest wait, in milliseconds.
 */
export async function hubAnswers(
  repository: string,
  file: string,
  timeoutMs = 3000,
): Promise<boolean> {
  try {
    await readFacts(fileAddress(repository, file), { timeoutMs });
    return true;
  } catch {
    return false;
  }
}

/**
 * Downloads those of the files that the folder does not hold yet.
 *
 * @param repository Its name on the hub: "Xenova/clip-vit-base-patch32".
 * @param files Paths in the repository.
 * @param folder Where they go, under the same paths.
 * @throws {Error} If one cannot be had: names the repository and its address,
 *   the reason, and which files to put into the folder by hand.
 */
export async function downloadFiles(
  repository: string,
  files: readonly string[],
  folder: string,
  { log, onProgress = log && inTenths(log), signal, retryDelayMs = 1000 }:
    HubOptions = {},
): Promise<void> {
  const missing = missingFiles(folder, files);
  const host = new Host(hubEndpoint(), { backoffMs: retryDelayMs });
  try {
    const wanted: HubFile[] = [];
    for (const path of missing) {
      const address = fileAddress(repository, path);
      const ask = () => readFacts(address, { signal });
      const facts = await send(host, ask, signal);
      wanted.push({ path, address, ...facts });
    }
    const total = wanted.reduce((sum, { size }) => sum + size, 0);
    let before = 0;
    for (const file of wanted) {
      const report = (here: number) =>
        onProgress?.({ file: file.path, received: before + here, total });
      await downloadFile(host, file, folder, signal, report);
      before += file.size;
    }
  } catch (error) {
    signal?.throwIfAborted();
    const reason = (error as Error).message;
    const list = missingFiles(folder, files).map((file) => `\n  ${file}`);
    throw new Error(
      `${repository} cannot be downloaded from ${hubEndpoint()}: ${reason}. ` +
        "Try again, set HF_ENDPOINT to a mirror, or put these files into " +
        `${folder}:${list.join("")}`,
    );
  }
}

function fileAddress(repository: string, file: string): string {
  return `${hubEndpoint()}/${repository}/resolve/main/${file}`;
}

/** Says how much has arrived, a line at each tenth of the whole. */
function inTenths(log: (line: string) => void): HubOptions["onProgress"] {
  let told = 0;
  return ({ received, total }) => {
    const tenths = Math.floor(10 * received / total);
    if (tenths <= told) return;
    told = tenths;
    log(`  ${10 * tenths} % of ${Math.ceil(total / 1e6)} MB`);
  };
}
