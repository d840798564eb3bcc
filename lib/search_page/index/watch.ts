/**
 * A folder that is watched: whatever happens in it, it is looked over again soon,
 * as a whole. Events are many and tell little, so that they are gathered, and
 * looking takes a small share of the time, however much happens.
 *
 * Reads the folder alone.
 *
 * ```ts
 * import { watchFolder } from "#lib/search_page/index/watch.ts";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/watch-");
 * const { promise, resolve } = Promise.withResolvers<void>();
 * const watch = watchFolder(folder, async () => {
 *   resolve();
 *   return 0;
 * });
 * await writeFile(`${folder}/owl.jpg`, "owl");
 * await promise; // looked at again
 * await watch.close();
 * ```
 *
 * @module
 */
import { type FSWatcher, watch } from "node:fs";
import { resolve, sep } from "node:path";
import { identityOf, statOf } from "../../files.ts";
import { paths } from "../../paths.ts";

/** A folder that is watched. */
export interface FolderWatch {
  /** Whether changes are noticed; not every system and disk tells of them. */
  readonly isWatching: boolean;
  /** Has the folder looked over within the next seconds. */
  soon(): void;
  /** Looks it over now, or once more after the look under way. */
  now(): Promise<void>;
  /** Ends it, when a look under way has ended. */
  close(): Promise<void>;
}

/** So long after a change, others are waited for. */
const GATHER_MS = 300;

/** Of the time, at most a tenth goes into looking, */
const REST = 9;

/** but a change never waits longer, however many files there are. */
const LONGEST_REST_MS = 15_000;

/** How often one asks whether a folder that is gone is there again. */
const GONE_MS = 3000;

/**
 * Watches a folder.
 *
 * @param look Looks it over; never called while it runs, and expected not to
 *   throw. Returns how many milliseconds went into looking, without what was done
 *   about what was found: to embed new pictures takes as long as it takes.
 * @param isWatched Whether events are waited for, or `now` and `soon` alone count.
 */
export function watchFolder(
  folder: string,
  look: () => Promise<number>,
  isWatched = true,
): FolderWatch {
  let watcher: FSWatcher | undefined, watched: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;
  let again = false, isClosed = false, restUntil = 0;

  const schedule = (ms: number) => {
    if (isClosed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void now();
    }, ms);
  };
  const soon = () => {
    if (running) again = true;
    else schedule(Math.max(GATHER_MS, restUntil - performance.now()));
  };
  /** Watches what lies there now: a new folder of the same name is another one. */
  const rewatch = () => {
    const present = folderAt(folder);
    if (!isWatched || isClosed || present === watched) return;
    watcher?.close();
    watched = present;
    watcher = present === undefined ? undefined : open(folder, soon, () => {
      watcher = undefined;
    });
  };
  const run = async () => {
    rewatch();
    const rest = REST * await look();
    restUntil = performance.now() + Math.min(rest, LONGEST_REST_MS);
    running = undefined;
    if (again) soon();
    else if (watched === undefined && isWatched) schedule(GONE_MS);
    again = false;
  };
  const now = async (): Promise<void> => {
    if (running) await running;
    if (isClosed) return;
    clearTimeout(timer);
    timer = undefined;
    await (running ??= run());
  };
  rewatch();
  return {
    get isWatching() {
      return watcher !== undefined;
    },
    soon,
    now,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      watcher?.close();
      await running;
    },
  };
}

/** Watches; undefined where the system does not. */
function open(
  folder: string,
  onChange: () => void,
  onEnd: () => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive: true });
    watcher.on("change", (_, name) => {
      if (!isOurs(folder, String(name ?? ""))) onChange();
    });
    watcher.on("error", () => {
      watcher.close();
      onEnd();
    });
    return watcher;
  } catch {
    return undefined;
  }
}

/** Whether we wrote it ourselves, in a folder above our data. */
function isOurs(folder: string, name: string): boolean {
  return name !== "" && `${resolve(folder, name)}${sep}`
    .startsWith(`${resolve(paths.data)}${sep}`);
}

/** Which folder lies there; undefined for none. */
function folderAt(path: string): string | undefined {
  return statOf(path)?.isDirectory() ? identityOf(path) : undefined;
}
