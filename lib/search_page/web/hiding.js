/**
 * Hides pictures from the results, and shows them again.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/search_result.ts" */
import { button, byId, count, nearCopies } from "./dom.js";
import { focusCurrent } from "./grid.js";
import { select, selectedPaths } from "./selection.js";
import { ask, complain } from "./server.js";

const deed = byId("deed", HTMLElement);

/** Pictures that are hidden, as far as the page has heard. */
const hiddenPaths = /** @type {Set<string>} */ (new Set());

/** Shows what is left. */
let onChange = () => Promise.resolve();

/** @param {() => Promise<void>} changed Draws anew what is on show. */
export function prepareHiding(changed) {
  onChange = changed;
}

/** Takes away what says that something was hidden. */
export function forgetDeed() {
  deed.replaceChildren();
}

/** Says of pictures that they are hidden. @param {SearchHit[]} hits */
export function areHidden(hits) {
  for (const { path } of hits) hiddenPaths.add(path);
}

/** @param {Pick<SearchHit, "path">} hit */
export const isHidden = ({ path }) => hiddenPaths.has(path);

/** Whether all that is selected is hidden. */
export const isHiddenSelected = () =>
  selectedPaths().every((path) => hiddenPaths.has(path));

/**
 * Hides pictures, and the near copies that are folded behind them; shows them
 * again if all of them are hidden.
 *
 * @param {SearchHit[]} hits
 */
export async function hide(hits) {
  const hidden = !hits.every(isHidden);
  const own = hits.filter((hit) => isHidden(hit) !== hidden);
  const paths = new Set(own.flatMap(({ path, copies }) => [path, ...copies]));
  await setHidden([...paths], hidden);
  const done = hidden ? "Hidden" : "Shown again";
  const many = own.length === 1
    ? done
    : `${count(own.length)} ${done.toLowerCase()}`;
  const copies = paths.size - own.length;
  const said = many + (copies > 0 ? `, with ${nearCopies(copies)}.` : ".");
  const undo = async () => {
    await setHidden([...paths], !hidden);
    deed.replaceChildren();
  };
  deed.replaceChildren(
    `${said} `,
    button("Undo", () => undo().then(focusCurrent, complain)),
  );
  return { said, undo };
}

/** Hides pictures or shows them again; what is on show follows. @param {string[]} paths @param {boolean} hidden */
async function setHidden(paths, hidden) {
  await ask("hide", { paths, hidden });
  for (const path of paths) {
    if (hidden) hiddenPaths.add(path);
    else hiddenPaths.delete(path);
  }
  select(paths.map((path) => /** @type {SearchHit} */ ({ path })), false);
  await onChange();
}
