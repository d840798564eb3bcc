/**
 * The query between the form, the address and the server.
 *
 * The fields of the form and the parameters of the address have the names of a
 * query's parts. The address holds what differs from the defaults, behind "#",
 * so that it can be kept, sent and gone back to.
 *
 * @module
 */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { AppStatus } from "../server/routes.ts" */
import { byId, count, make } from "./dom.js";
import {
  DEFAULT_QUERY,
  lengthOf,
  LONGEST_LIST,
  LONGEST_TEXT,
  MODES,
  NO_FOLDING,
  PIXELS,
  RANGES,
  SORTS,
} from "./query.js";

export const form = byId("form", HTMLFormElement);

/** What the form calls the parts of a query. */
const LABELS = new Map(Object.entries({
  ...{ text: "Words", like: "More like", unlike: "Less like" },
  ...{ plus: "Towards", minus: "Away from", after: "From", before: "To" },
  ...{ terms: "Term", categories: "Category", cameras: "Camera" },
  ...{ licenses: "Licence", sort: "Order", k: "Results", cut: "Cut-off" },
  ...{ textWeight: "Weight", fold: "Fold near copies", space: "Compare by" },
}));

/** The space that stands beside the query's own; "" for none. */
export const beside = byId("beside", HTMLSelectElement);

const cut = byId("cut", HTMLSelectElement);
const ownCut = byId("ownCut", HTMLOptionElement);
const fold = byId("fold", HTMLInputElement);
const textWeight = byId("textWeight", HTMLInputElement);

/**
 * The parts of a query that are no fields: its pictures, and what it filters by.
 *
 * @typedef {Pick<SearchQuery, "like" | "unlike" | "terms" | "categories" |
 *   "licenses" | "cameras">} Lists
 */

/** @type {Lists} */
const lists = {
  ...{ like: [], unlike: [] },
  ...{ terms: [], categories: [], licenses: [], cameras: [] },
};

/** Gives the fields what the query's rules say of them; once. */
export function prepareForm() {
  fillSelect(byId("mode", HTMLSelectElement), Object.entries(MODES));
  fillSelect(byId("sort", HTMLSelectElement), Object.entries(SORTS));
  textWeight.min = `${RANGES.textWeight.least}`;
  textWeight.max = `${RANGES.textWeight.most}`;
  fillForm({});
}

/**
 * Gives a field its choices; what was chosen stays, if it is among them.
 *
 * @param {HTMLSelectElement} select
 * @param {[value: string, text: string][]} choices
 */
export function fillSelect(select, choices) {
  const { value } = select;
  select.replaceChildren(
    ...choices.map(([value, text]) => make("option", { value }, text)),
  );
  choose(select, value);
}

/** The fields that are parts of a query. */
function fields() {
  return /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (
    form.querySelectorAll("[name]")
  );
}

/** The query that the form holds, what is disabled included. */
export function readForm() {
  const parameters = new URLSearchParams();
  for (const field of fields()) {
    parameters.set(field.name, field.value);
  }
  if (!fold.checked) parameters.set("fold", `${NO_FOLDING}`);
  return { ...fromParameters(parameters), ...structuredClone(lists) };
}

/**
 * Puts a query into the form; what it leaves out goes back to the default.
 *
 * @param {Partial<SearchQuery>} query
 */
export function fillForm(query) {
  const values = /** @type {Record<string, unknown>} */ (
    { ...DEFAULT_QUERY, ...query }
  );
  if (typeof values.cut === "number") ownCut.value = `${values.cut}`;
  for (const field of fields()) {
    const value = [values[field.name]].flat().map(String).join(", ");
    if (field === fold) {
      fold.checked = Number(values.fold) < NO_FOLDING;
      fold.value = fold.checked ? value : `${DEFAULT_QUERY.fold}`;
    } else if (field instanceof HTMLSelectElement) choose(field, value);
    else field.value = value;
  }
  for (const name of /** @type {(keyof Lists)[]} */ (Object.keys(lists))) {
    lists[name] = [...query[name] ?? []];
  }
}

/**
 * A complaint about a part of a query, which it calls as the form does.
 *
 * @param {Error} error
 */
export function withLabel(error) {
  const [, first = "", others, rest] =
    error.message.match(/^(\w)(\w*)(: .*)$/s) ?? [];
  const label = LABELS.get(first.toLowerCase() + others);
  return label ? new Error(label + rest) : error;
}

/** What the form has too much of, in a sentence; "" if nothing. */
export function excess() {
  const query = readForm();
  for (
    const [name, what] of /** @type {const} */ ([
      ["text", "The text"],
      ["plus", "A word of “Towards”"],
      ["minus", "A word of “Away from”"],
    ])
  ) {
    const length = Math.max(0, ...[query[name]].flat().map(lengthOf));
    if (length > LONGEST_TEXT) {
      return `${what} has ${count(length)} characters: at most ` +
        `${count(LONGEST_TEXT)} can be searched for.`;
    }
  }
  const { length } = [...query.like, ...query.unlike];
  return length > LONGEST_LIST ? tooManyPictures(length) : "";
}

/** @param {number} length */
export const tooManyPictures = (length) =>
  `These are ${count(length)} pictures: at most ${
    count(LONGEST_LIST)
  } can be ` +
  "searched by at once.";

