/**
 * Of clean pictures, those that are new: each sum once, and of what is nearly the
 * same, what `leaveOut` keeps.
 *
 * Rows lie in a file; what memory holds of a picture are some numbers.
 *
 * ```ts
 * import type { CleanRow, Row } from "#lib/dataset/clean_each.ts";
 * import { readDistinct } from "#lib/dataset/distinct.ts";
 * import { RowFile } from "#lib/dataset/row_file.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync } from "node:fs";
 *
 * const rows = RowFile.open<Row>(`${mkdtempSync("/tmp/distinct-")}/rows.jsonl`);
 * const item = { file: "/pictures/owl.png", term: "owl" } as CleanRow["item"];
 * const clean = { sha256: "ab".repeat(32), width: 90, height: 60, bytes: 5 };
 * const order = [rows.append({ item, clean }), rows.append({ item, clean })];
 * const { rows: first, sameAs } = readDistinct(rows, order, false);
 * deepStrictEqual([...first, ...sameAs], [0, [1, 0]]);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type CleanRow, placesOf, type Row } from "./clean_each.ts";
import { type CleanOnce, fromHex, holds } from "./clean_once.ts";
import {
  type Alike,
  findAlike,
  leaveOut,
  type NearOptions,
  type NearPair,
} from "./near_duplicates.ts";
import { NumberMap } from "./number_map.ts";
import { HASH_WORDS } from "./perceptual_hash.ts";
import type { RowFile } from "./row_file.ts";
import type { SplitOptions } from "./split.ts";
import type { DatasetPicture } from "../records.ts";

/** Clean pictures, each once, by numbers from 0 in the order of the source. */
export interface Pictures {
  /** Rows in all, of these and of what is left out. */
  found: number;
  /** The row of each. */
  rows: readonly number[] | Uint32Array;
  /** The class of each, a place in `terms`. */
  classes: ArrayLike<number>;
  terms: string[];
  /** Pixels. */
  areas: ArrayLike<number>;
  /** The start of its sum, which tells it from all others. */
  sums: ArrayLike<number>;
  hashes: Uint32Array;
  /** Those whose side is settled. */
  given: Map<number, DatasetPicture["split"]>;
  spared: Set<number>;
  /** What stands for the group that the caller names; NaN for none. */
  groups: ArrayLike<number>;
  /** Rows that are none of these, each with the row of the same sum. */
  sameAs: Map<number, number>;
}

/** Tells what is new from what was there before. */
export function readDistinct(
  rows: RowFile<Row>,
  order: ArrayLike<number> & Iterable<number>,
  nearDuplicates: NearOptions | false,
  groupBy?: SplitOptions["groupBy"],
): Pictures {
  // As long as can be, and cut where they end.
  const found = order.length;
  const [rowOf, classes, areas] = [0, 1, 2].map(() => new Uint32Array(found));
  const [sums, groups] = [0, 1].map(() => new Float64Array(found));
  const hashes = new Uint32Array(nearDuplicates ? found * HASH_WORDS : 0);
  const terms: string[] = [];
  const given: Pictures["given"] = new Map();
  const spared = new Set<number>();
  const sameAs = new Map<number, number>();
  let count = 0;
  const bySum = new NumberMap();
  const byTerm = new Map<string, number>();
  const spare = new Set(nearDuplicates ? nearDuplicates.spare : []);
  for (const row of order) {
    const { item, clean } = rows.read(row);
    if (!clean || "rejected" in clean || !("file" in item)) continue;
    const sum = parseInt(clean.sha256.slice(0, 13), 16);
    const first = bySum.get(sum);
    if (first !== undefined) {
      sameAs.set(row, first);
      continue;
    }
    const number = count++;
    rowOf[number] = row;
    bySum.set(sum, row);
    const term = item.term.normalize("NFC");
    const of = byTerm.get(term) ?? terms.push(item.term) - 1;
    byTerm.set(term, of);
    classes[number] = of;
    areas[number] = clean.width * clean.height;
    sums[number] = sum;
    if (clean.hash) hashes.set(fromHex(clean.hash), number * HASH_WORDS);
    if (item.split) given.set(number, item.split);
    if (spare.has(item.url) || spare.has(item.file)) spared.add(number);
    const group = groupBy?.(item);
    groups[number] = group === undefined ? NaN : numberOf(group);
  }
  return {
    ...{ found, classes, terms, areas, sums, given, spared, groups, sameAs },
    rows: rowOf.subarray(0, count),
    hashes: hashes.subarray(0, count * HASH_WORDS),
  };
}

/** A number that stands for a text: small, and the same for the same text. */
function numberOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}

/** What near duplicates come to. */
export interface Near {
  /** Rows of what goes, each with the row of what stays for it. */
  dropped: Map<number, number>;
  /** Pairs of which both stay. */
  staying: Alike[];
  pairs: NearPair[];
}

/** Leaves out what is nearly the same as another picture. */
export async function dropNear(
  { rows: rowOf, classes, areas, hashes, given, spared }: Pictures,
  rows: RowFile<Row>,
  cleaner: CleanOnce,
  nearDuplicates: NearOptions | false,
  signal?: AbortSignal,
): Promise<Near> {
  const near: Near = { dropped: new Map(), staying: [], pairs: [] };
  if (!nearDuplicates) return near;
  const read = (number: number) => rows.read(rowOf[number]) as CleanRow;
  const alike = await findAlike(
    hashes,
    (number) => whereIs(read(number), cleaner),
    nearDuplicates,
    signal,
  );
  const { dropped, staying } = leaveOut(alike, {
    areas,
    isSpared: (number) => spared.has(number),
    keep: nearDuplicates.keep,
  });
  near.staying = staying;
  for (const [number, pair] of [...dropped].sort(([a], [b]) => a - b)) {
    const kept = pair.a === number ? pair.b : pair.a;
    near.dropped.set(rowOf[number], rowOf[kept]);
    const { hashDistance, similarity } = pair;
    near.pairs.push({
      kept: read(kept).item.file,
      dropped: read(number).item.file,
      hashDistance,
      ...similarity !== undefined && { similarity },
      across: classes[kept] !== classes[number] ||
        given.get(kept) !== given.get(number),
    });
  }
  return near;
}

/** Where a picture's clean file lies now. */
export function whereIs(row: CleanRow, cleaner: CleanOnce): string {
  const places = placesOf(row);
  const found = [cleaner.stagedPath(row.clean), ...places]
    .find((path) => holds(path, row.clean));
  if (found) return found;
  throw new Error(
    `${places[0]} has gone while the data set was made: run it again`,
  );
}
