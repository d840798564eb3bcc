/**
 * The one error that says: do not ask again.
 *
 * ```ts
 * import { FinalError } from "#lib/http/final_error.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(new FinalError("404 Not Found", 404).status, 404);
 * ```
 *
 * @module
 */

/** A failure that the same request would meet again: there is no use in retrying. */
export class FinalError extends Error {
  /** The status of the answer, where there was one. */
  readonly status?: number;

  /** @param status The status of the answer, where there was one. */
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}
