/**
 * What the reader should know of a query before the results are believed.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { remarksOn } from "#lib/search_page/engine/remarks.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { match } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const [remark] = remarksOn(readQuery({ text: "die Katze" }), space, false);
 * match(remark, /English/);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { languageRemark } from "../../encoders/languages.ts";
import type { Collection } from "../index/collection.ts";
import { PIXELS } from "../web/query.js";
import type { SearchQuery } from "./query.ts";
import type { EncoderSpace } from "./spaces.ts";

/**
 * The remarks on a query, in sentences.
 *
 * @param isUnknown Whether nothing tells what fits, though it was asked.
 */
export function remarksOn(
  query: SearchQuery,
  space: EncoderSpace,
  isUnknown: boolean,
): string[] {
  const remarks = query.space === PIXELS ? [onPixels(query)] : [
    onWords(query, space),
    onTexts(query, space.collection) ?? (isUnknown ? onCut(query) : undefined),
  ];
  return remarks.filter((remark) => remark !== undefined);
}

/** What to say of what pixels cannot be compared with. */
function onPixels(
  { text, plus, minus, unlike }: SearchQuery,
): string | undefined {
  const isMore = [text, plus, minus, unlike].some(({ length }) => length > 0);
  return isMore
    ? "Pixels are compared with the pictures alone: words, and what to go away " +
      "from, count for an encoder only."
    : undefined;
}

/** What to say of the words' language. */
function onWords(
  { text, plus, minus }: SearchQuery,
  { encoder }: EncoderSpace,
): string | undefined {
  return [text, ...plus, ...minus]
    .map((words) => languageRemark(encoder, words))
    .find((remark) => remark !== undefined);
}

/** What to say where there is nothing to compare a query with. */
function onTexts(
  { mode }: SearchQuery,
  { count, textRows }: Collection,
): string | undefined {
  if (mode !== "text" || count === 0) return undefined;
  return textRows.some((row) => row >= 0)
    ? undefined
    : "Nothing is written about these pictures: look for them by their looks, " +
      "in another mode.";
}

/** Why nothing tells what fits. */
function onCut({ text, plus, like }: SearchQuery): string {
  const hasAim = text !== "" || plus.length > 0 || like.length > 0;
  return hasAim
    ? "There are too few pictures to tell what fits."
    : "Nothing tells what fits where things are only taken away.";
}
