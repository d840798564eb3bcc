/**
 * What the collection can be filtered by, what is filtered by now, and the panel
 * that has it: below the field, or a sheet from below on a phone.
 *
 * @module
 */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { AppStatus } from "../server/routes.ts" */
import { button, byId, count, make, scoreText } from "./dom.js";
import { beside, change, fillSelect, readForm } from "./form.js";
import { DEFAULT_QUERY, NO_FOLDING, PIXELS } from "./query.js";

/** More names than this get a field to find them with. */
const MANY_NAMES = 12;

/** Lists of a query by the names of the facets that they filter by. */
const FACETS = /** @type {const} */ ([
  ["terms", "term"],
  ["categories", "category"],
  ["cameras", "camera"],
  ["licenses", "license"],
]);

const panel = byId("filters", HTMLDialogElement);
const opener = byId("openFilters", HTMLButtonElement);
const knobs = byId("knobs", HTMLElement);
const phone = matchMedia("(max-width: 700px)");

/** Connects the panel; once. */
export function prepareFilters() {
  opener.onclick = () => toggleFilters();
  byId("closeFilters", HTMLElement).onclick = () => panel.close();
  panel.onclose = () => opener.ariaExpanded = "false";
  panel.onclick = ({ target, clientY }) => {
    // Above the sheet is its backdrop.
    const isAbove = clientY < panel.getBoundingClientRect().top;
    if (target === panel && phone.matches && isAbove) panel.close();
  };
  const place = () => {
    panel.close();
    if (phone.matches) byId("sheetHead", HTMLElement).after(knobs);
    else panel.before(knobs);
  };
  phone.onchange = place;
  place();
}

/** Opens or closes the panel. @param {boolean} [isOpen] */
export function toggleFilters(isOpen = !panel.open) {
  if (!isOpen) panel.close();
  else if (phone.matches) panel.showModal();
  else panel.open = true;
  opener.ariaExpanded = `${panel.open}`;
}

/** Closes the panel and goes back to its button; false if it was closed. */
export function leaveFilters() {
  if (!panel.open) return false;
  panel.close();
  opener.focus();
  return true;
}

/** Puts the keyboard into the panel, open or not. */
export function enterFilters() {
  toggleFilters(true);
  const fields = /** @type {NodeListOf<HTMLElement>} */ (
    panel.querySelectorAll(".groups :is(button, input, select)")
  );
  [...fields].find((field) => field.checkVisibility())?.focus();
}

/** Unfolds it where a link's filters would else be out of sight. */
export function unfoldIfActive() {
  if (activeParts(readForm()).length > 0 && !phone.matches) toggleFilters(true);
}

/**
 * Shows what is on, each to be taken away.
 *
 * @param {() => void} search
 */
export function showActive(search) {
  const query = readForm();
  const parts = activeParts(query);
  const list = byId("activeFilters", HTMLElement);
  list.hidden = parts.length === 0;
  list.replaceChildren(...parts.map(([text, without]) => {
    const take = () => {
      if (without) change(without);
      else beside.value = "";
      search();
      const next = /** @type {HTMLElement | null} */ (
        list.querySelector("button") ?? document.querySelector("#text")
      );
      next?.focus();
    };
    const ariaLabel = `Take away: ${text}`;
    const what = make("bdi", {}, text);
    return make("li", {}, button("", take, { ariaLabel }, what, " ×"));
  }));
  const active = byId("active", HTMLElement);
  active.textContent = parts.length ? count(parts.length) : "";
  opener.ariaLabel = parts.length
    ? `Filters, ${count(parts.length)} active`
    : "Filters";
  for (const [name] of FACETS) {
    for (
      const box of /** @type {NodeListOf<HTMLInputElement>} */ (
        document.querySelectorAll(`#${name} [type=checkbox]`)
      )
    ) box.checked = query[name].includes(box.value);
  }
  for (
    const year of /** @type {NodeListOf<HTMLButtonElement>} */ (
      document.querySelectorAll("#years button")
    )
  ) {
    const isOn = query.after === year.value && query.before === year.value;
    year.ariaPressed = `${isOn}`;
  }
}

