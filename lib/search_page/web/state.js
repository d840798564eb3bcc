/**
 * The query between the form, the address and the server.
 *
 * The address holds what differs from the defaults, behind "#", so that it can
 * be kept, sent and gone back to.
 *
 * @module
 */
import { byId } from "./dom.js";

/** What is not in any field of the form: the query's picture, the own cut. */
export const asked = { picture: "", like: "", cut: 0, beside: "" };

const LISTS = ["plus", "minus", "terms", "categories", "licenses"];
const FILTERS = {
  terms: "filterTerm",
  categories: "filterCategory",
  licenses: "filterLicense",
};

/** The query that the form holds. */
export function readForm() {
  const metric = byId("metric").value;
  const cut = byId("cut").value;
  return {
    text: byId("text").value.trim(),
    picture: asked.picture,
    like: asked.like,
    mode: byId("mode").value,
    textWeight: byId("weight").value / 100,
    plus: words("plus"),
    minus: words("minus"),
    terms: checked("terms"),
    categories: checked("categories"),
    licenses: checked("licenses"),
    k: Number(byId("k").value),
    cut: cut === "own" ? asked.cut : cut,
    fold: byId("fold").checked ? 0.97 : 2,
    space: byId("space").value,
    metric,
  };
}

/** Puts a query into the form. */
export function fillForm(query) {
  byId("text").value = query.text;
  Object.assign(asked, { picture: query.picture, like: query.like });
  byId("mode").value = query.mode;
  byId("weight").value = Math.round(query.textWeight * 100);
  byId("plus").value = query.plus.join(", ");
  byId("minus").value = query.minus.join(", ");
  for (const [name, id] of Object.entries(FILTERS)) {
    for (const box of byId(id).querySelectorAll("[type=checkbox]")) {
      box.checked = query[name].includes(box.value);
    }
  }
  byId("k").value = query.k;
  const own = typeof query.cut === "number";
  byId("cut").value = own ? "own" : query.cut;
  if (own) asked.cut = query.cut;
  byId("fold").checked = query.fold <= 1;
  byId("space").value = query.space;
  byId("metric").value = query.metric;
  showKnobs();
}

/** Writes the values beside the sliders, and how many filters are on. */
export function showKnobs() {
  byId("kShown").value = byId("k").value;
  const weight = Number(byId("weight").value);
  byId("weightShown").value = `text ${weight}%, picture ${100 - weight}%`;
  const filters = Object.keys(FILTERS).flatMap(checked).length;
  byId("active").textContent = filters ? `(${filters} on)` : "";
}

/** The query as an address behind "#"; "" where nothing is asked. */
export function toHash(query, defaults) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (LISTS.includes(name)) {
      value.forEach((item) => parameters.append(name, item));
    } else if (value !== "" && value !== defaults[name]) {
      parameters.set(name, value);
    }
  }
  if (asked.beside) parameters.set("beside", asked.beside);
  return `#${parameters}`;
}

/** The query that an address holds. */
export function fromHash(hash, defaults) {
  const parameters = new URLSearchParams(hash.slice(1));
  const query = { text: "", picture: "", like: "", ...defaults };
  for (const name of LISTS) query[name] = parameters.getAll(name);
  for (const name of ["textWeight", "k", "fold"]) {
    if (parameters.has(name)) query[name] = Number(parameters.get(name));
  }
  for (const name of ["text", "picture", "like", "mode", "space", "metric"]) {
    query[name] = parameters.get(name) ?? query[name];
  }
  const cut = parameters.get("cut") ?? query.cut;
  query.cut = ["auto", "none"].includes(cut) ? cut : Number(cut);
  asked.beside = parameters.get("beside") ?? "";
  return query;
}

/** Whether a query asks for anything. */
export function isEmpty({ text, picture, like, plus, minus }) {
  return !text && !picture && !like && plus.length + minus.length === 0;
}

/** The cell that searches in the same way. */
export function toCell(query, defaults) {
  const differing = Object.entries(query).filter(([name, value]) =>
    value !== "" && JSON.stringify(value) !== JSON.stringify(defaults[name]) &&
    !(Array.isArray(value) && value.length === 0)
  );
  const lines = differing.map(([name, value]) =>
    `  ${name}: ${JSON.stringify(value)},\n`
  );
  return "// app: what openSearchApp() of #lib/search_page/search_page.ts returned\n" +
    `const found = await app.search({\n${lines.join("")}});\n` +
    "found.hits.map(({ value, id }) => ({ value, id }))";
}

function words(id) {
  return byId(id).value.split(",").map((word) => word.trim()).filter(Boolean);
}

function checked(name) {
  const boxes = byId(FILTERS[name]).querySelectorAll("[type=checkbox]:checked");
  return [...boxes].map(({ value }) => value);
}
