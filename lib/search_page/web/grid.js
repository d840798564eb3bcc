/**
 * Results as a grid of tiles: pictures large, the keyboard's arrows move among
 * them, and what is selected is told to the server.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/searcher.ts" */
import { button, byId, count, make, thumbnail, titleOf } from "./dom.js";
import { ask, complain } from "./server.js";

/**
 * What the reader can do with a hit: open it among others, find more like it.
 *
 * @typedef {object} Actions
 * @property {(hit: SearchHit, hits: SearchHit[]) => void} open
 * @property {(hit: SearchHit) => void} like
 */

/** Tiles that may be in view at once; the pictures of others can wait. */
const IN_VIEW = 24;

/** Longest title under a tile, characters. */
const LONGEST_TITLE = 50;

/** Paths of the selected pictures, in the order of selection. */
const selection = /** @type {Set<string>} */ (new Set());

const clear = byId("clear", HTMLButtonElement);
clear.onclick = () => {
  selection.clear();
  selectionChanged();
};

/**
 * Draws hits.
 *
 * @param {SearchHit[]} hits
 * @param {Actions} actions
 * @param {SearchResult} [result] Left out for random pictures.
 */
export function grid(hits, actions, result) {
  const cards = hits.map((hit, place) => {
    const title = titleOf(hit);
    const image = thumbnail(hit);
    const open = () => actions.open(hit, hits);
    const like = () => actions.like(hit);
    if (place >= IN_VIEW) image.loading = "lazy";
    image.onerror = () => tile.classList.add("gone");
    const tile = button("", open, {
      className: "tile",
      ariaLabel: `Open ${title}`,
      onkeydown({ key }) {
        if (key === "l") like();
        if (key === "x") box.click();
      },
    }, image);
    const box = make("input", {
      type: "checkbox",
      ariaLabel: `Select ${title}`,
      checked: selection.has(hit.path),
      onchange() {
        if (box.checked) selection.add(hit.path);
        else selection.delete(hit.path);
        selectionChanged();
      },
    });
    const { length } = hit.copies;
    const copies = `and ${count(length)} near ${
      length > 1 ? "copies" : "copy"
    }`;
    const card = make(
      "li",
      { className: "card" },
      tile,
      make("label", { className: "pick", title: "Select" }, box),
      make("h3", { title }, shorten(title, LONGEST_TITLE)),
      hit.term !== "" && make("p", {}, hit.term),
      result !== undefined && make("p", {}, matchOf(hit, result)),
      length > 0 && make("p", {}, copies),
      button("More like this", like, {
        className: "link",
        ariaLabel: `More like this: ${title}`,
      }),
    );
    card.dataset.path = hit.path;
    return card;
  });
  const list = make("ol", { className: "grid" }, ...cards);
  list.onkeydown = (event) => moveAmong(list, event);
  return list;
}

/** Ends when what is in view is painted. @param {Element} element */
export async function painted(element) {
  const pictures = [...element.querySelectorAll("img")]
    .filter(({ loading }) => loading !== "lazy");
  await Promise.all(pictures.map((image) => image.decode().catch(() => {})));
  await new Promise((resolve) => requestAnimationFrame(resolve));
}

/** At most so many characters. @param {string} text @param {number} most */
function shorten(text, most) {
  const characters = [...text];
  if (characters.length <= most) return text;
  return `${characters.slice(0, most - 1).join("").trimEnd()}…`;
}

/** "Match 41.2%", "Distance 12,345 (L1)". @param {SearchHit} hit @param {SearchResult} result */
function matchOf({ value }, { query, better }) {
  if (better === "higher") return `Match ${(100 * value).toFixed(1)}%`;
  const maximumFractionDigits = value >= 100 ? 0 : 3;
  const shown = value.toLocaleString("en", { maximumFractionDigits });
  return `Distance ${shown} (${query.metric.toUpperCase()})`;
}

function selectionChanged() {
  for (const card of document.querySelectorAll("[data-path]")) {
    const { path = "" } = /** @type {HTMLElement} */ (card).dataset;
    const box = card.querySelector("input");
    if (box) box.checked = selection.has(path);
  }
  const { size } = selection;
  clear.disabled = size === 0;
  clear.textContent = size ? `Clear ${size} selected` : "None selected";
  ask("select", { paths: [...selection] }).catch(complain);
}

/** Arrow keys move the focus. @param {Element} list @param {KeyboardEvent} event */
function moveAmong(list, event) {
  const tiles = /** @type {NodeListOf<HTMLElement>} */ (
    list.querySelectorAll(".tile")
  );
  const here = [...tiles].findIndex((tile) => tile === document.activeElement);
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const steps = /** @type {Record<string, number>} */ ({
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -here,
    End: tiles.length - 1 - here,
  });
  const target = here >= 0 && tiles[here + steps[event.key]];
  if (!target) return;
  event.preventDefault();
  target.focus();
}
