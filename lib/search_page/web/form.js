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
import { byId, make } from "./dom.js";
import { DEFAULT_QUERY, MODES, NO_FOLDING, RANGES } from "./query.js";

export const form = byId("form", HTMLFormElement);

/** The space that stands beside the query's own; "" for none. */
export const beside = byId("beside", HTMLSelectElement);

const cut = byId("cut", HTMLSelectElement);
const ownCut = byId("ownCut", HTMLOptionElement);
const fold = byId("fold", HTMLInputElement);
const textWeight = byId("textWeight", HTMLInputElement);

/** Gives the fields what the query's rules say of them; once. */
export function prepareForm() {
  fillSelect(byId("mode", HTMLSelectElement), Object.entries(MODES));
  textWeight.min = `${RANGES.textWeight.least}`;
  textWeight.max = `${RANGES.textWeight.most}`;
  fold.value = `${DEFAULT_QUERY.fold}`;
  fillForm({});
}

/**
 * Gives a field its choices; what was chosen stays.
 *
 * @param {HTMLSelectElement} select
 * @param {[value: string, text: string][]} choices
 */
export function fillSelect(select, choices) {
  const { value } = select;
  select.replaceChildren(
    ...choices.map(([value, text]) => make("option", { value }, text)),
  );
  select.value = value;
}

/** The query that the form holds. */
export function readForm() {
  const fields = /** @type {any} */ (new FormData(form));
  const parameters = new URLSearchParams(fields);
  if (!fold.checked) parameters.set("fold", `${NO_FOLDING}`);
  return fromParameters(parameters);
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
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (
    form.querySelectorAll("[name]")
  );
  for (const field of fields) {
    const parts = [values[field.name]].flat().map(String);
    if (field === fold) fold.checked = Number(values.fold) < NO_FOLDING;
    else if (field.type === "checkbox") {
      field.checked = parts.includes(field.value);
    } else field.value = parts.join(", ");
  }
  showKnobs();
}

/** Sets the reader's own cut-off. @param {string} value */
export function chooseCut(value) {
  ownCut.value = value;
  cut.value = value;
}

/** Writes the values beside the sliders, and how many filters are on. */
export function showKnobs() {
  const weight = Math.round(100 * Number(textWeight.value));
  const filters = form.querySelectorAll(".filter :checked").length;
  byId("kShown", HTMLElement).textContent = byId("k", HTMLInputElement).value;
  byId("weightShown", HTMLElement).textContent = `text ${weight}%, picture ${
    100 - weight
  }%`;
  byId("active", HTMLElement).textContent = filters ? `(${filters} on)` : "";
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
  beside.value = parameters.get("beside") ?? "";
}

/** The cell that searches in the same way. @param {SearchQuery} query */
export function toCell(query) {
  const lines = differing(query)
    .map(([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`);
  return "// app: what openSearchApp() of #lib/search_page/search_page.ts " +
    `returned\nconst found = await app.search({\n${lines.join("")}});\n` +
    "found.hits.map(({ value, path }) => ({ value, path }))";
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
    const texts = parameters.getAll(name).map((text) => text.trim());
    if (name === "plus" || name === "minus") {
      const words = texts.flatMap((text) => text.split(/\s*,\s*/));
      return [name, words.filter(Boolean)];
    }
    if (Array.isArray(value)) return [name, texts];
    const [text = value] = texts;
    // A cut-off is a number or a word.
    const isNumber = typeof value === "number" ||
      name === "cut" && !Number.isNaN(Number(text));
    return [name, isNumber ? Number(text) : text];
  });
  return /** @type {SearchQuery} */ (Object.fromEntries(parts));
}
