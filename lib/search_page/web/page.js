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
/** @import { SearchHit, SearchResult } from "../engine/search_result.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { AppStatus } from "../server/routes.ts" */
/** @import { Actions } from "./grid.js" */
/** @import { Keys } from "./keys.js" */
/** @import { Place } from "./results.js" */
import { follow, totals } from "./collection.js";
import {
  amount,
  button,
  byId,
  count,
  keep,
  kept,
  make,
  takeThumbnails,
  titleOf,
} from "./dom.js";
import {
  addPicture,
  prepareField,
  remember,
  showChips,
  text,
  withoutGone,
} from "./field.js";
import {
  enterFilters,
  fillFilters,
  leaveFilters,
  prepareFilters,
  showActive,
  unfoldIfActive,
  withoutFilters,
} from "./filters.js";
import {
  beside,
  change,
  excess,
  fillFromAddress,
  form,
  prepareForm,
  readForm,
  showKnobs,
  toAddress,
  tooManyPictures,
  withLabel,
} from "./form.js";
import { drawGrids, focusCurrent } from "./grid.js";
import {
  areHidden,
  forgetDeed,
  hide,
  isHidden,
  isHiddenSelected,
  prepareHiding,
} from "./hiding.js";
import { KEYS_ABOVE, openKeys } from "./keys.js";
import { closeLightBox, followList, openLightBox } from "./light_box.js";
import { openMap } from "./map.js";
import { isEmpty, isFiltered, LONGEST_LIST, PIXELS } from "./query.js";
import {
  goTo,
  openRest,
  prepareResults,
  renewResults,
  setExports,
  showList,
  shown,
  showResults,
  summary,
} from "./results.js";
import {
  follow as followSelection,
  isSelected,
  prepareSelection,
  select,
} from "./selection.js";
import { allIsWell, ask, complain, Unanswered } from "./server.js";
import {
  isBare,
  isListed,
  keepPlace,
  seedNow,
  seedOf,
  setAddress,
} from "./steps.js";

const statusLine = byId("status", HTMLElement);
const more = byId("more", HTMLElement);

/** The address of the hidden pictures. */
const HIDDEN = "#hidden";

/** Where a page begins. @type {Place} */
const TOP = { isLong: false, isWhole: false, scroll: 0 };

/** @typedef {"nothing" | "random" | "hidden" | "results"} View */

let status = /** @type {AppStatus | undefined} */ (undefined);
/** Ends what is under way. */
let running = new AbortController();
/** The address whose search is under way; "" for none. */
let underWay = "";
/** What is on show, and the generation of the collection that it is of. */
let view = /** @type {View} */ ("nothing");
let generation = -1;
/** The questions that were answered by what is on show, and what they are of. */
let asked = /** @type {SearchQuery[]} */ ([]);
let shownQuery = readForm();
/** What is to be said of these results beside their number. */
let note = "";
/** The search that did not work, if the last one did not. */
let failed = /** @type {{ error: unknown, query: SearchQuery } | undefined} */ (
  undefined
);
/** A query of which pictures are gone, and what was searched for without them. */
let incomplete =
  /** @type {{ query: SearchQuery, rest: SearchQuery } | undefined} */ (
    undefined
  );
/** The slider that was moved last: moving it on is the same step in history. */
let slider = "";

/**
 * Searches for what the form holds, and shows it.
 *
 * @param {object} [options]
 * @param {"new" | "same" | "replaced" | "drawn"} [options.address] The step in
 *   history; "drawn" is one to other pictures at random.
 * @param {SearchQuery} [options.query] Another one than the form's.
 * @param {Place} [options.place] Where to lead the reader.
 */
async function search(
  { address: kind = "new", query = readForm(), place } = {},
) {
  const isOfHidden = kind === "same" && location.hash === HIDDEN;
  const address = isOfHidden ? HIDDEN : toAddress(query);
  // Enter in a field says twice that it has changed.
  if (address === underWay) return;
  const tooMuch = kind === "same" ? "" : excess();
  if (tooMuch) return complain(new Error(tooMuch));
  if (kind !== "same") {
    setAddress(address, kind, seedOf(kind, query, shownQuery));
  }
  showForm();
  const signal = nextSignal(address);
  failed = incomplete = undefined;
  forgetDeed();
  try {
    if (isOfHidden) await showHidden(signal);
    else if (isBare(query) && !isListed(query)) {
      await random(query, signal);
    } else await answer(query, signal);
    if (place && !signal.aborted) await goTo(place);
  } catch (error) {
    if (!signal.aborted) await fail(error, query, signal);
  } finally {
    if (!signal.aborted) underWay = "";
  }
}

