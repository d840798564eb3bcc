/**
 * Where a request that brought nothing ended, in one word of a short list, so
 * that failures can be counted. The error's message says it in full.
 *
 * ```ts
 * import { at, stageOf } from "#lib/http/stages.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const error = at("type", new Error("expected a picture, got text/html"));
 * strictEqual(stageOf(new Error("a.jpg", { cause: error })), "type");
 * ```
 *
 * @module
 */

/** All stages, in the order in which a request meets them. */
export const STAGES = [
  /** Its licence is none of those that are asked for. */
  "licence",
  /** It is no address of the public web. */
  "address",
  /** Its host's name leads nowhere. */
  "look-up",
  /** Nobody answers there. */
  "connect",
  /** The host wants to be left alone. */
  "refused",
  /** The answer leads elsewhere, and on and on. */
  "redirect",
  /** The answer is an error: 404, 500. */
  "status",
  /** It is no picture. */
  "type",
  /** It is too large. */
  "size",
  /** It takes too long. */
  "time",
  /** The connection breaks off. */
  "transfer",
  /** It cannot be written. */
  "disk",
  /** The caller stopped before. */
  "stopped",
] as const;

/** One of them. */
export type Stage = (typeof STAGES)[number];

const stages = new WeakMap<Error, Stage>();

/** Notes at which stage an error was met. */
export function at<Met extends Error>(stage: Stage, error: Met): Met {
  stages.set(error, stage);
  return error;
}

/** The stage of an error, or of what caused it; else what the system calls it. */
export function stageOf(error: unknown): Stage {
  for (
    let cause = error as NodeJS.ErrnoException | undefined;
    cause instanceof Error;
    cause = cause.cause as typeof cause
  ) {
    const stage = stages.get(cause);
    if (stage) return stage;
    const { code = "", syscall } = cause;
    if (/^(ENOTFOUND|EAI_|ENODATA)/.test(code)) return "look-up";
    const isConnecting = syscall === "connect" ||
      /^(ECONNREFUSED|E(HOST|NET)UNREACH|EADDRNOTAVAIL|ETIMEDOUT|ERR_TLS|CERT|.*_CERT)/
        .test(code);
    if (isConnecting) return "connect";
  }
  return "transfer";
}
