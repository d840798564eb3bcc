/**
 * What was found: pictures that fit, the line, and those that may not fit; how
 * the scores lie; and results to take away as a table, as JSON, as the cell that
 * finds them again.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/search_result.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { Actions } from "./grid.js" */
import {
  amount,
  bars,
  button,
  byId,
  count,
  make,
  nearCopies,
  offer,
  scoreText,
  showText,
} from "./dom.js";
import { chooseCut, toCell } from "./form.js";
import {
  focusCurrent,
  focusedPlace,
  Grid,
  painted,
  startAtFirst,
} from "./grid.js";
import { PagedHits, wholeList } from "./hits.js";
import { isEmpty } from "./query.js";
import { complain } from "./server.js";

/** What a table of results has. */
const COLUMNS = /** @type {const} */ ([
  ...["path", "value", "fits", "title", "caption", "term", "category"],
  ...["author", "license", "page"],
]);

/** Most results that are taken away at once. */
const MOST_TAKEN = 10_000;

const results = byId("results", HTMLElement);
const scores = byId("scores", HTMLElement);
const cutValue = byId("cutValue", HTMLInputElement);
const cutShown = byId("cutShown", HTMLElement);

/** The result on show; undefined where nothing was looked for. */
export let shown = /** @type {SearchResult | undefined} */ (undefined);

let sections = /** @type {Section[]} */ ([]);

/** Of so many results the copies are counted unasked: in some 40 ms. */
const MOST_COUNTED = 5000;

/** Called when it is known how many are listed. */
let onCounted = () => {};

