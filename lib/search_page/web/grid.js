/**
 * Results as a grid of tiles: pictures large, the keyboard's arrows move among
 * them, and what is selected is told to the server.
 *
 * @module
 */
import { ask, byId, complain, count, make, shorten, titleOf } from "./dom.js";

/** Ids of the selected pictures, in the order of selection. */
export const selection = new Set();

/** The address of a hit's thumbnail. */
export const thumbnail = ({ row }) => `thumbnail/${row}`;

/**
 * Draws hits.
 *
 * @param hits What the server found.
 * @param act { open(hit, hits), like(hit) }: what the reader can do with one.
 * @param result The whole answer; left out for random pictures.
 */
export function grid(hits, act, result) {
  const list = make("ol", { className: "grid" });
  list.append(...hits.map((hit) => card(hit, hits, act, result)));
  list.addEventListener("keydown", (event) => moveAmong(list, event));
  return list;
}

/** Ends when every picture in view is painted, or cannot be. */
export async function painted(element) {
  const pictures = [...element.querySelectorAll("img")]
    .filter((image) => image.loading !== "lazy");
  await Promise.all(pictures.map((image) => image.decode().catch(() => {})));
  await new Promise((resolve) => requestAnimationFrame(() => resolve()));
}

function card(hit, hits, act, result) {
  const title = titleOf(hit);
  const image = make("img", {
    // What is not in view can wait.
    loading: hits.indexOf(hit) < 24 ? "eager" : "lazy",
    decoding: "async",
    draggable: false,
    src: thumbnail(hit),
    alt: hit.caption || title,
  });
  const tile = make("button", {
    type: "button",
    className: "tile",
    "aria-label": `Open ${title}`,
    onclick: () => act.open(hit, hits),
    onkeydown(event) {
      if (event.key === "l") act.like(hit);
      if (event.key === "x") box.click();
    },
  }, image);
  image.onerror = () => tile.classList.add("gone");
  const box = make("input", {
    type: "checkbox",
    checked: selection.has(hit.id),
    "aria-label": `Select ${title}`,
    onchange: () => select(hit, box.checked),
  });
  const item = make(
    "li",
    { className: "card" },
    tile,
    make("label", { className: "pick", title: "Select" }, box),
    make("h3", { title }, shorten(title, 50)),
    hit.term ? make("p", {}, hit.term) : undefined,
    result ? make("p", {}, matchOf(hit, result)) : undefined,
    hit.copies.length > 0
      ? make(
        "p",
        {},
        `and ${count(hit.copies.length)} near ${
          hit.copies.length === 1 ? "copy" : "copies"
        }`,
      )
      : undefined,
    make("button", {
      type: "button",
      className: "link",
      textContent: "More like this",
      "aria-label": `More like this: ${title}`,
      onclick: () => act.like(hit),
    }),
  );
  item.dataset.id = hit.id;
  item.classList.toggle("chosen", selection.has(hit.id));
  return item;
}

/** A hit's value in words: "Match 41.2%", "L1 distance 12,345". */
export function matchOf({ value }, { query, better }) {
  if (better === "higher") return `Match ${(100 * value).toFixed(1)}%`;
  const digits = value >= 100 ? 0 : 3;
  return `Distance ${
    value.toLocaleString("en", { maximumFractionDigits: digits })
  } (${query.metric.toUpperCase()})`;
}

function select(hit, chosen) {
  if (chosen) selection.add(hit.id);
  else selection.delete(hit.id);
  selectionChanged();
}

/** Takes everything out of the selection. */
export function clearSelection() {
  selection.clear();
  selectionChanged();
}

function selectionChanged() {
  for (const item of document.querySelectorAll(".card")) {
    const chosen = selection.has(item.dataset.id);
    item.classList.toggle("chosen", chosen);
    item.querySelector("[type=checkbox]").checked = chosen;
  }
  byId("clear").disabled = selection.size === 0;
  byId("clear").textContent = selection.size
    ? `Clear ${selection.size} selected`
    : "None selected";
  ask("select", { ids: [...selection] }).catch(complain);
}

/** Arrow keys: to the neighbour, or to the one above or below. */
function moveAmong(list, event) {
  const tiles = [...list.querySelectorAll(".tile")];
  const here = tiles.indexOf(document.activeElement);
  if (here < 0) return;
  const top = tiles[0].offsetTop;
  const columns = tiles.filter((tile) => tile.offsetTop === top).length;
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -here,
    End: tiles.length - 1 - here,
  };
  const target = tiles[here + steps[event.key]];
  if (!target) return;
  event.preventDefault();
  target.focus();
}
