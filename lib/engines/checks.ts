/**
 * What every engine asks of ids, vectors and queries before it does anything,
 * said in the same words by each.
 *
 * Touches no files.
 *
 * ```ts
 * import { checkPut } from "#lib/engines/checks.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { throws } from "node:assert/strict";
 *
 * const expected = { caller: "MyIndex", dimensions: 2 };
 * throws(
 *   () => checkPut(expected, ["owl"], Matrix.of([[1, NaN]])),
 *   /MyIndex: expected finite numbers, got NaN for "owl"/,
 * );
 * ```
 *
 * @module
 */
import type { Matrix } from "../compare/matrix.ts";

/** What vectors are to be like, and who says so. */
export interface Expected {
  /** What the message begins with. */
  caller: string;
  /** How many numbers each has. */
  dimensions: number;
  /** Whose vectors they are. */
  encoder?: string;
  /**
   * Where an engine computes in few bits: between what the largest number of a
   * vector is, unless all are 0, and what to do where it is not.
   */
  sizes?: { least: number; most: number; help: string };
}

/**
 * Checks what is put in.
 *
 * @throws {RangeError} If lengths or counts differ, an id is empty, no text, or
 *   comes twice, or a value is no finite number or out of its range.
 */
export function checkPut(
  expected: Expected,
  ids: readonly string[],
  vectors: Matrix,
): void {
  if (vectors.count > 0 && vectors.dimensions !== expected.dimensions) {
    failLength(expected, vectors.dimensions, "each vector");
  }
  if (ids.length !== vectors.count) {
    throw new RangeError(
      `${expected.caller}: expected a vector for each of ${ids.length} ids, ` +
        `got ${vectors.count}`,
    );
  }
  checkIds(expected.caller, ids);
  ids.forEach((id, row) =>
    checkVector(expected, vectors.row(row), JSON.stringify(id))
  );
}

/**
 * Checks ids under which something is put in. Half of a pair of UTF-16, as where
 * a text is cut in the middle of an emoji, is none that a database keeps.
 *
 * @throws {RangeError} If one is empty, no text, or comes twice.
 */
export function checkIds(caller: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (typeof id !== "string" || id === "" || !id.isWellFormed()) {
      throw new RangeError(
        `${caller}: expected each id to be text of one character or more, got ` +
          (typeof id === "string" ? JSON.stringify(id) : String(id)),
      );
    }
    if (seen.has(id)) {
      throw new RangeError(
        `${caller}: expected each id once, got ${JSON.stringify(id)} twice`,
      );
    }
    seen.add(id);
  }
}

/**
 * Checks a vector, or a query.
 *
 * @param owner What it stands for, for the message.
 * @throws {RangeError} If it has another length, or a value that is no finite
 *   number or out of its range.
 */
export function checkVector(
  expected: Expected,
  vector: Float32Array,
  owner: string,
): void {
  const { caller, dimensions, sizes } = expected;
  if (vector.length !== dimensions) {
    failLength(expected, vector.length, owner);
  }
  let largest = 0;
  for (let i = 0; i < dimensions; i++) {
    const size = Math.abs(vector[i]);
    if (size > largest) largest = size;
    if (size < Infinity) continue;
    throw new RangeError(
      `${caller}: expected finite numbers, got ${vector[i]} for ${owner}`,
    );
  }
  if (!sizes || largest === 0) return;
  const { least, most, help } = sizes;
  if (largest >= least && largest <= most) return;
  throw new RangeError(
    `${caller}: expected the largest number of a vector to be between ` +
      `${least} and ${most}, or 0, got ${largest} for ${owner}: ${help}`,
  );
}

/**
 * Checks how many are asked for.
 *
 * @throws {RangeError} If it is not a whole number of 1 or more.
 */
export function checkK(caller: string, k: number): void {
  checkWhole(caller, "k", k);
}

/**
 * Checks a setting that counts something.
 *
 * @throws {RangeError} If it is not a whole number of 1 or more.
 */
export function checkWhole(caller: string, what: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(
    `${caller}: expected a whole ${what} of 1 or more, got ${value}`,
  );
}

function failLength(
  { caller, dimensions, encoder }: Expected,
  got: number,
  owner: string,
): never {
  throw new RangeError(
    `${caller}: expected ${dimensions} numbers` +
      `${encoder ? ` of encoder ${encoder}` : ""}, got ${got} for ${owner}`,
  );
}
