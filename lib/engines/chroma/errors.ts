/**
 * What a database's server refuses or cannot do, in one sentence each: what it
 * said, and what to do.
 *
 * Touches no files.
 *
 * ```ts
 * import { refusal } from "#lib/engines/chroma/errors.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const error = refusal("http://127.0.0.1:8000", 401, "Unauthorized");
 * strictEqual(error.kind, "key");
 * ```
 *
 * @module
 */

/** What went wrong, for a program that goes on otherwise. */
export type DatabaseErrorKind =
  /** No server answers. */
  | "unreachable"
  /** A key is missing, wrong, or of another tenant or database. */
  | "key"
  /** A limit of a plan, or too many requests. */
  | "limit"
  /** The collection is not there any more. */
  | "missing"
  /** The server's disk takes no more. */
  | "full"
  /** The server is of a version that this library does not speak with. */
  | "version"
  /** Whatever else the server says. */
  | "refused";

/** A database's server refuses, or is not there. What it acknowledged is kept. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly kind: DatabaseErrorKind;
  /** The answer's status; undefined where none came. */
  readonly status?: number;

  constructor(kind: DatabaseErrorKind, message: string, status?: number) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

/** Whether it says that a collection is there no more. */
export function isDeleted(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === "missing";
}

/** What each says to do; a server's own words come before. */
const ADVICE: Record<DatabaseErrorKind, string> = {
  unreachable: "start it, and ask again",
  key:
    "set CHROMA_API_KEY to a key of this database, CHROMA_TENANT and CHROMA_DATABASE to what it opens",
  limit:
    "raise the plan's limit, or wait; what was sent is kept, and the next run sends the rest",
  missing:
    "another program may have deleted the collection: open it again, which makes it anew",
  full:
    "make room on the server's disk; what it acknowledged is kept, and the next run sends the rest",
  version: "start Chroma 1.x, as requirements.txt names it",
  refused: "server.log in the server's folder may say more",
};
const ADVICE_ON_REQUEST = "it does not take what it was sent";
const ADVICE_ON_SIZE = "send fewer rows at once, by a smaller batchSize";

/** The error of a server that answers, but not as was asked. */
export function refusal(
  url: string,
  status: number,
  said: string,
): DatabaseError {
  const kind = kindOf(status, said);
  const advice = status === 413
    ? ADVICE_ON_SIZE
    : kind === "refused" && status < 500
    ? ADVICE_ON_REQUEST
    : ADVICE[kind];
  return new DatabaseError(
    kind,
    `the Chroma server at ${url} answered ${status}, "${said}": ${advice}`,
    status,
  );
}

/** The error of a server that does not answer. */
export function unreachable(url: string, why: string): DatabaseError {
  return new DatabaseError(
    "unreachable",
    `no Chroma server answers at ${url} (${why}): ${ADVICE.unreachable}`,
  );
}

/**
 * A full disk in SQLite's words, in the system's, in those of a limited file
 * size, and in Chroma's where it meets one while it tidies up.
 */
const FULL =
  /disk is full|no space left|disk i\/o error|quota|file too large|purging logs/i;

/** What Chroma says of a collection that is half deleted, under 412. */
const HALF_DELETED = /missing \w+ segment/i;

function kindOf(status: number, said: string): DatabaseErrorKind {
  if (status === 401 || status === 403) return "key";
  if (/^(quota|billing limit) exceeded/i.test(said)) return "limit";
  if (status === 402 || status === 429) return "limit";
  if (status === 404 || status === 410 || HALF_DELETED.test(said)) {
    return "missing";
  }
  if (FULL.test(said)) return "full";
  return "refused";
}

/**
 * How many rows a request may have, where an error of a plan says it: "current
 * usage of 500 exceeds limit of 300".
 */
export function rowLimitIn(error: unknown): number | undefined {
  if (!(error instanceof DatabaseError) || error.kind !== "limit") return;
  const said = /number of records|limit value|number of ids/i.test(
    error.message,
  );
  const limit = Number(error.message.match(/exceeds limit of (\d+)/)?.[1]);
  return said && limit > 0 ? limit : undefined;
}
