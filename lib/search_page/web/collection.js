/**
 * What the collection holds: its totals in the menu, the progress of indexing,
 * and what is wrong with its folder. Asked for as long as the page is in view.
 *
 * @module
 */
/** @import { AppStatus } from "../server/routes.ts" */
import { amount, byId, count, make, pathText, scoreText } from "./dom.js";
import { fillFilters } from "./filters.js";
import { allIsWell, ask, complain } from "./server.js";

/** Milliseconds from one look to the next, and while pictures are indexed. */
const EVERY = { done: 2000, indexing: 700 };

/**
 * Follows the collection's state, without end.
 *
 * @param {(now: AppStatus, before?: AppStatus) => void} onChange
 */
export async function follow(onChange) {
  let before = /** @type {AppStatus | undefined} */ (undefined);
  let answers = true;
  for (;;) {
    try {
      const status = await ask("status");
      if (!answers) allIsWell();
      answers = true;
      await show(status, before);
      onChange(status, before);
      before = status;
    } catch (error) {
      // Said once: the page asks on, and the server may come back.
      if (answers) complain(error);
      answers = false;
    }
    const pause = before?.done ? EVERY.done : EVERY.indexing;
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (document.hidden) {
      await new Promise((resolve) =>
        document.addEventListener("visibilitychange", resolve, { once: true })
      );
    }
  }
}

/** @param {AppStatus} status @param {AppStatus} [before] */
async function show(status, before) {
  const { name, indexed, total, done, error, failures, trouble, index } =
    status;
  document.title = `Contact Sheet · ${name}`;
  byId("loading", HTMLElement).hidden = done && index.isReady;
  byId("progress", HTMLProgressElement).max = done ? indexed : total;
  byId("progress", HTMLProgressElement).value = done
    ? index.count
    : indexed + failures.length;
  byId("loadingText", HTMLElement).textContent = done
    ? `Building the index: ${count(index.count)} of ${amount(indexed)}; ` +
      "all are compared until then"
    : `Indexing: ${count(indexed)} of ${amount(total)}; they can be ` +
      "searched as they come";
  byId("trouble", HTMLElement).hidden = trouble === "";
  byId("trouble", HTMLElement).textContent = trouble;
  const rescan = byId("rescan", HTMLButtonElement);
  rescan.disabled = status.rescanning;
  rescan.textContent = status.rescanning
    ? "Looking over the folder …"
    : "Rescan the folder";
  if (error && error !== before?.error) {
    complain(new Error(`Indexing stopped: ${error}.`));
  }
  if (
    status.generation === before?.generation && done === before.done &&
    failures.length === before.failures.length &&
    index.isReady === before.index.isReady
  ) return;
  fillFilters(status);
  await showTotals(status);
}

/** "1,234 pictures, 26 terms" @param {AppStatus} status */
export function totals({ indexed, facets: { term, category } }) {
  const parts = [amount(indexed)];
  if (term.length) parts.push(amount(term.length, "term"));
  const { length } = category;
  if (length) {
    parts.push(length === 1 ? "1 category" : `${count(length)} categories`);
  }
  return parts.join(", ");
}

/** What finds the nearest, in words. @param {AppStatus} status */
function engineOf({ index: { engine, label, isReady } }) {
  if (engine === "exact") return "exact: all pictures are compared";
  const how = engine === "hnsw"
    ? "it finds candidates, which are compared exactly"
    : "it finds candidates and compares them";
  return `${label}: ${how}` + (isReady ? "" : "; it is being built");
}

/** @param {AppStatus} status */
async function showTotals(status) {
  const { name, indexed, facets, encoders, failures, problems } = status;
  const facts = [["Name", name], ["Pictures", count(indexed)]];
  if (facets.term.length) facts.push(["Terms", count(facets.term.length)]);
  const { length } = facets.category;
  if (length) facts.push(["Categories", count(length)]);
  if (indexed > 1 && status.done) {
    const { mean, deviation, least, most } = await ask("statistics");
    const spread = `${scoreText(mean)} ± ${scoreText(deviation)}`;
    const range = `from ${scoreText(least)} to ${scoreText(most)}`;
    facts.push(["Similarity of two pictures", `${spread}, ${range}`]);
  }
  facts.push(["Search", engineOf(status)]);
  if (status.index.engine !== "exact" && status.index.isReady && status.done) {
    const { recall } = await ask("recall");
    if (recall !== undefined) {
      const part = `${(100 * recall).toFixed(1)} %`;
      facts.push(["Recall", `${part} of the ten best, for everyday words`]);
    }
  }
  for (const { label, dimensions } of encoders) {
    facts.push(["Encoder", `${label}; ${count(dimensions)} numbers a picture`]);
  }
  const list = facts.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value))
  );
  const remarks = [
    ...failures.map(({ path, reason }) =>
      make("li", {}, pathText(path), `: ${reason}`)
    ),
    ...problems.map((problem) => make("li", {}, problem)),
  ];
  const summary = `Remarks on what was left out (${remarks.length})`;
  byId("start", HTMLElement).replaceChildren(
    make("dl", {}, ...list),
    make(
      "details",
      { hidden: remarks.length === 0 },
      make("summary", {}, summary),
      make("ul", {}, ...remarks),
    ),
  );
}