/** The query without its filters. @returns {Partial<SearchQuery>} */
export const withoutFilters = () => ({
  ...{ terms: [], categories: [], licenses: [], cameras: [] },
  ...{ after: "", before: "" },
});

/**
 * What the panel says that is not the default, and the query without it; without
 * what stands beside, where there is no second.
 *
 * @param {SearchQuery} query
 * @returns {[text: string, without?: Partial<SearchQuery>][]}
 */
function activeParts(query) {
  const { after, before, plus, minus, cut, space, metric, fold } = query;
  const parts = /** @type {[string, Partial<SearchQuery>?][]} */ ([]);
  for (const [name] of FACETS) {
    for (const value of query[name]) {
      const others = query[name].filter((other) => other !== value);
      parts.push([value, { [name]: others }]);
    }
  }
  if (after && after === before) parts.push([after, { after: "", before: "" }]);
  else {
    if (after) parts.push([`From ${after}`, { after: "" }]);
    if (before) parts.push([`To ${before}`, { before: "" }]);
  }
  if (plus.length) parts.push([`Towards ${plus.join(", ")}`, { plus: [] }]);
  if (minus.length) {
    parts.push([`Away from ${minus.join(", ")}`, { minus: [] }]);
  }
  if (cut === "none") parts.push(["No line", { cut: "auto" }]);
  else if (cut !== "auto") {
    parts.push([`Cut-off ${scoreText(cut)}`, { cut: "auto" }]);
  }
  if (space) parts.push([`Compared by ${space}`, { space: "" }]);
  if (metric !== "cosine") parts.push([metric, { metric: "cosine" }]);
  if (fold >= NO_FOLDING) {
    parts.push(["Near copies shown", { fold: DEFAULT_QUERY.fold }]);
  }
  if (beside.value) parts.push([`Beside ${beside.value}`]);
  return parts;
}

/** Gives the panel what the collection has. @param {AppStatus} status */
export function fillFilters({ facets, encoders, pixels, metrics }) {
  for (const [name, facet] of FACETS) fillFacet(name, facets[facet]);
  fillYears(facets.dates);
  const [main, ...others] = encoders.map(({ id }) =>
    choice(id, `Encoder ${id}`)
  );
  const more = [...others, choice(PIXELS, pixels)];
  fillSelect(byId("space", HTMLSelectElement), [choice("", main[1]), ...more]);
  fillSelect(beside, [choice("", "nothing"), main, ...more]);
  fillSelect(byId("metric", HTMLSelectElement), metrics);
}

/** @param {typeof FACETS[number][0]} name @param {[string, number][]} facets */
function fillFacet(name, facets) {
  const fieldset = byId(name, HTMLFieldSetElement);
  // Nothing moves under a reader who is choosing.
  if (fieldset.contains(document.activeElement)) return;
  const on = readForm()[name];
  const labels = facets.map(([value, pictures]) => {
    const box = make("input", {
      type: "checkbox",
      value,
      checked: on.includes(value),
      onchange() {
        const others = readForm()[name].filter((other) => other !== value);
        change({ [name]: box.checked ? [...others, value] : others });
      },
    });
    const number = make("small", {}, count(pictures));
    return make("label", {}, box, make("bdi", {}, value), " ", number);
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

/** @param {[string, number][]} years */
function fillYears(years) {
  const list = byId("years", HTMLElement);
  if (list.contains(document.activeElement)) return;
  const { after, before } = readForm();
  list.replaceChildren(...years.map(([value, pictures]) => {
    const year = button(`${value} `, () => {
      const day = year.ariaPressed === "true" ? "" : value;
      change({ after: day, before: day });
      year.dispatchEvent(new Event("change", { bubbles: true }));
    }, { value, ariaPressed: `${after === value && before === value}` });
    year.append(make("small", {}, count(pictures)));
    return year;
  }));
}

/** @type {(value: string, text: string) => [string, string]} */
const choice = (value, text) => [value, text];

/** A name as it is compared, however it was typed. @param {string} name */
const plain = (name) => name.normalize("NFC").toLowerCase();
