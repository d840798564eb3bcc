/**
 * The search page: connects the field, the address, the server and the results.
 *
 * Beside this file: form.js, the query in fields and in the address; field.js,
 * pictures and recent words; filters.js, the panel; collection.js, what is
 * searched; hits.js, results page by page; grid.js, their tiles; results.js, the
 * line between what fits and what may not; selection.js; light_box.js, map.js
 * and keys.js, what opens on top.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/searcher.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { AppStatus } from "../routes.ts" */
/** @import { Actions } from "./grid.js" */
/** @import { Keys } from "./keys.js" */
import { follow, totals } from "./collection.js";
import { button, byId, count, keep, kept, make, titleOf } from "./dom.js";
import {
  addPicture,
  prepareField,
  remember,
  showChips,
  text,
} from "./field.js";
import {
  enterFilters,
  leaveFilters,
  prepareFilters,
  showActive,
  unfoldIfActive,
  withoutFilters,
} from "./filters.js";
import {
  beside,
  change,
  fillFromAddress,
  form,
  prepareForm,
  readForm,
  showKnobs,
  toAddress,
} from "./form.js";
import { drawGrids } from "./grid.js";
import { KEYS_ABOVE, openKeys } from "./keys.js";
import { closeLightBox, openLightBox } from "./light_box.js";
import { openMap } from "./map.js";
import { isEmpty, PIXELS } from "./query.js";
import {
  openRest,
  prepareResults,
  renewResults,
  setExports,
  showList,
  shownPaths,
  showResults,
  summary,
} from "./results.js";
import { isSelected, prepareSelection, select } from "./selection.js";
import { allIsWell, ask, complain } from "./server.js";

const statusLine = byId("status", HTMLElement);
const more = byId("more", HTMLElement);

/** @typedef {"nothing" | "random" | "hidden" | "results"} View */

let status = /** @type {AppStatus | undefined} */ (undefined);
/** Ends what is under way. */
let running = new AbortController();
/** The address whose search is under way; "" for none. */
let underWay = "";
/** What is on show, and the generation of the collection that it is of. */
let view =
  /** @type {"nothing" | "random" | "hidden" | "results"} */ ("nothing");
let generation = -1;
/** The questions that were answered by what is on show. */
let asked = /** @type {SearchQuery[]} */ ([]);
/** The slider that was moved last: moving it on is the same step in history. */
let slider = "";

/**
 * Searches for what the form holds, and shows it.
 *
 * @param {object} [options]
 * @param {"new" | "same" | "replaced"} [options.address] The step in history.
 */
async function search({ address: kind = "new" } = {}) {
  const start = performance.now();
  const query = readForm();
  const address = toAddress(query);
  // Enter in a field says twice that it has changed.
  if (address === underWay) return;
  if (kind !== "same") setAddress(address, kind === "replaced");
  showForm();
  const signal = nextSignal(address);
  if (isEmpty(query) && query.sort === "relevance") return await random(signal);
  const spaces = [query.space, ...beside.value ? [beside.value] : []];
  const usesPixels = spaces.includes(PIXELS);
  statusLine.textContent = "Searching …";
  const watch = usesPixels ? setInterval(showPixelProgress, 700, signal) : 0;
  try {
    // Pixels need a picture: where there is none, the best one by words.
    const example = usesPixels && query.like.length === 0
      ? await bestByWords(query, signal)
      : undefined;
    const queries = spaces.map((space) => ({
      ...{ ...query, space },
      ...space === PIXELS && example && { text: "", like: [example.path] },
    }));
    const sides = await Promise.all(
      queries.map((one, i) => ask(i === 0 ? "search" : "compare", one, signal)),
    );
    allIsWell();
    const note = example
      ? ` (pixels know no words: nearest to “${titleOf(example)}”, the best ` +
        "match by words)"
      : "";
    setView("results");
    asked = queries;
    generation = sides[0].generation;
    await showResults(queries, sides, note, actions, nothing);
    if (signal.aborted) return;
    const ms = performance.now() - start;
    document.documentElement.dataset.painted = ms.toFixed(1);
    summarize(sides[0], query.space === PIXELS ? note : "");
    byId("took", HTMLElement).textContent = `${sides[0].comparedBy}: ` +
      `${sides[0].ms.toFixed(0)} ms, painted after ${ms.toFixed(0)} ms`;
    remember(query);
  } catch (error) {
    if (signal.aborted) return;
    // What is on show answers another question.
    setExports(false);
    statusLine.textContent = view === "nothing"
      ? "The search did not work."
      : "The search did not work: the pictures are those from before.";
    complain(error);
  } finally {
    clearInterval(watch);
    if (!signal.aborted) underWay = "";
  }
}

