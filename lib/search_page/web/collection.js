/**
 * What the collection holds: the start-up block, the progress of indexing, and
 * what can be filtered by and compared by.
 *
 * @module
 */
/** @import { AppStatus } from "../routes.ts" */
import { byId, count, make, scoreText } from "./dom.js";
import { beside, fillSelect } from "./form.js";
import { PIXELS } from "./query.js";
import { ask, complain } from "./server.js";

/** More names than this get a field to find them with. */
const MANY_NAMES = 12;

/**
 * Reads the collection's state, now and until everything is indexed.
 *
 * @param {(now: AppStatus, before?: AppStatus) => void} onChange
 * @param {AppStatus} [before]
 */
export async function follow(onChange, before) {
  const status = await ask("status");
  const { name, indexed, total, done, error, failures, facets } = status;
  byId("collection", HTMLElement).textContent = `· ${name}`;
  document.title = `Contact Sheet · ${name}`;
  byId("loading", HTMLElement).hidden = done;
  byId("progress", HTMLProgressElement).max = total;
  byId("progress", HTMLProgressElement).value = indexed + failures.length;
  byId("loadingText", HTMLElement).textContent = "Indexing: " +
    `${count(indexed)} of ${count(total)} pictures; they can be searched as ` +
    "they come";
  if (indexed !== before?.indexed || done !== before.done) {
    fillFilter("terms", facets.term);
    fillFilter("categories", facets.category);
    fillFilter("licenses", facets.license);
    fillChoices(status);
    await showStart(status);
  }
  if (error) complain(new Error(`Indexing stopped: ${error}.`));
  onChange(status, before);
  if (done) return;
  setTimeout(() => follow(onChange, status).catch(complain), 600);
}

/** @param {AppStatus} status */
async function showStart(status) {
  const { indexed, facets, encoders, failures, problems } = status;
  const facts = [["Pictures", count(indexed)]];
  if (facets.term.length) facts.push(["Terms", count(facets.term.length)]);
  const { length } = facets.category;
  if (length) facts.push(["Categories", count(length)]);
  if (indexed > 1 && status.done) {
    const { mean, deviation, least, most } = await ask("statistics");
    const spread = `${scoreText(mean)} ± ${scoreText(deviation)}`;
    const range = `from ${scoreText(least)} to ${scoreText(most)}`;
    facts.push(["Similarity of two pictures", `${spread}, ${range}`]);
  }
  for (const { label, dimensions } of encoders) {
    facts.push(["Encoder", `${label}; ${count(dimensions)} numbers a picture`]);
  }
  const list = facts.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value))
  );
  const remarks = [
    ...failures.map(({ path, reason }) => `${path}: ${reason}`),
    ...problems,
  ].map((remark) => make("li", {}, remark));
  const summary = `Remarks on what was left out (${remarks.length})`;
  byId("startContent", HTMLElement).replaceChildren(
    make("dl", {}, ...list),
    make(
      "details",
      { hidden: remarks.length === 0 },
      make("summary", {}, summary),
      make("ul", {}, ...remarks),
    ),
  );
}

/** Gives a filter its names. @param {string} name @param {[string, number][]} facets */
function fillFilter(name, facets) {
  const fieldset = byId(name, HTMLFieldSetElement);
  // Nothing moves under a reader who is choosing.
  if (fieldset.contains(document.activeElement)) return;
  const on = new FormData(fieldset.form ?? undefined).getAll(name);
  const labels = facets.map(([value, pictures]) => {
    const checked = on.includes(value);
    const box = make("input", { type: "checkbox", name, value, checked });
    const number = make("small", {}, count(pictures));
    return make("label", {}, box, ` ${value} `, number);
  });
  const finder = make("input", {
    type: "text",
    placeholder: "Find …",
    ariaLabel: `Find in ${name}`,
    hidden: labels.length <= MANY_NAMES,
    oninput() {
      const wanted = plain(finder.value);
      for (const label of labels) {
        label.hidden = !plain(label.textContent ?? "").includes(wanted);
      }
    },
    // It finds names, not pictures.
    onchange: (event) => event.stopPropagation(),
  });
  const list = make("div", { tabIndex: labels.length > 6 ? 0 : -1 }, ...labels);
  fieldset.replaceChildren(fieldset.children[0], finder, list);
  fieldset.hidden = facets.length < 2;
}

/** @param {AppStatus} status */
function fillChoices({ encoders, pixels, metrics }) {
  const [main, ...others] = encoders.map(({ id }) =>
    choice(id, `Encoder ${id}`)
  );
  const more = [...others, choice(PIXELS, pixels)];
  fillSelect(byId("space", HTMLSelectElement), [choice("", main[1]), ...more]);
  fillSelect(beside, [choice("", "nothing"), main, ...more]);
  fillSelect(byId("metric", HTMLSelectElement), metrics);
}

/** @type {(value: string, text: string) => [string, string]} */
const choice = (value, text) => [value, text];

/** A name as it is compared, however it was typed. @param {string} name */
const plain = (name) => name.normalize("NFC").toLowerCase();
