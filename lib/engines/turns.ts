/**
 * Changes that come one after another, in the order in which they were asked for:
 * two at once could leave half of each.
 *
 * Touches no files.
 *
 * ```ts
 * import { Turns } from "#lib/engines/turns.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { setTimeout } from "node:timers/promises";
 *
 * const turns = new Turns(), done: string[] = [];
 * turns.take(async () => {
 *   await setTimeout(5);
 *   done.push("first");
 * });
 * await turns.take(() => Promise.resolve(done.push("second")));
 * deepStrictEqual(done, ["first", "second"]);
 * ```
 *
 * @module
 */

/** A queue of changes; one that fails holds up none behind it. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Makes a change once all before it are done: its outcome. */
  take<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Settles once all that was asked for until now is done, however it went. */
  async allDone(): Promise<void> {
    await this.#last;
  }
}
