/**
 * Methods and their scores as a table, a row each.
 *
 * ```ts
 * import { scoreTable } from "#lib/display/score_table.ts";
 * import { match } from "node:assert/strict";
 *
 * const pixels = {
 *   method: "pixels", top1: 0.25, precisionAt5: 0.2, meanAveragePrecision: 0.1,
 * };
 * match(`${scoreTable([pixels], { caption: "Table 1" })}`, /precision@5\s+mAP/);
 * ```
 *
 * @module
 */
import type { Result } from "../evaluate/results.ts";
import type { Displayable } from "./display.ts";
import { table, type TableOptions } from "./table.ts";

/** Shows top-1, precision@5 and mAP, all shares from 0 to 1, for each method. */
export function scoreTable(
  results: readonly Result[],
  options: Pick<TableOptions, "caption"> = {},
): Displayable {
  const rows = results.map((result) => ({
    "method": result.method,
    "top-1": result.top1,
    "precision@5": result.precisionAt5,
    "mAP": result.meanAveragePrecision,
  }));
  return table(rows, options);
}