/** @param {SearchQuery} query @param {AbortSignal} signal */
async function answer(query, signal) {
  const start = performance.now();
  const spaces = [query.space, ...beside.value ? [beside.value] : []];
  const usesPixels = spaces.includes(PIXELS);
  statusLine.textContent = "Searching …";
  const watch = usesPixels ? setInterval(showPixelProgress, 700, signal) : 0;
  try {
    // Pixels need a picture: where there is none, the best one by words.
    const example = usesPixels && query.like.length === 0 && !isEmpty(query)
      ? await bestByWords(query, signal)
      : undefined;
    const queries = spaces.map((space) => ({
      ...{ ...query, space },
      ...space === PIXELS && example && { text: "", like: [example.path] },
    }));
    const sides = await Promise.all(
      queries.map((one, i) => ask(i === 0 ? "search" : "compare", one, signal)),
    );
    takeThumbnails(sides[0]);
    allIsWell();
    setView("results", query);
    note = example
      ? `; pixels know no words: nearest to “${titleOf(example)}”, the best ` +
        "match by words"
      : "";
    asked = queries;
    generation = sides[0].generation;
    await showResults(queries, sides, spaces.map(nameOf), actions, nothing);
    if (signal.aborted) return;
    const ms = performance.now() - start;
    document.documentElement.dataset.painted = ms.toFixed(1);
    summarize(sides[0]);
    byId("took", HTMLElement).textContent = `${sides[0].comparedBy}: ` +
      `${sides[0].ms.toFixed(0)} ms, painted after ${ms.toFixed(0)} ms`;
    remember(query);
  } finally {
    clearInterval(watch);
  }
}

/** What a space is called. @param {string} space */
const nameOf = (space) =>
  space === PIXELS
    ? status?.pixels ?? space
    : space || status?.encoders[0].id || "";

/**
 * Says why a search did not work. What is on show answers another question.
 *
 * @param {unknown} error
 * @param {SearchQuery} query
 * @param {AbortSignal} signal
 */
async function fail(error, query, signal) {
  failed = { error, query };
  generation = status?.generation ?? generation;
  setExports(false);
  statusLine.textContent = view === "nothing"
    ? "The search did not work."
    : "The search did not work: the pictures are those from before.";
  const reason = withLabel(/** @type {Error} */ (error));
  complain(reason);
  if (error instanceof Unanswered) return;
  const rest = await withoutGone(query).catch(() => query);
  if (rest === query || signal.aborted) return;
  // The other words and pictures are looked for meanwhile.
  const searched = search({ address: "same", query: rest });
  const { signal: next } = running;
  await searched;
  if (next.aborted) return;
  incomplete = { query, rest };
  if (failed) return;
  const { like, unlike } = rest;
  complain(
    reason,
    button("Take it away", () => {
      change({ like, unlike });
      text.focus();
      search();
    }),
  );
}

/** Searches for all that was asked, once a picture that was gone is back. */
async function completeQuery() {
  const before = incomplete;
  if (!before) return;
  const rest = await withoutGone(before.query).catch(() => before.rest);
  const isSame = JSON.stringify(rest) === JSON.stringify(before.rest);
  if (isSame || before !== incomplete || underWay !== "") return;
  await search({ address: "same", query: before.query });
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
    // It says nothing of a search that did not work.
    if (!failed) summarize(sides[0]);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Unanswered) return complain(error);
    await search({ address: "same", query: shownQuery });
  }
}

/** @param {SearchResult} result */
function summarize(result) {
  const pending = status && !status.done
    ? `; ${count(status.total - status.indexed)} are not indexed yet`
    : "";
  const line = `${summary(result)}${note}${pending}`;
  if (statusLine.textContent !== line) statusLine.textContent = line;
}

