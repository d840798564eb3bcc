/**
 * The threads that help with a pass over codes: started when first one is large
 * enough, as many as the processor has cores, and no more than memory can feed.
 * They do not keep the program alive.
 *
 * Where none can start, as where a program may not, there are none, and the one
 * that asked does all the work.
 *
 * ```ts
 * import { endThreads, wakeThreads } from "#lib/compare/code_threads.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
 * wakeThreads(memory);
 * endThreads();
 * strictEqual(wakeThreads(memory), 0); // this program does without from now on
 * ```
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** What reads memory gains little from more of them. */
const MOST_THREADS = 4;

/** This file is a .ts here, and a .js in the package. */
const THREAD = new URL(
  import.meta.url.replace(/threads(?=\.[jt]s$)/, "thread"),
);

let threads: Set<Worker> | undefined;

/**
 * Tells all threads that there may be blocks to take in this memory.
 *
 * @returns How many threads there are beside this one.
 */
export function wakeThreads(memory: WebAssembly.Memory): number {
  threads ??= startThreads();
  for (const thread of threads) thread.postMessage(memory);
  return threads.size;
}

/** Does without threads from now on. */
export function endThreads(): void {
  for (const thread of threads ?? []) void thread.terminate();
  threads = new Set();
}

function startThreads(): Set<Worker> {
  const started = new Set<Worker>();
  const count = Math.min(MOST_THREADS, availableParallelism());
  try {
    while (started.size < count - 1) {
      const thread = new Worker(THREAD);
      thread.unref();
      // One that fails has taken no block: it takes them between two messages.
      thread.on("error", () => started.delete(thread));
      started.add(thread);
    }
  } catch {
    // Then there are fewer.
  }
  return started;
}
