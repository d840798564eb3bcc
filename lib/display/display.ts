/**
 * What a cell shows: one object, several representations (a MIME bundle), of
 * which each front end takes the richest that it can draw.
 *
 * The folder's other files make such objects: table.ts, grid.ts of pictures and
 * hits, chart.ts (with chart_picture.ts, its PNG) and the kinds of charts.ts.
 * progress.ts shows work as it goes on, with stop_button.ts and find_strip.ts.
 *
 * Text that comes from outside (titles, captions, paths, labels) is always
 * text: whatever builds HTML passes it through `escapeHtml` here, whatever
 * builds lines through `oneLine`.
 *
 * ```ts
 * import { displayable, escapeHtml, jupyterDisplay } from "#lib/display/display.ts";
 * import { equal } from "node:assert/strict";
 *
 * const html = `<b>${escapeHtml('5 < 6 & "so on"')}</b>`;
 * const shown = displayable({ "text/plain": "5 < 6", "text/html": html });
 * equal(`${shown}`, "5 < 6");
 * equal(shown[jupyterDisplay]()["text/html"], "<b>5 &lt; 6 &amp; &quot;so on&quot;</b>");
 * ```
 *
 * @module
 */

/** Representations of one output by MIME type: text, or JSON for "+json". */
export interface MimeBundle {
  /** Every output can be read as text: in diffs, terminals, screen readers. */
  "text/plain": string;
  /** Text, base64 for pictures, or an object for "+json". */
  [mimeType: string]: string | object;
}

/** The kernel calls the method of this name on a cell's last value. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** An object that a notebook draws when it is a cell's last expression. */
export interface Displayable {
  /** Its representations. */
  [jupyterDisplay](): MimeBundle;
  /** The text representation. */
  toString(): string;
}

/** Wraps a bundle so that the kernel finds it; as a string, it is its text. */
export function displayable(bundle: MimeBundle): Displayable {
  return {
    [jupyterDisplay]: () => bundle,
    toString: () => bundle["text/plain"],
  };
}

/** An output below its caption, which is plain text: number and what to notice. */
export function captioned(
  caption: string | undefined,
  text: string,
  html: string,
): Displayable {
  return displayable({
    "text/plain": caption ? `${oneLine(caption)}\n${text}` : text,
    "text/html": caption
      ? `<p><b>${escapeHtml(caption)}</b></p>\n${html}`
      : html,
  });
}

/** Makes text safe inside HTML elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\p{Cc}]/gu, (sign) => ENTITIES[sign] ?? " ");
}

/** Text on one line, without what terminals obey: controls, turns of direction. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_C}\s]+/gu, " ").trim();
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