/** Takes in how far the collection is. @param {AppStatus} now @param {AppStatus} [before] */
function collectionChanged(now, before) {
  const wasDone = status?.done;
  status = now;
  showKnobs(status);
  if (now.generation !== before?.generation) followSelection();
  if (failed?.error instanceof Unanswered && underWay === "") {
    search({ address: "same", query: failed.query });
  }
  const isNew = now.generation !== generation || now.done !== wasDone;
  if (view === "results" && isNew && underWay === "") renew().then(followList);
  else if (now.generation !== before?.generation) followList();
  if (now.generation !== before?.generation) completeQuery();
  const hasNone = view === "random" && !document.querySelector(".card");
  if (hasNone && now.indexed > 0 && underWay === "") {
    search({ address: "same" });
  } else if (view === "random" && !before) sayRandom();
  else if (hasNone) sayRandom();
}

/** Shows what the form says, around it. */
function showForm() {
  showKnobs(status);
  showChips(search);
  showActive(search);
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

/** Shows pictures drawn at random. @param {SearchQuery} query @param {AbortSignal} signal */
async function random(query, signal) {
  const start = performance.now();
  const hits = await ask("random", { ...query, seed: seedNow() }, signal);
  allIsWell();
  setView("random", query);
  await showList("Random pictures", hits, actions);
  if (signal.aborted) return;
  sayRandom();
  document.documentElement.dataset.painted = `${performance.now() - start}`;
}

function sayRandom() {
  const { length } = document.querySelectorAll(".card");
  const all = status && status.indexed > 0 ? `${totals(status)}. ` : "";
  const from = isFiltered(shownQuery) ? " from what passes the filters" : "";
  statusLine.textContent = length > 0
    ? `${all}These are drawn at random${from}.`
    : !status?.done
    ? "The first pictures come soon."
    : status.indexed > 0
    ? "No picture passes these filters."
    : "There are no pictures here.";
}

/** Shows the pictures that the reader has hidden. @param {AbortSignal} signal */
async function showHidden(signal) {
  const hits = await ask("hidden", undefined, signal);
  allIsWell();
  areHidden(hits);
  setView("hidden", readForm());
  await showList("Hidden pictures", hits, actions);
  if (signal.aborted) return;
  statusLine.textContent = hits.length > 1
    ? `${amount(hits.length, "hidden picture")}: they are no results. Select ` +
      "some to show them again."
    : hits.length === 1
    ? "1 hidden picture: it is no result. Select it to show it again."
    : "No picture is hidden.";
}

/** Looks the folder over again; what is on show follows. */
async function rescan() {
  await ask("rescan", {});
  if (view === "results") await renew();
}

/** Remembers what is on show. @param {View} now @param {SearchQuery} query */
function setView(now, query) {
  view = now;
  shownQuery = query;
}

/** Why there is nothing at all. @param {SearchResult} result */
function nothing({ total, query }) {
  const isPart = isFiltered(query);
  const reason = isPart && total === 0
    ? "No picture passes these filters."
    : status?.done && status.indexed === 1 && query.like.length > 0
    ? "This is the only picture here."
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
    isPart && clear,
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
  isHidden,
  focusTile: (index) => reveal(index),
};

/** @param {SearchHit} hit @param {boolean} isAway */
function searchBy(hit, isAway) {
  addPicture(hit, isAway);
  search();
  toField();
}

/** Leads to the query; the place that is left is remembered before. */
function toField() {
  scrollTo({ top: 0, behavior: "instant" });
  text.focus({ preventScroll: true });
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
  search({ address: "drawn" });
}

/** What the keys do, and where. @type {Keys} */
const KEYS = [
  ["?", "This sheet, wherever no words are typed", "Everywhere"],
  ["Escape", "Close what lies on top", "Everywhere"],
  ["/", "Go to the field", "Page"],
  ["s", "Filters and options", "Page"],
  ["m", "Show what may not fit", "Page"],
  ["g", "Map", "Page"],
  ["r", "Random pictures", "Page"],
  ["Escape", "Close the filters, else clear the selection", "Page"],
  ["Arrow keys", "Go among the pictures", "Pictures"],
  ["Home, End", "First and last picture", "Pictures"],
  ["Page Up, Page Down", "A window up and down", "Pictures"],
  ["Enter", "Open the picture", "Pictures"],
  ["x", "Select it; with Shift all from the last one", "Pictures"],
  ["l", "More like this", "Pictures"],
  ["n", "Less like this", "Pictures"],
];

/** Opens the map, on which all that fits is marked. */
async function showMap() {
  const { signal } = running;
  const queries = view === "results" ? asked : [];
  const paths = await Promise.all(
    queries.map((query) => ask("fitting", query, signal)),
  ).catch(() => []);
  if (signal.aborted || document.querySelector("dialog:modal")) return;
  openMap(actions, new Set(paths.flat()));
}

const showKeys = () => openKeys([...KEYS, ...KEYS_ABOVE]);

/** What a key does on the page, wherever no words are typed. */
const doOnKey = /** @type {Record<string, () => void>} */ ({
  "/": () => text.select(),
  s: enterFilters,
  m: openRest,
  g: showMap,
  r: drawRandom,
  Escape() {
    if (leaveFilters()) return;
    byId("clear", HTMLButtonElement).click();
  },
});

/** @param {KeyboardEvent} event */
function keyed(event) {
  const { key, target, ctrlKey, metaKey, altKey, defaultPrevented } = event;
  const types = target instanceof Element &&
    target.matches("[type=text], [type=search], select, textarea");
  if (ctrlKey || metaKey || altKey || defaultPrevented) return;
  const isPage = !document.querySelector("dialog:modal");
  const act = key === "?" ? showKeys : isPage && doOnKey[key];
  if (types && key !== "Escape" || target === text || !act) return;
  const hadMenu = more.matches(":popover-open");
  more.hidePopover();
  // The browser closes the menu by Escape.
  if (hadMenu && key === "Escape") return;
  event.preventDefault();
  act();
}

function connect() {
  prepareHiding(() =>
    view === "results"
      ? renew()
      : search({ address: "same", query: shownQuery })
  );
  prepareForm();
  prepareField(search);
  prepareFilters();
  prepareResults(() => shown && !failed && summarize(shown));
  prepareSelection({
    changed() {
      drawGrids();
      byId("hideSelected", HTMLElement).textContent = isHiddenSelected()
        ? "Show again"
        : "Hide";
    },
    left: focusCurrent,
    folder: () => status?.folder ?? "",
    searchBy(paths) {
      if (paths.length > LONGEST_LIST) {
        return complain(new Error(tooManyPictures(paths.length)));
      }
      change({ like: paths });
      search();
      toField();
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
    const isAgain = slider !== "" && field.id === slider;
    slider = field.type === "range" ? field.id : "";
    search({ address: isAgain ? "replaced" : "new" });
  };
  byId("skip", HTMLElement).onclick = focusCurrent;
  more.onclick = ({ target }) => {
    if (target instanceof HTMLButtonElement && target.id !== "theme") {
      more.hidePopover();
    }
  };
  byId("random", HTMLElement).onclick = drawRandom;
  byId("openMap", HTMLElement).onclick = showMap;
  byId("openKeys", HTMLElement).onclick = showKeys;
  byId("showHidden", HTMLElement).onclick = () => {
    setAddress(HIDDEN, "new");
    fillFromAddress(HIDDEN);
    search({ address: "same" });
  };
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
    search({ address: "same", place: history.state?.place ?? TOP });
  };
  closeLightBox();
  history.scrollRestoration = "manual";
  onpagehide = keepPlace;
  let ended =
    /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  onscrollend = () => {
    clearTimeout(ended);
    // One scroll may follow another, and browsers count how often this is done.
    ended = setTimeout(() => {
      if (underWay === "") keepPlace();
    }, 100);
  };
}

// Whoever has the page in a frame cannot look whether it has come, and asks soon.
addEventListener("message", ({ data, source }) => {
  if (data === "alive?") source?.postMessage("alive", { targetOrigin: "*" });
});
// What can be chosen is known before an address chooses.
await ask("status").then((now) => {
  status = now;
  fillFilters(now);
}).catch(complain);
// The reader may have begun to type before this script came.
const typed = text.value;
connect();
fillFromAddress(location.hash);
unfoldIfActive();
search({ address: "same", place: history.state?.place });
if (typed) text.value = typed;
follow(collectionChanged);