/** One query and what it found; several stand side by side. */
class Section {
  /** Whether all that fits is listed, and what does not fit too. */
  isLong = false;
  isWhole = false;
  #query;
  #fits;
  #rest;
  #more = button("Show more", () => this.#lengthen(), {
    className: "showMore",
  });
  #open = button("Show what may not fit", () => this.open());
  #rule = make(
    "div",
    { className: "rule" },
    make("h2", {}, "These may not fit"),
    this.#open,
  );
  #said = make("div", {});
  #hits;

  /**
   * @param {SearchQuery} query As it was asked.
   * @param {SearchResult} result
   * @param {string} heading
   * @param {boolean} isOnly
   * @param {Actions} actions
   * @param {(result: SearchResult) => Node} empty Says why there is nothing.
   */
  constructor(query, result, heading, isOnly, actions, empty) {
    this.#query = query;
    this.result = result;
    this.empty = empty;
    this.#hits = this.#listOf(result);
    this.#fits = new Grid(this.#hits, actions);
    this.#rest = new Grid(this.#hits, actions);
    this.#fits.family = this.#rest.family = [this.#fits, this.#rest];
    this.#fits.reveal = this.#rest.reveal = (index) =>
      this.#reveal(index).catch(complain);
    this.element = make(
      "section",
      {},
      make(
        "h2",
        { className: isOnly ? "unseen" : "", title: result.comparedBy },
        heading,
      ),
      this.#said,
      make(
        "div",
        {},
        this.#fits.element,
        this.#more,
        this.#rule,
        this.#rest.element,
      ),
    );
    this.#accept(result);
  }

  /** @param {SearchResult} result */
  #listOf(result) {
    const list = new PagedHits(this.#query, result, () => {
      if (list === this.#hits) this.draw();
    });
    return list;
  }

  /** @param {SearchResult} result */
  #accept(result) {
    this.result = result;
    const { hits, remark, fitting } = result;
    const nothing = hits.length === 0
      ? this.empty(result)
      : fitting === 0 && make(
        "p",
        { className: "empty" },
        "Nothing here seems to show this. The nearest are shown anyway.",
      );
    this.#said.replaceChildren(
      ...[
        remark !== undefined &&
        make("p", { className: "remark" }, remark),
        nothing,
      ].filter((one) => one !== false),
    );
  }

  /** Takes in the same query's new result; what is in sight stays. @param {SearchResult} result */
  async renew(result) {
    const list = this.#listOf(result);
    const [first, end] = inSight([this.#fits, this.#rest]);
    for (let index = first; index < end; index++) await list.at(index);
    if (this.isLong || this.isWhole) await list.countFitting();
    this.#hits = list;
    this.#accept(result);
    this.draw();
    this.countSoon();
  }

  /** Lists what is open. */
  draw() {
    const { result } = this;
    const length = this.#hits.length();
    const known = result.listed.fitting;
    const most = Math.min(known ?? result.fitting, length);
    const fitEnd = this.isLong ? most : Math.min(most, result.query.k);
    const isAtLine = known !== undefined && fitEnd === most;
    const isWhole = isAtLine && (this.isWhole || most === 0);
    this.#more.hidden = fitEnd >= most;
    this.#rule.hidden = !isAtLine || most >= length;
    this.#open.hidden = isWhole;
    // Each sees how far the other reaches.
    this.#fits.to = fitEnd;
    this.#rest.from = fitEnd;
    this.#rest.to = isWhole ? length : fitEnd;
    this.#fits.show(this.#hits, 0, fitEnd, result);
    this.#rest.show(this.#hits, fitEnd, this.#rest.to, result);
  }

  /** Lists all that fits. */
  async #lengthen() {
    const { to } = this.#fits;
    const hadFocus = document.activeElement === this.#more;
    this.isLong = true;
    this.draw();
    if (hadFocus) this.#fits.focus(to);
    await this.#count();
  }

  /** Learns how many fit once near copies are folded. */
  async #count() {
    try {
      await this.#hits.countFitting();
      onCounted();
    } catch (error) {
      complain(error);
    }
    this.draw();
  }

  /** The same of not too many, when nobody waits for anything else. */
  async countSoon() {
    const { fitting, listed } = this.result;
    if (listed.fitting !== undefined || fitting > MOST_COUNTED) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (this.element.isConnected) await this.#count();
  }

  /** Opens what was open, with the focus where it was. @param {Place} place */
  async goTo({ isLong, isWhole, focus }) {
    if (isLong || isWhole) await this.#lengthen();
    this.isWhole = isWhole;
    this.draw();
    if (focus !== undefined) await this.#reveal(focus);
  }

  /**
   * Puts the focus on a tile that fits, listed or not yet; on one that may not
   * fit where these are open, else on the button that opens them.
   *
   * @param {number} index
   */
  async #reveal(index) {
    if (index >= this.#fits.to) await this.#lengthen();
    this.draw();
    const place = Math.min(index, this.#rest.to - 1);
    const isFolded = index > place && !this.#rule.hidden;
    if (isFolded && !this.#open.hidden) this.#open.focus();
    else (place < this.#fits.to ? this.#fits : this.#rest).focus(place);
  }

  /**
   * All that fits, listed or not yet; and what may not fit, where that is listed.
   *
   * @returns {Promise<SearchResult>} The result with all these hits.
   */
  async whole() {
    const { result } = this;
    const list = this.#hits;
    const isWhole = this.isWhole || result.fitting === 0;
    const hits = [];
    while (hits.length < MOST_TAKEN) {
      const hit = await list.at(hits.length);
      if (!hit || !(hit.fits || isWhole)) break;
      hits.push(hit);
    }
    return { ...result, hits, more: hits.length < list.length() };
  }

  /** Lists what may not fit as well. */
  async open() {
    await this.#lengthen();
    this.isWhole = true;
    this.draw();
    if (this.#rest.to > this.#rest.from) this.#rest.focus(this.#rest.from);
  }
}

/**
 * Where a reader is.
 *
 * @typedef {object} Place
 * @property {boolean} isLong Whether all that fits is listed,
 * @property {boolean} isWhole and what may not fit.
 * @property {number} scroll
 * @property {number} [focus] The tile that has the focus.
 */

/** Where the reader is. @returns {Place} */
export const placeNow = () => ({
  isLong: sections.some(({ isLong }) => isLong),
  isWhole: sections.some(({ isWhole }) => isWhole),
  scroll: scrollY,
  focus: focusedPlace(),
});

/** Leads back to where the reader was. @param {Place} place */
export async function goTo(place) {
  const [first, ...others] = sections;
  for (const other of others) await other.goTo({ ...place, focus: undefined });
  await first?.goTo(place);
  scrollTo({ top: place.scroll, behavior: "instant" });
}

/** Shows other pictures; the focus stays among them. @param {...HTMLElement} elements */
function replaceAll(...elements) {
  const hadFocus = results.contains(document.activeElement);
  results.replaceChildren(...elements);
  startAtFirst();
  // Until there is a tile.
  if (hadFocus) results.focus({ preventScroll: true });
}

/** The focus goes on to the first of the new tiles. */
function enterTiles() {
  if (document.activeElement === results) focusCurrent();
}

/** Places that are drawn, from the first to behind the last. @param {Grid[]} grids */
function inSight(grids) {
  const places = grids.flatMap((grid) => grid.drawn());
  if (places.length === 0) return [0, 0];
  return [Math.min(...places), Math.max(...places) + 1];
}

/**
 * Shows pictures that were not compared with anything.
 *
 * @param {string} heading
 * @param {SearchHit[]} hits
 * @param {Actions} actions
 */
export async function showList(heading, hits, actions) {
  shown = undefined;
  sections = [];
  scores.hidden = true;
  setExports(false);
  const list = new Grid(wholeList(hits), actions);
  const title = make("h2", { className: "unseen" }, heading);
  replaceAll(make("section", {}, title, list.element));
  list.show(list.hits, 0, hits.length);
  enterTiles();
  await painted(results);
}

/**
 * Shows results side by side, and ends when they are painted.
 *
 * @param {SearchQuery[]} queries As they were asked.
 * @param {SearchResult[]} sides The first one is the reader's.
 * @param {string[]} names What each is compared by.
 * @param {Actions} actions
 * @param {(result: SearchResult) => Node} empty Says why there is nothing.
 */
export async function showResults(queries, sides, names, actions, empty) {
  [shown] = sides;
  const isOnly = sides.length === 1;
  sections = sides.map((result, i) => {
    const heading = isOnly ? "Results" : names[i];
    const query = queries[i];
    return new Section(query, result, heading, isOnly, actions, empty);
  });
  replaceAll(...sections.map(({ element }) => element));
  for (const section of sections) section.draw();
  enterTiles();
  setExports(true);
  showScores(sides[0]);
  await painted(results);
  for (const section of sections) section.countSoon();
}

/** Takes in new results of the queries on show. @param {SearchResult[]} sides */
export async function renewResults(sides) {
  [shown] = sides;
  await Promise.all(sections.map((section, i) => section.renew(sides[i])));
  showScores(sides[0]);
}

/** Shows what may not fit, on every side. */
export function openRest() {
  for (const section of sections) section.open().catch(complain);
}

/** Whether the results on show can be taken away. @param {boolean} can */
export function setExports(can) {
  for (const id of ["csv", "json", "cell"]) {
    byId(id, HTMLButtonElement).disabled = !can;
  }
}

/** @param {SearchResult} result */
function showScores(
  {
    query,
    scores: { least, most, mean, bins, count },
    line,
    better,
    candidates,
  },
) {
  scores.hidden = count === 0 || isEmpty(query);
  if (scores.hidden) return;
  const highest = Math.max(...bins);
  const width = (most - least) / bins.length;
  const lineText = line === undefined ? "none" : scoreText(line);
  const drawing = bars(
    // A root brings out the few good ones beside the many others.
    bins.map((bin) => Math.sqrt(bin / highest)),
    (candidates ? `Of ${candidates.count} candidates: scores` : "Scores") +
      ` from ${scoreText(least)} to ${scoreText(most)}, ` +
      `mean ${scoreText(mean)}, line ${lineText}`,
    (bin) => {
      if (line === undefined) return true;
      const middle = least + (bin + 0.5) * width;
      return better === "higher" ? middle > line : middle < line;
    },
  );
  byId("histogram", HTMLElement).replaceChildren(drawing);
  // Nothing moves under a reader who is choosing.
  if (document.activeElement === cutValue) return;
  cutValue.min = `${least}`;
  cutValue.max = `${most}`;
  cutValue.value = `${line ?? (better === "higher" ? least : most)}`;
  cutShown.textContent = lineText;
}

/**
 * Connects the cut-off's slider and the buttons; once.
 *
 * @param {() => void} counted Called when it is known how many are listed.
 */
export function prepareResults(counted) {
  onCounted = counted;
  cutValue.oninput = () =>
    cutShown.textContent = scoreText(Number(cutValue.value));
  // The form, which hears of it next, searches.
  cutValue.onchange = () => chooseCut(cutValue.value);
  takeAway("csv", ({ hits }) => save("results.csv", "text/csv", toCsv(hits)));
  takeAway("json", (result) => {
    const text = JSON.stringify(result, null, 2);
    save("results.json", "application/json", text);
  });
  takeAway("cell", ({ query, hits }) => {
    const cell = toCell(query, hits.length, hits.every(({ fits }) => fits));
    showText("This search as a cell", cell);
  });
}

/** Connects a button that takes the reader's results away. @param {string} id @param {(result: SearchResult) => void} take */
function takeAway(id, take) {
  byId(id, HTMLElement).onclick = async () => {
    try {
      const result = await sections[0].whole();
      take(result);
      const { length } = result.hits;
      if (length < MOST_TAKEN || !result.more) return;
      complain(new Error(`These are the first ${count(length)} results.`));
    } catch (error) {
      complain(error);
    }
  };
}

/** @param {string} name @param {string} type @param {string} text */
const save = (name, type, text) => offer(name, new Blob([text], { type }));

/** A table as spreadsheets read it (RFC 4180). @param {SearchHit[]} hits */
function toCsv(hits) {
  const rows = [
    COLUMNS,
    ...hits.map(({ captions, ...hit }) => {
      const caption = captions?.join("\n") ?? hit.caption;
      return COLUMNS.map((name) => ({ ...hit, caption })[name]);
    }),
  ];
  const cell = (/** @type {string | number | boolean} */ value) => {
    // Spreadsheets take what begins like this for a formula.
    const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value);
    const text = isFormula ? `'${value}` : `${value}`;
    return `"${text.replaceAll('"', '""')}"`;
  };
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** The order of what was not told apart. @param {SearchQuery} query */
const orderOf = (query) =>
  !isEmpty(query)
    ? "the nearest first"
    : query.sort === "relevance"
    ? "by path"
    : "by date";

/** How a result can be summed up in a line. @param {SearchResult} result */
export function summary(
  { hits, fitting, total, line, listed, query, candidates },
) {
  if (hits.length === 0) return "No results";
  if (fitting === 0) return `None of ${amount(total)} seems to fit`;
  const shown = listed.fitting ?? fitting;
  const copies = listed.fitting === undefined
    ? ", near copies counted"
    : fitting === shown
    ? ""
    : ` (${nearCopies(fitting - shown)} folded)`;
  const what = line === undefined
    ? `${amount(shown)}, ${orderOf(query)}`
    : `${count(shown)} of ${amount(total)} ${shown === 1 ? "fits" : "fit"}`;
  return (candidates?.mayFitMore ? "At least " : "") + what + copies;
}
