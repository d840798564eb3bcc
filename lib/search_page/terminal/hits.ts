/**
 * A search's result in a terminal: a line a hit, below its picture where those
 * are wanted; and after a heading what may not fit.
 *
 * Reads the pictures that it draws.
 *
 * ```ts
 * import { drawResult } from "#lib/search_page/terminal/hits.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   await drawResult({ hits: [] }),
 *   "no pictures to compare with",
 * );
 * ```
 *
 * @module
 */
import { oneLine } from "../../display/display.ts";
import type { SearchHit, SearchResult } from "../engine/search_result.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { drawPicture, type PreviewOptions } from "./preview.ts";
import type { Protocol } from "./protocol.ts";

/** What stands above the hits where none fits. */
const NONE_FITS = "Nothing here seems to show this. The nearest:";

/** What stands between those that fit and the others. */
const MAY_NOT_FIT = "These may not fit:";

/**
 * Draws a result as text.
 *
 * @param pictures How to show the pictures, and where a hit's is; none are shown
 *   if left out.
 */
export async function drawResult(
  { hits, line }: Pick<SearchResult, "hits" | "line">,
  pictures?: PreviewOptions & {
    protocol: Protocol;
    sourceOf: (hit: SearchHit) => ImageSource;
  },
): Promise<string> {
  // Of the query's own pictures none is a result.
  if (hits.length === 0) return "no pictures to compare with";
  const drawn = await Promise.all(hits.map(async (hit, i) => {
    const picture = pictures &&
      // What cannot be shown can still be named.
      await drawPicture(pictures.sourceOf(hit), pictures.protocol, pictures)
        .catch(() => "");
    return `${picture ?? ""}${String(i + 1).padStart(3)}  ${lineOf(hit, line)}`;
  }));
  const fitting = hits.filter(({ fits }) => fits).length;
  if (fitting === 0) drawn.unshift(NONE_FITS);
  else if (fitting < hits.length) drawn.splice(fitting, 0, MAY_NOT_FIT);
  return drawn.join("\n");
}

/** "0.412  +0.08  a.jpg  (and 1 near copy)  A wall  (and 2 more)" */
function lineOf(hit: SearchHit, line: number | undefined): string {
  const others = (hit.captions?.length ?? 1) - 1;
  const { length: copies } = hit.copies;
  const parts = [
    ...[hit.value.toFixed(3), aboveLine(hit, line), hit.path],
    copies > 0 ? `(and ${copies} near ${copies > 1 ? "copies" : "copy"})` : "",
    ...[hit.caption || hit.title, others > 0 ? `(and ${others} more)` : ""],
  ];
  return parts.filter(Boolean).map(oneLine).join("  ");
}

/** How far a hit lies above the line, from where on one fits: "+0.08". */
function aboveLine({ value }: SearchHit, line: number | undefined): string {
  if (line === undefined) return "";
  const above = value - line;
  return `${above < 0 ? "−" : "+"}${Math.abs(above).toFixed(2)}`;
}
