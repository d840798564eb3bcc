/**
 * The pictures that the reader has selected, and what can be done with them: the
 * bar at the lower edge. A notebook's cells see the selection too.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/searcher.ts" */
import { amount, byId, copied, count, showText } from "./dom.js";
import { ask, complain, download } from "./server.js";

/** By path, in the order of selection. */
const selected = /** @type {Map<string, SearchHit>} */ (new Map());

const bar = byId("selection", HTMLElement);

/** Called after each change. */
let onChange = () => {};
/** Called where the bar goes that has the focus. */
let onLeave = () => {};

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
  tell().then(say, complain);
}

/** No longer selects what is gone, and says so: the collection has changed. */
export function follow() {
  if (selected.size > 0) tell().then(say, complain);
}

/** Tells the server what is selected. @returns {Promise<string[]>} What of it is gone. */
async function tell() {
  const { gone } = await ask("select", { paths: selectedPaths() });
  for (const path of gone) selected.delete(path);
  if (gone.length > 0) changed();
  return gone;
}

/** Says what is no longer selected. @param {string[]} gone */
function say(gone) {
  const { length } = gone;
  if (length === 0) return;
  const [first] = gone;
  const others = length > 1 ? ` and ${amount(length - 1, "other")}` : "";
  complain(
    new Error(
      `Of what was selected, ${first}${others} ${length > 1 ? "are" : "is"} ` +
        "left out: gone or renamed.",
    ),
  );
}

/**
 * Does something with what is selected and there.
 *
 * @param {(hits: SearchHit[]) => unknown} act
 */
async function withSelected(act) {
  // Whatever keeps it from being known, the server leaves out what is gone.
  const gone = await tell().catch(() => []);
  try {
    if (selected.size > 0) await act([...selected.values()]);
    say(gone);
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