/** Asks again what is on show, quietly: the collection has changed. */
async function renew() {
  const { signal } = running;
  const queries = asked;
  try {
    const sides = await Promise.all(
      queries.map((query) => ask("compare", query, signal)),
    );
    if (view !== "results" || queries !== asked) return;
    generation = sides[0].generation;
    await renewResults(sides);
    summarize(sides[0]);
  } catch (error) {
    complain(error);
  }
}

/** @param {SearchResult} result */
function summarize(result, note = "") {
  const pending = status && !status.done
    ? `; ${count(status.total - status.indexed)} are not indexed yet`
    : "";
  const line = `${summary(result)}${note}${pending}`;
  if (statusLine.textContent !== line) statusLine.textContent = line;
}

/** Takes in how far the collection is. @param {AppStatus} now @param {AppStatus} [before] */
function collectionChanged(now, before) {
  status = now;
  showKnobs(status);
  const isNew = now.generation !== generation || now.done !== before?.done;
  if (view === "results" && isNew && underWay === "") renew();
  const isBare = view === "random" && !document.querySelector(".card");
  if (isBare && now.indexed > 0 && underWay === "") search({ address: "same" });
  else if (view === "random" && !before) sayRandom();
  else if (isBare) sayRandom();
}

/** Shows what the form says, around it. */
function showForm() {
  showKnobs(status);
  showChips(search);
  showActive(search);
}

