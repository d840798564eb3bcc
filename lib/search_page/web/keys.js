/**
 * The sheet of keys, which `?` opens.
 *
 * @module
 */
import { button, make } from "./dom.js";

/** Keys, what they do, where. @typedef {readonly [keys: string, what: string, where: string][]} Keys */

/** The keys of light box and map. @type {Keys} */
export const KEYS_ABOVE = [
  ["← →", "The picture before, the next", "Light box"],
  ["+ − 0", "Larger, smaller, whole", "Light box"],
  ["Shift ← → ↑ ↓", "Move what is enlarged", "Light box"],
  ["i", "What is known of the picture", "Light box"],
  ["l", "More like this", "Light box"],
  ["n", "Less like this", "Light box"],
  ["x", "Select", "Light box"],
  ["h", "Hide or show again, and go on to the next", "Light box"],
  ["Backspace", "Back to where another picture was opened from", "Light box"],
  ["← → ↑ ↓", "To the nearest picture in that direction", "Map"],
  ["+ − 0", "Larger, smaller, all of it", "Map"],
  ["Enter", "Open the picture", "Map"],
];

const body = make("div", { className: "keys" });
const dialog = make(
  "dialog",
  { id: "keys", ariaLabel: "Keys" },
  make(
    "div",
    { className: "top" },
    make("h2", {}, "Keys"),
    button("Close", () => dialog.close()),
  ),
  body,
);
document.body.append(dialog);

/** Opens the sheet. @param {Keys} keys All of them. */
export function openKeys(keys) {
  const places = [...new Set(keys.map(([, , where]) => where))];
  body.replaceChildren(...places.map((place) => {
    const own = keys.filter(([, , where]) => where === place);
    return make(
      "section",
      {},
      make("h3", {}, place),
      make(
        "dl",
        {},
        ...own.flatMap(([key, what]) => [
          make("dt", {}, make("kbd", {}, key)),
          make("dd", {}, what),
        ]),
      ),
    );
  }));
  if (!dialog.open) dialog.showModal();
}
