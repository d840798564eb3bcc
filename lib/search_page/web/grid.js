/**
 * Pictures as a grid of square tiles. Only the rows in sight are in the
 * document, whose scroll bar serves 100,000 pictures as well as twelve; tiles
 * that leave are used again for those that come.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/search_result.ts" */
/** @import { Hits } from "./hits.js" */
import {
  button,
  make,
  nearCopies,
  scoreText,
  thumbnail,
  titleOf,
} from "./dom.js";
import { isEmpty } from "./query.js";
import { isSelected, select } from "./selection.js";

/**
 * What the reader can do with a picture; the light box and the map take it too.
 *
 * @typedef {object} Actions
 * @property {(hits: Pick<Hits, "length" | "at">, index: number, reveal: (index: number) => void) => void} open
 *   `reveal` puts the focus on a tile, out of sight or not.
 * @property {(hit: SearchHit) => void} like Search for more like it.
 * @property {(hit: SearchHit) => void} unlike Search for less like it.
 * @property {(hit: SearchHit) => void} select Or no longer.
 * @property {(hit: SearchHit) => Promise<Done>} hide Or show again, if it is hidden.
 * @property {(hit: SearchHit) => boolean} isHidden
 * @property {(index: number) => void} focusTile
 */

/**
 * What was done, in a sentence, and the way back.
 *
 * @typedef {object} Done
 * @property {string} said
 * @property {() => Promise<void>} undo
 */

/**
 * A tile with its caption and its buttons.
 *
 * @typedef {object} Card
 * @property {HTMLLIElement} element
 * @property {HTMLButtonElement} tile
 * @property {HTMLInputElement} box
 * @property {HTMLElement[]} reached By the Tab key, where the card is current.
 * @property {number} index
 * @property {string} filled What is shown, as a text to compare by.
 * @property {SearchHit} [hit]
 */

/** Pixels above and below the window that are drawn as well. */
const MARGIN = 300;

/** Pixels above the first tile, about. */
const ABOVE = 130;

/** Pixels at the upper edge that the header covers, at the lower the bar. */
const COVERED = 70;

/** What a tile is called until its picture is known. */
const LOADING = "Loading";

/** The grids on show. */
const grids = /** @type {Set<Grid>} */ (new Set());

/** Cards in the document and out of it, by their element. */
const cardOf = /** @type {WeakMap<Element, Card>} */ (new WeakMap());

/** The tile that Tab leads to. */
let current = 0;
/** The tile from which Shift selects. */
let anchor = 0;

/** Hits from one place to another. */
export class Grid {
  element = make("ol", { className: "grid" });
  /** The grids among which the arrow keys move. @type {Grid[]} */
  family = [this];
  from = 0;
  to = 0;
  /** @type {Hits} */
  hits;
  /** @type {SearchResult | undefined} */
  result;
  #cards = /** @type {Map<number, Card>} */ (new Map());
  /** Cards to use again. */
  #spare = /** @type {Card[]} */ ([]);
  #actions;
  columns = 1;
  #rowHeight = 1;
  /** Puts the focus on a tile of the family. @type {(index: number) => void} */
  reveal = (index) => this.focus(Math.min(index, this.to - 1));

  /** @param {Hits} hits @param {Actions} actions */
  constructor(hits, actions) {
    this.hits = hits;
    this.#actions = actions;
    this.element.onclick = (event) => this.#clicked(event);
    this.element.onkeydown = (event) => this.#keyed(event);
    this.element.addEventListener("focusin", ({ target }) => {
      const card = cardAt(target);
      if (card) makeCurrent(card.index);
    });
  }

  /**
   * Shows hits.
   *
   * @param {Hits} hits
   * @param {number} from
   * @param {number} to Not included.
   * @param {SearchResult} [result] Left out where nothing was compared.
   */
  show(hits, from, to, result) {
    Object.assign(this, { hits, from, to, result });
    grids.add(this);
    this.draw();
  }