/** @param {string} address @param {boolean} isReplaced */
function setAddress(address, isReplaced) {
  if (address === (location.hash || "#")) return;
  if (isReplaced) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

/** The nearest picture. @param {SearchQuery} query @param {AbortSignal} signal */
async function bestByWords(query, signal) {
  const byWords = { space: "", metric: "cosine", k: 1, cut: "none" };
  const { hits } = await ask("compare", { ...query, ...byWords }, signal);
  return /** @type {SearchHit | undefined} */ (hits[0]);
}

/** Reading every picture, once, takes a while. @param {AbortSignal} signal */
async function showPixelProgress(signal) {
  const { done, total } = await ask("pixels");
  if (done === total || signal.aborted) return;
  statusLine.textContent = "Reading the pixels of all pictures, once: " +
    `${count(done)} of ${count(total)} …`;
}

/** Ends what is under way; the next thing to do ends by this signal. */
function nextSignal(address = "") {
  running.abort();
  running = new AbortController();
  underWay = address;
  return running.signal;
}

/** Shows pictures drawn at random. @param {AbortSignal} signal */
async function random(signal) {
  const start = performance.now();
  try {
    const hits = await ask("random", readForm(), signal);
    allIsWell();
    setView("random");
    await showList("Random pictures", hits, actions);
    if (signal.aborted) return;
    sayRandom();
    document.documentElement.dataset.painted = `${performance.now() - start}`;
  } catch (error) {
    complain(error);
  } finally {
    if (!signal.aborted) underWay = "";
  }
}

function sayRandom() {
  const { length } = document.querySelectorAll(".card");
  const all = status && status.indexed > 0 ? `${totals(status)}. ` : "";
  statusLine.textContent = length > 0
    ? `${all}These are drawn at random.`
    : !status?.done
    ? "The first pictures come soon."
    : status.indexed > 0
    ? "No picture passes these filters."
    : "There are no pictures here.";
}

/** Shows the pictures that the reader has hidden. */
async function showHidden() {
  try {
    const hits = await ask("hidden", undefined, nextSignal());
    setView("hidden");
    await showList("Hidden pictures", hits, actions);
    statusLine.textContent = hits.length > 0
      ? `${count(hits.length)} hidden pictures: they are no results. Select ` +
        "some to show them again."
      : "No picture is hidden.";
  } catch (error) {
    complain(error);
  }
}

/** Hides pictures, or shows them again where the hidden ones are. @param {SearchHit[]} hits */
async function hide(hits) {
  const hidden = view !== "hidden";
  try {
    await ask("hide", { paths: hits.map(({ path }) => path), hidden });
    if (!hidden) return await showHidden();
    if (view === "results") await renew();
    else await random(nextSignal());
    statusLine.textContent = `${count(hits.length)} hidden. More → Hidden ` +
      "pictures has them.";
  } catch (error) {
    complain(error);
  }
}

/** Looks the folder over again; what is on show follows. */
async function rescan() {
  await ask("rescan", {});
  if (view === "results") await renew();
}

/** Remembers what is on show; hidden pictures can be shown again. @param {View} now */
function setView(now) {
  view = now;
  byId("hideSelected", HTMLElement).textContent = view === "hidden"
    ? "Show again"
    : "Hide";
}

/** Why there is nothing at all. @param {SearchResult} result */
function nothing({ total, query }) {
  const { terms, categories, licenses, cameras, after, before } = query;
  const isFiltered = [terms, categories, licenses, cameras, after, before]
    .some(({ length }) => length > 0);
  const reason = isFiltered && total === 0
    ? "No picture passes these filters."
    : status && !status.done
    ? "Nothing can be searched yet. Results come by themselves."
    : total === 0 && query.mode === "text"
    ? "Nothing is written about these pictures: search in another mode."
    : "There is no picture to show.";
  const clear = button("Clear the filters", () => {
    change(withoutFilters());
    search();
  });
  return make(
    "div",
    { className: "empty" },
    make("p", {}, reason),
    isFiltered && clear,
  );
}

/** Puts the focus on a tile: of the grid from which a picture was opened. @type {(index: number) => void} */
let reveal = () => {};

/** @type {Actions} */
const actions = {
  open(hits, index, revealTile) {
    reveal = revealTile;
    openLightBox(hits, index, actions);
  },
  like: (hit) => searchBy(hit, false),
  unlike: (hit) => searchBy(hit, true),
  select: (hit) => select([hit], !isSelected(hit.path)),
  hide: (hit) => hide([hit]),
  focusTile: (index) => reveal(index),
};

/** @param {SearchHit} hit @param {boolean} isAway */
function searchBy(hit, isAway) {
  addPicture(hit, isAway);
  scrollTo({ top: 0 });
  text.focus({ preventScroll: true });
  search();
}

const THEMES = ["", "light", "dark"];

/** @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme", HTMLElement).textContent = `Theme: ${theme || "automatic"}`;
  keep("theme", theme);
}

function drawRandom() {
  const nothing = { text: "", like: [], unlike: [], plus: [], minus: [] };
  change({ ...nothing, sort: "relevance" });
  search();
}

/** What the keys do, and where. @type {Keys} */
const KEYS = [
  ["/", "Go to the field", "Everywhere"],
  ["s", "Filters and options", "Everywhere"],
  ["m", "Show what may not fit", "Everywhere"],
  ["g", "Map", "Everywhere"],
  ["r", "Random pictures", "Everywhere"],
  ["?", "This sheet", "Everywhere"],
  ["Escape", "Close what is open, or clear the selection", "Everywhere"],
  ["Arrow keys", "Go among the pictures", "Pictures"],
  ["Home, End", "First and last picture", "Pictures"],
  ["Page Up, Page Down", "A window up and down", "Pictures"],
  ["Enter", "Open the picture", "Pictures"],
  ["x", "Select it; with Shift all from the last one", "Pictures"],
  ["l", "More like this", "Pictures"],
  ["n", "Less like this", "Pictures"],
];

const showMap = () => openMap(actions, shownPaths());
const showKeys = () => openKeys([...KEYS, ...KEYS_ABOVE]);

/** What a key does wherever nobody types. */
const doOnKey = /** @type {Record<string, () => void>} */ ({
  "/": () => text.select(),
  s: enterFilters,
  m: openRest,
  g: showMap,
  r: drawRandom,
  "?": showKeys,
  Escape() {
    if (leaveFilters()) return;
    byId("clear", HTMLButtonElement).click();
  },
});

/** @param {KeyboardEvent} event */
function keyed(event) {
  const { key, target, ctrlKey, metaKey, altKey, defaultPrevented } = event;
  const types = target instanceof Element &&
    target.matches("input:not([type=checkbox]), select, textarea");
  const isOnTop = document.querySelector("dialog:modal, :popover-open");
  if (ctrlKey || metaKey || altKey || defaultPrevented || isOnTop) return;
  if (types && key !== "Escape" || target === text || !(key in doOnKey)) return;
  event.preventDefault();
  doOnKey[key]();
}

function connect() {
  prepareForm();
  prepareField(search);
  prepareFilters();
  prepareResults();
  prepareSelection({
    changed: drawGrids,
    folder: () => status?.folder ?? "",
    searchBy(paths) {
      change({ like: paths });
      search();
    },
    hide,
  });
  form.onsubmit = (event) => {
    event.preventDefault();
    slider = "";
    search();
  };
  form.oninput = () => showKnobs(status);
  form.onchange = ({ target }) => {
    const field = /** @type {HTMLInputElement} */ (target);
    // The text waits for Enter; what is chosen takes effect at once.
    if (field === text || field.type === "file") return;
    const isAgain = field.id === slider;
    slider = field.type === "range" ? field.id : "";
    search({ address: isAgain ? "replaced" : "new" });
  };
  byId("skip", HTMLElement).onclick = () => {
    const tile = /** @type {HTMLElement | null} */ (
      document.querySelector(".tile[tabindex='0']")
    );
    (tile ?? byId("results", HTMLElement)).focus();
  };
  more.onclick = ({ target }) => {
    if (target instanceof HTMLButtonElement && target.id !== "theme") {
      more.hidePopover();
    }
  };
  byId("random", HTMLElement).onclick = drawRandom;
  byId("openMap", HTMLElement).onclick = showMap;
  byId("openKeys", HTMLElement).onclick = showKeys;
  byId("showHidden", HTMLElement).onclick = showHidden;
  byId("rescan", HTMLElement).onclick = () => rescan().catch(complain);
  byId("theme", HTMLElement).onclick = () => {
    const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "");
    setTheme(THEMES[(now + 1) % THEMES.length]);
  };
  setTheme(kept("theme"));
  onkeydown = keyed;
  onpopstate = () => {
    if (closeLightBox()) return;
    slider = "";
    fillFromAddress(location.hash);
    search({ address: "same" });
  };
  // Whoever has the page in a frame cannot look whether it has come.
  addEventListener("message", ({ data, source }) => {
    if (data === "alive?") source?.postMessage("alive", { targetOrigin: "*" });
  });
}

// The reader may have begun to type before this script came.
const typed = text.value;
connect();
fillFromAddress(location.hash);
unfoldIfActive();
search({ address: "same" });
if (typed) text.value = typed;
follow(collectionChanged);
