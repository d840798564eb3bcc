/**
 * The pictures that the reader has selected, and what can be done with them: the
 * bar at the lower edge. A notebook's cells see the selection too.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/search_result.ts" */
import { amount, button, byId, copied, count, make, showText } from "./dom.js";
import { ask, complain, download } from "./server.js";

/** By path, in the order of selection. */
const selected = /** @type {Map<string, SearchHit>} */ (new Map());

const bar = byId("selection", HTMLElement);

/** Called after each change. */
let onChange = () => {};
/** Called where the bar goes that has the focus. */
let onLeave = () => {};

/** What was selected and is gone, until the reader has put the line away. */
const lost = /** @type {Set<string>} */ (new Set());

/** Whether a picture is selected. @param {string} path */
export const isSelected = (path) => selected.has(path);

/** What is selected, in the order of selection. */
export const selectedPaths = () => [...selected.keys()];

/**
 * Selects pictures, or no longer.
 *
 * @param {SearchHit[]} hits
 * @param {boolean} isOn
 */
export function select(hits, isOn) {
  for (const hit of hits) {
    if (isOn) selected.set(hit.path, hit);
    else selected.delete(hit.path);
  }
  changed();
  tell().catch(complain);
}

/** No longer selects what is gone, and says so: the collection has changed. */
export function follow() {
  if (selected.size > 0) tell().catch(complain);
}

/** Tells the server what is selected, and takes away what of it is gone. */
async function tell() {
  const { gone } = await ask("select", { paths: selectedPaths() });
  if (gone.length === 0) return;
  for (const path of gone.filter((one) => selected.delete(one))) lost.add(path);
  changed();
  sayLost();
}

/** Says what was lost until it is put away: other things work meanwhile. */
function sayLost() {
  const [first] = lost;
  const { size } = lost;
  const line = byId("lost", HTMLElement);
  if (size === 0) return line.replaceChildren();
  const others = size > 1 ? ` and ${amount(size - 1, "other")}` : "";
  line.replaceChildren(
    make(
      "span",
      {},
      `Of what was selected, ${first}${others} ${size > 1 ? "are" : "is"} ` +
        "left out: gone or renamed.",
    ),
    button("Close", () => {
      lost.clear();
      sayLost();
    }),
  );
}

/**
 * Does something with what is selected and there.
 *
 * @param {(hits: SearchHit[]) => unknown} act
 */
async function withSelected(act) {
  // Whatever keeps it from being known, the server leaves out what is gone.
  await tell().catch(() => {});
  try {
    if (selected.size > 0) await act([...selected.values()]);
  } catch (error) {
    complain(error);
  }
}

function changed() {
  const { size } = selected;
  const hadFocus = bar.contains(document.activeElement);
  bar.hidden = size === 0;
  document.body.classList.toggle("selecting", size > 0);
  byId("selected", HTMLElement).textContent = `${count(size)} selected`;
  onChange();
  if (hadFocus && size === 0) onLeave();
}

/**
 * Connects the bar; once.
 *
 * @param {object} actions
 * @param {() => void} actions.changed Draws what is selected.
 * @param {() => void} actions.left Puts the focus elsewhere.
 * @param {() => string} actions.folder Where the pictures lie; "" if nowhere.
 * @param {(paths: string[]) => void} actions.searchBy
 * @param {(hits: SearchHit[]) => unknown} actions.hide They are no longer
 *   selected then.
 */
export function prepareSelection(
  { changed: draw, left, folder, searchBy, hide },
) {
  onChange = draw;
  onLeave = left;
  const clear = () => select([...selected.values()], false);
  byId("clear", HTMLElement).onclick = clear;
  byId("searchBySelected", HTMLElement).onclick = () =>
    searchBy(selectedPaths());
  byId("hideSelected", HTMLElement).onclick = () => withSelected(hide);
  const copy = byId("copyPaths", HTMLElement);
  copy.onclick = async () => {
    const separator = folder().includes("\\") ? "\\" : "/";
    const before = folder() && folder() + separator;
    const text = selectedPaths().map((path) => before + path).join("\n");
    if (!await copied(text)) {
      return showText("The paths of the selected pictures", text);
    }
    copy.textContent = "Copied";
    setTimeout(() => copy.textContent = "Copy paths", 2000);
  };
  const save = byId("download", HTMLButtonElement);
  save.onclick = async () => {
    save.disabled = true;
    save.textContent = "Packing …";
    await withSelected(() =>
      download("archive", { paths: selectedPaths() }, "pictures.zip")
    );
    save.disabled = false;
    save.textContent = "Download";
  };
}