  /** Draws what is in sight. */
  draw() {
    const { element, from, to } = this;
    if (!element.isConnected) return void grids.delete(this);
    const { top, width } = element.getBoundingClientRect();
    const { gap, caption } = measures();
    if (width === 0) return;
    const columns = columnsFor(width, this.result?.query.k ?? to - from);
    const side = (width - gap * (columns - 1)) / columns;
    const rowHeight = side + caption + gap;
    this.columns = columns;
    this.#rowHeight = rowHeight;
    const rows = Math.ceil((to - from) / columns);
    element.style.height = `${rows * rowHeight}px`;
    const firstRow = Math.max(0, Math.floor((-top - MARGIN) / rowHeight));
    const rowsEnd = Math.ceil((innerHeight - top + MARGIN) / rowHeight);
    const first = Math.min(to, from + firstRow * columns);
    const end = Math.max(first, Math.min(to, from + rowsEnd * columns));
    const wanted = [];
    const focused = cardAt(document.activeElement);
    const here = focused && this.#cards.get(focused.index) === focused
      ? focused
      : undefined;
    for (let index = first; index < end; index++) wanted.push(index);
    // The focus stays where it is, though its tile is out of sight.
    if (here && here.index < to) {
      if (here.index < first) wanted.unshift(here.index);
      if (here.index >= end) wanted.push(here.index);
    }
    this.hits.want(this, wanted);
    const active = document.activeElement;
    const [place, path] = [here?.index ?? 0, here?.hit?.path];
    this.#deal(wanted, side, (index) => {
      const place = index - from;
      const x = (place % columns) * (side + gap);
      return [x, Math.floor(place / columns) * rowHeight];
    });
    const stays = here && this.#cards.get(here.index) === here &&
      (path === undefined ? here.index === place : here.hit?.path === path);
    // The others may still be about to change.
    if (here && !stays) queueMicrotask(() => this.#refocus(place));
    // A tile that was moved in the document has lost it.
    else if (
      active !== document.activeElement && active instanceof HTMLElement &&
      active.isConnected
    ) active.focus({ preventScroll: true });
  }

  /**
   * Gives each place in sight a card, the one that has its picture if there is.
   *
   * @param {number[]} wanted
   * @param {number} side
   * @param {(index: number) => number[]} placeOf
   */
  #deal(wanted, side, placeOf) {
    const cards = /** @type {Map<number, Card>} */ (new Map());
    const free = /** @type {Set<Card | undefined>} */ (new Set());
    const byPath = /** @type {Map<string, Card>} */ (new Map());
    const isWanted = new Set(wanted);
    for (const [index, card] of this.#cards) {
      const path = this.hits.known(index)?.path;
      if (isWanted.has(index) && (!card.hit || card.hit.path === path)) {
        cards.set(index, card);
      } else {
        free.add(card);
        if (card.hit) byPath.set(card.hit.path, card);
      }
    }
    for (const index of wanted) {
      if (cards.has(index)) continue;
      const path = this.hits.known(index)?.path;
      const same = path === undefined ? undefined : byPath.get(path);
      if (!same) continue;
      cards.set(index, same);
      free.delete(same);
      byPath.delete(path ?? "");
    }
    let next = this.element.firstElementChild;
    const here = () => next ? cardOf.get(next) : undefined;
    for (const index of wanted) {
      const own = cards.get(index);
      while (own && free.has(here())) next = next?.nextElementSibling ?? null;
      // A card that stands in the right place costs the browser least.
      const [other] = free.has(here()) ? [here()] : free;
      const card = own ?? other ?? this.#spare.pop() ?? makeCard();
      free.delete(card);
      cards.set(index, card);
      const { element } = card;
      this.#fill(card, index);
      const [x, y] = placeOf(index);
      element.style.transform = `translate(${x}px, ${y}px)`;
      element.style.width = `${side}px`;
      if (element === next) next = next.nextElementSibling;
      else this.element.insertBefore(element, next);
    }
    for (const card of free) {
      if (!card) continue;
      card.element.remove();
      empty(card);
      this.#spare.push(card);
    }
    this.#cards = cards;
  }

  /** @param {Card} card @param {number} index */
  #fill(card, index) {
    const hit = this.hits.known(index);
    const { element, tile, box } = card;
    card.index = index;
    reach(card);
    element.ariaPosInSet = `${index + 1}`;
    element.ariaSetSize = `${this.family[this.family.length - 1].to}`;
    const filled = JSON.stringify([hit, this.result?.line]);
    const isOn = hit !== undefined && isSelected(hit.path);
    element.classList.toggle("chosen", isOn);
    box.checked = isOn;
    if (filled === card.filled) return;
    if (!hit) return empty(card);
    const isSame = hit.id === card.hit?.id;
    card.filled = filled;
    card.hit = hit;
    const title = titleOf(hit);
    const [name, value] = element.querySelectorAll(".caption span");
    element.dataset.path = hit.path;
    element.title = tipOf(hit);
    name.textContent = title;
    value.textContent = valueOf(hit, this.result);
    tile.ariaLabel = `Open ${title}`;
    box.ariaLabel = `Select ${title}`;
    const [like, unlike] = element.querySelectorAll(".acts button");
    like.ariaLabel = `More like this: ${title}`;
    unlike.ariaLabel = `Less like this: ${title}`;
    if (isSame) return;
    const image = thumbnail(hit);
    image.onerror = () => element.classList.add("gone");
    element.classList.remove("gone");
    stopLoading(tile);
    tile.replaceChildren(image);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const card = cardAt(event.target);
    const hit = card?.hit;
    if (!card || !hit || !(event.target instanceof Element)) return;
    const control = event.target.closest("button, input");
    if (control === card.tile) {
      // The list as it is at any time: pictures come and go.
      const list = {
        length: () => this.hits.length(),
        at: (/** @type {number} */ index) => this.hits.at(index),
      };
      this.#actions.open(list, card.index, this.reveal);
    } else if (control === card.box) {
      this.#select(card, event.shiftKey, card.box.checked);
    } else if (control) {
      if (control.className === "like") this.#actions.like(hit);
      else this.#actions.unlike(hit);
    }
  }

  /** @param {KeyboardEvent} event */
  #keyed(event) {
    const card = cardAt(event.target);
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    const { hit } = card;
    if (hit && event.key === "l") this.#actions.like(hit);
    else if (hit && event.key === "n") this.#actions.unlike(hit);
    else if (hit && event.key.toLowerCase() === "x") {
      this.#select(card, event.shiftKey, !isSelected(hit.path));
    } else if (event.target !== card.tile || !this.#move(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Card} card @param {boolean} isRange @param {boolean} isOn */
  async #select({ index, hit }, isRange, isOn) {
    const [first, last] = isRange
      ? [Math.min(anchor, index), Math.max(anchor, index)]
      : [index, index];
    anchor = index;
    const hits = [];
    for (let place = first; place <= last; place++) {
      const one = place === index ? hit : await this.hits.at(place);
      if (one) hits.push(one);
    }
    select(hits, isOn);
  }

  /** Moves the focus, if the key says so. @param {string} key */
  #move(key) {
    const { columns, family } = this;
    const last = family[family.length - 1].to - 1;
    const page = columns *
      Math.max(1, Math.floor((innerHeight - COVERED) / this.#rowHeight));
    const rightwards = getComputedStyle(this.element).direction === "rtl"
      ? -1
      : 1;
    const steps = /** @type {Record<string, number>} */ ({
      ArrowLeft: -rightwards,
      ArrowRight: rightwards,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
    });
    if (!(key in steps)) return false;
    const target = current + steps[key];
    // Up from the first row leads nowhere; down from the last but one, to the end.
    if (target < 0 && key.startsWith("Arrow")) return true;
    const index = Math.max(0, Math.min(target, last));
    family.find((grid) => index < grid.to)?.focus(index);
    return true;
  }

  /** The picture there has gone: the focus goes to the one that took its place. @param {number} place */
  #refocus(place) {
    const last = this.family[this.family.length - 1].to - 1;
    const index = Math.min(place, last);
    const grid = this.family.find(({ to }) => index < to);
    if (index >= 0) grid?.focus(index);
    else focusCurrent();
  }

  /** Brings a tile in sight, with the focus. @param {number} index */
  focus(index) {
    // Other pictures have taken the place of all of these.
    if (!this.element.isConnected) return focusCurrent();
    const row = Math.floor((index - this.from) / this.columns);
    const { top } = this.element.getBoundingClientRect();
    const y = top + row * this.#rowHeight;
    const below = y + this.#rowHeight - (innerHeight - COVERED);
    if (y < COVERED) scrollBy({ top: y - COVERED, behavior: "instant" });
    else if (below > 0) scrollBy({ top: below, behavior: "instant" });
    makeCurrent(index);
    this.draw();
    this.#cards.get(index)?.tile.focus({ preventScroll: true });
  }

  /** The places that are drawn. */
  drawn() {
    return [...this.#cards.keys()];
  }

  /** Says anew which card Tab leads to. */
  reach() {
    for (const card of this.#cards.values()) reach(card);
  }
}

/** The first tile is the one that Tab leads to. */
export function startAtFirst() {
  anchor = 0;
  makeCurrent(0);
}

/** The place of the tile that has the focus, if one has. */
export const focusedPlace = () => cardAt(document.activeElement)?.index;

/** Puts the focus on the tile that Tab leads to, or another in sight. */
export function focusCurrent() {
  const tile = document.querySelector(".tile[tabindex='0']") ??
    document.querySelector(".tile");
  const target = tile ?? document.querySelector("#results");
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}

/** Draws what is in sight anew: after scrolling, or when hits have come. */
export function drawGrids() {
  for (const grid of grids) grid.draw();
}

/** Ends when the pictures in sight are painted. @param {Element} element */
export async function painted(element) {
  const images = [...element.querySelectorAll("img")].filter((image) => {
    const { top, bottom } = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  await Promise.all(images.map((image) => image.decode().catch(() => {})));
  await new Promise((resolve) => requestAnimationFrame(resolve));
}

let isAsked = false;
function drawSoon() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    drawGrids();
  });
}
addEventListener("scroll", drawSoon, { passive: true });
// Whatever stands above the grid may move it.
new ResizeObserver(() => {
  measured = undefined;
  drawSoon();
}).observe(document.body);
addEventListener("resize", drawSoon);

