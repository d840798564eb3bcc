/**
 * What was found: the grids, how the scores lie with the cut-off in them, and
 * results to take away as a table, as JSON, as the cell that finds them again.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/searcher.ts" */
/** @import { Actions } from "./grid.js" */
import { bars, byId, make, scoreText } from "./dom.js";
import { chooseCut, toCell } from "./form.js";
import { grid, painted } from "./grid.js";

/** What a table of results has. */
const COLUMNS = /** @type {const} */ ([
  ...["path", "value", "title", "caption", "term", "category", "author"],
  ...["license", "page"],
]);

const results = byId("results", HTMLElement);
const tools = byId("tools", HTMLElement);
const scores = byId("scores", HTMLElement);
const cutValue = byId("cutValue", HTMLInputElement);
const cutShown = byId("cutShown", HTMLElement);

/** The result on show; undefined for random pictures. */
export let shown = /** @type {SearchResult | undefined} */ (undefined);

/** Shows random pictures. @param {SearchHit[]} hits @param {Actions} actions */
export function showRandom(hits, actions) {
  shown = undefined;
  scores.hidden = tools.hidden = true;
  const heading = make("h2", { className: "unseen" }, "Random pictures");
  results.replaceChildren(make("section", {}, heading, grid(hits, actions)));
}

/**
 * Shows results side by side, and ends when they are painted.
 *
 * @param {SearchResult[]} sides The first one is the reader's.
 * @param {string} note Stands in the heading of the others.
 * @param {Actions} actions
 * @param {(result: SearchResult) => Node} empty Says why there is nothing.
 */
export async function showResults(sides, note, actions, empty) {
  [shown] = sides;
  results.replaceChildren(...sides.map((result) => {
    const { hits, comparedBy, remark } = result;
    const heading = sides.length === 1
      ? make("h2", { className: "unseen" }, "Results")
      : make("h2", {}, comparedBy, result !== shown && note);
    const content = hits.length ? grid(hits, actions, result) : empty(result);
    const said = remark !== undefined &&
      make("p", { className: "remark" }, remark);
    return make("section", {}, heading, said, content);
  }));
  tools.hidden = false;
  showScores(sides[0]);
  await painted(results);
}

/** @param {SearchResult} result */
function showScores(
  { scores: { least, most, mean, bins, count }, cut, better },
) {
  scores.hidden = count === 0;
  const highest = Math.max(...bins);
  const width = (most - least) / bins.length;
  const cutText = cut === undefined ? "none" : scoreText(cut);
  const drawing = bars(
    // A root brings out the few good ones beside the many others.
    bins.map((bin) => Math.sqrt(bin / highest)),
    `Scores from ${scoreText(least)} to ${scoreText(most)}, ` +
      `mean ${scoreText(mean)}, cut-off ${cutText}`,
    (bin) => {
      if (cut === undefined) return true;
      const middle = least + (bin + 0.5) * width;
      return better === "higher" ? middle > cut : middle < cut;
    },
  );
  byId("histogram", HTMLElement).replaceChildren(drawing);
  cutValue.min = `${least}`;
  cutValue.max = `${most}`;
  cutValue.value = `${cut ?? (better === "higher" ? least : most)}`;
  cutShown.textContent = cutText;
}

/** Connects the cut-off's slider and the buttons; once. @param {() => void} search */
export function prepareResults(search) {
  const dialog = byId("code", HTMLDialogElement);
  const code = byId("codeText", HTMLElement);
  const copy = byId("copy", HTMLButtonElement);
  cutValue.oninput = () =>
    cutShown.textContent = scoreText(Number(cutValue.value));
  cutValue.onchange = () => {
    chooseCut(cutValue.value);
    search();
  };
  byId("csv", HTMLElement).onclick = () =>
    offer("results.csv", "text/csv", toCsv(shown?.hits ?? []));
  byId("json", HTMLElement).onclick = () =>
    offer("results.json", "application/json", JSON.stringify(shown, null, 2));
  byId("cell", HTMLElement).onclick = () => {
    if (shown) code.textContent = toCell(shown.query);
    copy.textContent = "Copy";
    dialog.showModal();
  };
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      copy.textContent = "Copied";
    } catch {
      // A frame may be denied the clipboard.
      getSelection()?.selectAllChildren(code);
      copy.textContent = "Selected: copy it with Ctrl-C";
    }
  };
  byId("closeCode", HTMLElement).onclick = () => dialog.close();
}

/** Offers a file. @param {string} download @param {string} type @param {string} text */
function offer(download, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href, download }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

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
