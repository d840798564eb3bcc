/**
 * Encoders compared on captions, as a table: shares found, times, sizes, and
 * where each row is from.
 *
 * Touches no files.
 *
 * ```ts
 * import { encoderTable } from "#lib/display/encoder_table.ts";
 * import { PUBLISHED } from "#lib/evaluate/encoder_comparison.ts";
 * import { match } from "node:assert/strict";
 *
 * match(`${encoderTable(PUBLISHED)}`, /CLIP ViT-B\/32, OpenAI .* published/);
 * ```
 *
 * @module
 */
import type { EncoderRow } from "../evaluate/encoder_comparison.ts";
import type { Displayable } from "./display.ts";
import { table, type TableOptions } from "./table.ts";

/** Shows a row an encoder; what was not measured stays empty. */
export function encoderTable(
  encoders: readonly EncoderRow[],
  options: Pick<TableOptions, "caption"> = {},
): Displayable {
  const rows = encoders.map((row) => ({
    encoder: row.encoder,
    data: row.data,
    "R@1": row.r1,
    "R@5": row.r5,
    "R@10": row.r10,
    "ms a picture": row.msPerPicture,
    "ms a query": row.msPerQuery,
    MB: row.megabytes,
    source: row.source,
  }));
  return table(rows, options);
}