/** Wears what the style sheet says of tiles, to be measured. */
const probe = make("div", { className: "probe" });
document.body.append(probe);

let measured =
  /** @type {Record<"gap" | "least" | "most" | "caption", number> | undefined} */ (
    undefined
  );

/** Gap, least and largest side of a tile, height of a caption, pixels. */
function measures() {
  const style = getComputedStyle(probe);
  return measured ??= {
    gap: parseFloat(style.columnGap),
    least: parseFloat(style.minWidth),
    most: parseFloat(style.width),
    caption: parseFloat(style.height),
  };
}

/**
 * In how many columns the first page comes nearest to filling the window.
 *
 * @param {number} width Of the grid, pixels.
 * @param {number} k Pictures of the first page.
 */
function columnsFor(width, k) {
  const { gap, least, most, caption } = measures();
  const highest = Math.max(2, Math.floor((width + gap) / (least + gap)));
  const fewest = Math.max(2, Math.ceil((width + gap) / (most + gap)));
  let best = highest, nearest = Infinity;
  for (let columns = highest; columns >= fewest; columns--) {
    const row = (width + gap) / columns + caption;
    const height = Math.ceil(k / columns) * row;
    const off = Math.abs(Math.log(height / (innerHeight - ABOVE)));
    if (off < nearest) [best, nearest] = [columns, off];
  }
  return best;
}

