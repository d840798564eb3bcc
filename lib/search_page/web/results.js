/**
 * What was found: pictures that fit, the line, and those that may not fit; how
 * the scores lie; and results to take away as a table, as JSON, as the cell that
 * finds them again.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/searcher.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { Actions } from "./grid.js" */
import {
  bars,
  button,
  byId,
  count,
  make,
  offer,
  scoreText,
  showText,
} from "./dom.js";
import { chooseCut, toCell } from "./form.js";
import { Grid, painted, startAtFirst } from "./grid.js";
import { PagedHits, wholeList } from "./hits.js";
import { isEmpty } from "./query.js";
import { complain } from "./server.js";

/** What a table of results has. */
const COLUMNS = /** @type {const} */ ([
  ...["path", "value", "title", "caption", "term", "category", "author"],
  ...["license", "page"],
]);

const results = byId("results", HTMLElement);
const scores = byId("scores", HTMLElement);
const cutValue = byId("cutValue", HTMLInputElement);
const cutShown = byId("cutShown", HTMLElement);

/** The result on show; undefined where nothing was looked for. */
export let shown = /** @type {SearchResult | undefined} */ (undefined);

let sections = /** @type {Section[]} */ ([]);

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
  /** The place of the first that may not fit, once it is known. */
  #boundary = /** @type {number | undefined} */ (undefined);

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
      make("h2", { className: isOnly ? "unseen" : "" }, heading),
      this.#said,
      this.#fits.element,
      this.#more,
      this.#rule,
      this.#rest.element,
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
    const { hits, more, remark, fitting } = result;
    const first = hits.findIndex(({ fits }) => !fits);
    this.#boundary = first >= 0 ? first : more ? undefined : hits.length;
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
    const needsBoundary = this.isLong || this.isWhole;
    const boundary = needsBoundary ? await list.boundary() : undefined;
    this.#hits = list;
    this.#accept(result);
    this.#boundary ??= boundary;
    this.draw();
  }

  /** Lists what is open. */
  draw() {
    const { result } = this;
    const length = this.#hits.length();
    const known = this.#boundary;
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
    try {
      this.#boundary ??= await this.#hits.boundary();
    } catch (error) {
      complain(error);
    }
    this.draw();
  }

  /** Puts the focus on a tile, listed or not yet. @param {number} index */
  async #reveal(index) {
    if (index >= this.#fits.to) await this.#lengthen();
    if (index >= this.#fits.to) this.isWhole = true;
    this.draw();
    (index < this.#fits.to ? this.#fits : this.#rest).focus(index);
  }

  /** What is at hand of what fits. @returns {string[]} */
  paths() {
    const most = this.#boundary ?? this.#hits.length();
    const paths = [];
    for (let index = 0; index < most; index++) {
      const hit = this.#hits.known(index);
      if (hit) paths.push(hit.path);
    }
    return paths;
  }

  /** Lists what may not fit as well. */
  async open() {
    await this.#lengthen();
    this.isWhole = true;
    this.draw();
    if (this.#rest.to > this.#rest.from) this.#rest.focus(this.#rest.from);
  }
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
  results.replaceChildren(make("section", {}, title, list.element));
  startAtFirst();
  list.show(list.hits, 0, hits.length);
  await painted(results);
}

/**
 * Shows results side by side, and ends when they are painted.
 *
 * @param {SearchQuery[]} queries As they were asked.
 * @param {SearchResult[]} sides The first one is the reader's.
 * @param {string} note Stands in the heading of those by pixels.
 * @param {Actions} actions
 * @param {(result: SearchResult) => Node} empty Says why there is nothing.
 */
export async function showResults(queries, sides, note, actions, empty) {
  [shown] = sides;
  const isOnly = sides.length === 1;
  sections = sides.map((result, i) => {
    const heading = isOnly ? "Results" : result.comparedBy +
      (queries[i].space === "pixels" ? note : "");
    const query = queries[i];
    return new Section(query, result, heading, isOnly, actions, empty);
  });
  results.replaceChildren(...sections.map(({ element }) => element));
  startAtFirst();
  for (const section of sections) section.draw();
  setExports(true);
  showScores(sides[0]);
  await painted(results);
}

/** Takes in new results of the queries on show. @param {SearchResult[]} sides */
export async function renewResults(sides) {
  [shown] = sides;
  await Promise.all(sections.map((section, i) => section.renew(sides[i])));
  showScores(sides[0]);
}

/** Paths of the pictures that are shown to fit. */
export const shownPaths = () =>
  new Set(sections.flatMap((section) => section.paths()));

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
  { query, scores: { least, most, mean, bins, count }, line, better },
) {
  scores.hidden = count === 0 || isEmpty(query);
  if (scores.hidden) return;
  const highest = Math.max(...bins);
  const width = (most - least) / bins.length;
  const lineText = line === undefined ? "none" : scoreText(line);
  const drawing = bars(
    // A root brings out the few good ones beside the many others.
    bins.map((bin) => Math.sqrt(bin / highest)),
    `Scores from ${scoreText(least)} to ${scoreText(most)}, ` +
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

/** Connects the cut-off's slider and the buttons; once. */
export function prepareResults() {
  cutValue.oninput = () =>
    cutShown.textContent = scoreText(Number(cutValue.value));
  // The form, which hears of it next, searches.
  cutValue.onchange = () => chooseCut(cutValue.value);
  byId("csv", HTMLElement).onclick = () =>
    save("results.csv", "text/csv", toCsv(shown?.hits ?? []));
  byId("json", HTMLElement).onclick = () =>
    save("results.json", "application/json", JSON.stringify(shown, null, 2));
  byId("cell", HTMLElement).onclick = () => {
    if (shown) showText("This search as a cell", toCell(shown.query));
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
  const cell = (/** @type {string | number} */ value) => {
    // Spreadsheets take what begins like this for a formula.
    const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value);
    const text = isFormula ? `'${value}` : `${value}`;
    return `"${text.replaceAll('"', '""')}"`;
  };
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** How a result can be summed up in a line. @param {SearchResult} result */
export function summary({ hits, fitting, total, line, query }) {
  const all = `${count(total)} pictures`;
  if (hits.length === 0) return "No results";
  if (isEmpty(query)) return `${all}, by date`;
  if (line === undefined) return `${all}, the nearest first`;
  if (fitting === 0) return `None of ${all} seems to fit`;
  return `${count(fitting)} of ${all} fit`;
}