/** Changes parts of the query. @param {Partial<SearchQuery>} parts */
export function change(parts) {
  fillForm({ ...readForm(), ...parts });
}

/** Chooses, or goes back to the default. @param {HTMLSelectElement} select @param {string} value */
function choose(select, value) {
  select.value = value;
  if (select.value === value) return;
  const defaults = new Map(Object.entries(DEFAULT_QUERY));
  select.value = `${defaults.get(select.name) ?? ""}`;
}

/** Sets the reader's own cut-off. @param {string} value */
export function chooseCut(value) {
  ownCut.value = value;
  cut.value = value;
}

/**
 * Writes the values beside the sliders, and disables what does nothing for this
 * query: its tip says why.
 *
 * @param {AppStatus} [status]
 */
export function showKnobs(status) {
  const query = readForm();
  const percent = Math.round(100 * query.textWeight);
  byId("kShown", HTMLElement).textContent = `${query.k}`;
  byId("weightShown", HTMLElement).textContent = `text ${percent}%, picture ${
    100 - percent
  }%`;
  for (const [id, reason] of Object.entries(reasons(query, status))) {
    const control = byId(id, HTMLElement);
    const label = control.closest("label") ?? control;
    control.toggleAttribute("disabled", reason !== "");
    label.title = reason;
  }
}

/**
 * Why a control does nothing; "" where it does something.
 *
 * @param {SearchQuery} query
 * @param {AppStatus} [status]
 */
function reasons(query, status) {
  const { space, mode, metric, text, like } = query;
  const ofPixels = space === PIXELS;
  const pixels = "Pixels are compared as they are: no words come into it";
  const silent = status?.indexed && !status.hasTexts
    ? "Nothing is written about these pictures"
    : "";
  const hasBoth = text !== "" && like.length > 0;
  return {
    mode: ofPixels ? pixels : silent,
    textWeight: ofPixels
      ? pixels
      : mode === "text"
      ? "In this mode words alone are compared: there is nothing to weigh"
      : mode === "visual"
      ? "In this mode pictures alone are compared: there is nothing to weigh"
      : hasBoth
      ? ""
      : silent && `${silent}: there is nothing to weigh`,
    sort: status?.indexed && status.facets.dates.length === 0
      ? "None of these pictures has a date"
      : "",
    cut: typeof query.cut === "number"
      ? ""
      : ofPixels
      ? "What may not fit is not known for pixels: set a cut-off below"
      : metric !== "cosine"
      ? "What may not fit is known for the cosine alone: set a cut-off below"
      : "",
  };
}

/** The query as an address behind "#". @param {SearchQuery} query */
export function toAddress(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of differing(query)) {
    for (const part of [value].flat()) parameters.append(name, `${part}`);
  }
  if (beside.value) parameters.set("beside", beside.value);
  return `#${parameters}`;
}

/** Puts what an address holds into the form. @param {string} address */
export function fillFromAddress(address) {
  const parameters = new URLSearchParams(address.slice(1));
  fillForm(fromParameters(parameters));
  choose(beside, parameters.get("beside") ?? "");
}

/**
 * The cell that finds the same pictures.
 *
 * @param {SearchQuery} query
 * @param {number} length How many are taken.
 * @param {boolean} fit Whether only those that fit are.
 */
export function toCell(query, length, fit) {
  const { most } = RANGES.k;
  const isOnePage = length <= most;
  const k = Math.max(RANGES.k.least, Math.min(length, most));
  const lines = differing({ ...query, from: 0, k })
    .map(([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`);
  const asked = `{\n${lines.join("")}}`;
  const search = isOnePage
    ? `const { hits } = await app.search(${asked});\n`
    : `const query = ${asked};\nconst hits = [];\n` +
      `for (let from = 0; from < ${length}; from += ${k}) {\n` +
      "  hits.push(...(await app.search({ ...query, from })).hits);\n}\n";
  const chosen = fit ? "hits.filter(({ fits }) => fits)" : "hits";
  return "// app: what openSearchApp() of #lib/search_page/search_page.ts " +
    `returned\n${search}` +
    `${chosen}.map(({ value, path }) => ({ value, path }))`;
}

/** What a query says that is not the default. @param {SearchQuery} query */
function differing(query) {
  const defaults = new Map(Object.entries(DEFAULT_QUERY));
  return Object.entries(query).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(defaults.get(name))
  );
}

/** The query that texts are, by name. @param {URLSearchParams} parameters */
function fromParameters(parameters) {
  const parts = Object.entries(DEFAULT_QUERY).map(([name, value]) => {
    const texts = parameters.getAll(name);
    if (name === "plus" || name === "minus") {
      const words = texts.flatMap((text) => text.split(","));
      return [name, words.map((word) => word.trim()).filter(Boolean)];
    }
    if (Array.isArray(value)) return [name, texts];
    const text = texts[0]?.trim() || `${value}`;
    const number = Number(text);
    // A cut-off is a number or a word.
    if (name === "cut" && (text === "auto" || text === "none")) {
      return [name, text];
    }
    if (typeof value !== "number" && name !== "cut") return [name, text];
    return [name, Number.isFinite(number) ? number : value];
  });
  return /** @type {SearchQuery} */ (Object.fromEntries(parts));
}