/** @param {unknown} target */
function cardAt(target) {
  if (!(target instanceof Element)) return undefined;
  const element = target.closest(".card");
  return element ? cardOf.get(element) : undefined;
}

/** @param {number} index */
function makeCurrent(index) {
  current = index;
  for (const grid of grids) grid.reach();
}

/** @param {Card} card */
function reach({ index, reached }) {
  const tabIndex = index === current ? 0 : -1;
  // As for all controls: the first one tells.
  if (reached[0].tabIndex === tabIndex) return;
  for (const control of reached) control.tabIndex = tabIndex;
}

/** @returns {Card} */
function makeCard() {
  const tile = button("", () => {}, { className: "tile", ariaLabel: LOADING });
  const box = make("input", { type: "checkbox" });
  const acts = [
    button("+", () => {}, { className: "like", title: "More like this" }),
    button("−", () => {}, { className: "unlike", title: "Less like this" }),
  ];
  const element = make(
    "li",
    { className: "card" },
    tile,
    make("label", { className: "pick", title: "Select" }, box),
    make("div", { className: "acts" }, ...acts),
    make(
      "p",
      { className: "caption" },
      make("span", { className: "name", dir: "auto" }),
      make("span", { className: "value" }),
    ),
  );
  const reached = [tile, box, ...acts];
  for (const control of reached) control.tabIndex = -1;
  const card = { element, tile, box, reached, index: 0, filled: "" };
  cardOf.set(element, card);
  return card;
}

/** Takes the picture away; what is under way for it ends. @param {Card} card */
function empty(card) {
  if (!card.hit) return;
  const { element, tile } = card;
  card.hit = undefined;
  card.filled = "";
  stopLoading(tile);
  tile.replaceChildren();
  tile.ariaLabel = LOADING;
  element.classList.remove("gone");
  delete element.dataset.path;
  element.title = "";
  for (const span of element.querySelectorAll(".caption span")) {
    span.textContent = "";
  }
}

/** @param {HTMLElement} tile */
function stopLoading(tile) {
  tile.querySelector("img")?.removeAttribute("src");
}

/** What a tile says where the pointer rests. @param {SearchHit} hit */
function tipOf({ title, caption, path, term, date, copies }) {
  const { length } = copies;
  const folded = length > 0 && `and ${nearCopies(length)}`;
  return [title, caption, term, date.replace("T", " "), path, folded]
    .filter(Boolean).join("\n");
}

/**
 * "0.412 +0.08", so far above the line; "12,345", where there is none; the day,
 * where nothing was compared.
 *
 * @param {SearchHit} hit
 * @param {SearchResult} [result]
 */
function valueOf({ value, date }, result) {
  if (!result) return "";
  if (isEmpty(result.query)) return date.slice(0, 10);
  if (result.line === undefined) return scoreText(value);
  const above = result.better === "higher"
    ? value - result.line
    : result.line - value;
  const sign = above < 0 ? "−" : "+";
  return `${scoreText(value)} ${sign}${Math.abs(above).toFixed(2)}`;
}
