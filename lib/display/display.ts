/**
 * What a cell shows: one object, several representations (a MIME bundle), of
 * which each front end takes the richest that it can draw.
 *
 * Text that comes from outside (titles, captions, paths, labels) is always
 * text: whatever builds HTML passes it through `escapeHtml` here, whatever
 * builds lines through `oneLine`.
 *
 * Touches no files.
 *
 * ```ts
 * import { displayable, escapeHtml } from "#lib/display/display.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(escapeHtml('<b> & "c"'), "&lt;b&gt; &amp; &quot;c&quot;");
 * displayable({ "text/plain": "5 hits", "text/html": "<b>5</b> hits" });
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

/** Makes text safe inside HTML elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Text on one line, without the control characters that terminals obey. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
