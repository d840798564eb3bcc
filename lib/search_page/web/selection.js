/**
 * The pictures that the reader has selected, and what can be done with them: the
 * bar at the lower edge. A notebook's cells see the selection too.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/searcher.ts" */
import { byId, copied, count, showText } from "./dom.js";
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
}

function changed() {
  const { size } = selected;
  const hadFocus = bar.contains(document.activeElement);
  bar.hidden = size === 0;
  document.body.classList.toggle("selecting", size > 0);
  byId("selected", HTMLElement).textContent = `${count(size)} selected`;
  onChange();
  if (hadFocus && size === 0) onLeave();
  ask("select", { paths: [...selected.keys()] }).catch(complain);
}

/**
 * Connects the bar; once.
 *
 * @param {object} actions
 * @param {() => void} actions.changed Draws what is selected.
 * @param {() => void} actions.left Puts the focus elsewhere.
 * @param {() => string} actions.folder Where the pictures lie; "" if nowhere.
 * @param {(paths: string[]) => void} actions.searchBy
 * @param {(hits: SearchHit[]) => void} actions.hide
 */
export function prepareSelection(
  { changed: draw, left, folder, searchBy, hide },
) {
  onChange = draw;
  onLeave = left;
  const paths = () => [...selected.keys()];
  const clear = () => select([...selected.values()], false);
  byId("clear", HTMLElement).onclick = clear;
  byId("searchBySelected", HTMLElement).onclick = () => searchBy(paths());
  byId("hideSelected", HTMLElement).onclick = () => {
    const hits = [...selected.values()];
    clear();
    hide(hits);
  };
  const copy = byId("copyPaths", HTMLElement);
  copy.onclick = async () => {
    const separator = folder().includes("\\") ? "\\" : "/";
    const before = folder() && folder() + separator;
    const text = paths().map((path) => before + path).join("\n");
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
    try {
      await download("archive", { paths: paths() }, "pictures.zip");
    } catch (error) {
      complain(error);
    }
    save.disabled = false;
    save.textContent = "Download";
  };
}
