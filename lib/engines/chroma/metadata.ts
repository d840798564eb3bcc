/**
 * What may be kept beside a vector in a database: checked before anything is
 * sent, since a server refuses some of the rest when it comes to that row, and
 * leaves out the other without a word.
 *
 * Touches no files.
 *
 * ```ts
 * import { checkMetadata } from "#lib/engines/chroma/metadata.ts";
 * import { throws } from "node:assert/strict";
 *
 * checkMetadata("MyIndex", "owl", { term: "owl", year: 1900, seen: true });
 * throws(
 *   () => checkMetadata("MyIndex", "owl", { year: NaN }),
 *   /expected year of "owl" to be text, .*, got NaN/,
 * );
 * ```
 *
 * @module
 */
import type { Metadata } from "chromadb";
import { inspect } from "node:util";

/** Names that Chroma has for itself begin so. */
const RESERVED = /^(?:#|\$|chroma:|$)/;

/**
 * Checks what is kept beside a vector.
 *
 * @param id Whose it is, for the message.
 * @param own Names that the caller has for itself.
 * @throws {RangeError} If a name or a value is none that the database keeps.
 */
export function checkMetadata(
  caller: string,
  id: string,
  metadata: Metadata,
  own: readonly string[] = [],
): void {
  const of = JSON.stringify(id);
  if (!isRecord(metadata)) {
    throw new RangeError(
      `${caller}: expected metadata of ${of} to be names with values, got ` +
        inspect(metadata),
    );
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (RESERVED.test(name) || !name.isWellFormed() || own.includes(name)) {
      throw new RangeError(
        `${caller}: expected no metadata of ${of} named ` +
          `${JSON.stringify(name)}: the database keeps that name for itself, ` +
          `or cannot hold it`,
      );
    }
    const isKept = Array.isArray(value)
      ? value.length > 0 && value.every(isPlain) &&
        new Set(value.map((part) => typeof part)).size === 1
      : isPlain(value);
    if (isKept) continue;
    throw new RangeError(
      `${caller}: expected ${name} of ${of} to be text, a finite number, true ` +
        `or false, or a list of these of one kind, got ` +
        `${inspect(value).slice(0, 100)}: leave it out where there is none`,
    );
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "boolean" || Number.isFinite(value);
}
