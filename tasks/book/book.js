/// <reference lib="dom" />
/**
 * What the book's pages do: the theme, the search, charts alive.
 *
 * A plain script and no module, and its data come as scripts, because browsers
 * load neither modules nor data from files on the disk.
 */

/**
 * What stands under one heading; `page` is seen from index.html.
 *
 * @typedef {{ page: string, title: string, id: string, heading: string,
 *   text: string, code: string }} Section
 */

/** The chosen theme; undefined where the reader follows the system. */
function chosenTheme() {
  try {
    return localStorage.getItem("theme") ?? undefined;
  } catch {
    return undefined; // Storage is switched off.
  }
}

/** @param {string | undefined} theme */
function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// Before anything is painted.
showTheme(chosenTheme());

document.addEventListener("DOMContentLoaded", () => {
  prepareTheme();
  prepareSearch();
  prepareContents();
  drawCharts().finally(() => {
    makeScrollable();
    document.documentElement.dataset.ready = "";
  });
});

/** A button that turns the theme; the system's own is followed, not kept. */
function prepareTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const isDark = () => (chosenTheme() ?? systemTheme()) === "dark";
  const systemTheme = () => system.matches ? "dark" : "light";
  const update = () => button.setAttribute("aria-pressed", `${isDark()}`);
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    try {
      if (theme === systemTheme()) localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {
      // Storage is switched off: it holds for this page.
    }
    showTheme(theme);
    button.setAttribute("aria-pressed", `${theme === "dark"}`);
  });
  system.addEventListener("change", update);
  update();
  button.hidden = false;
}

/** The search over all pages, which loads its index at the first use. */
function prepareSearch() {
  const field = /** @type {HTMLInputElement} */ (byId("words"));
  const results = byId("results");
  /** @type {Promise<(words: string) => Section[]> | undefined} */
  let index;
  const close = () => {
    results.hidden = true;
    byId("found").classList.remove("shown");
  };
  const find = async () => {
    const words = field.value.trim();
    const search = await (index ??= loadIndex());
    if (words !== field.value.trim()) return; // Typed on meanwhile.
    const found = words === "" ? [] : search(words);
    results.replaceChildren(...found.map(resultItem));
    results.hidden = found.length === 0;
    const status = byId("found");
    status.textContent = words === ""
      ? ""
      : `${found.length || "Nothing"} found`;
    // Results are seen; that there are none is to be seen too.
    status.classList.toggle("shown", words !== "" && found.length === 0);
  };
  field.addEventListener("input", find);
  byId("search").addEventListener("keydown", (event) => {
    const links = [...results.querySelectorAll("a")];
    const at = links.indexOf(
      /** @type {HTMLAnchorElement} */ (document.activeElement),
    );
    if (event.key === "Escape") {
      close();
      field.focus();
    } else if (event.key === "ArrowDown" && !results.hidden) {
      links[Math.min(at + 1, links.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      (links[at - 1] ?? field).focus();
    } else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const inside = byId("search").contains(/** @type {Node} */ (event.target));
    const followed = /** @type {Element} */ (event.target).closest("a");
    if (!inside || followed) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || document.activeElement === field) return;
    event.preventDefault();
    field.focus();
  });
  byId("search").hidden = false;
}

/** @returns {Promise<(words: string) => Section[]>} */
async function loadIndex() {
  await loadScript("minisearch.js");
  await loadScript("search_index.js");
  const { MiniSearch, bookSections } = /** @type {any} */ (globalThis);
  const index = new MiniSearch({
    fields: ["heading", "text", "code"],
    storeFields: ["page"],
  });
  index.addAll(
    bookSections.map((
      /** @type {Section} */ section,
      /** @type {number} */ id,
    ) => (
      { ...section, id }
    )),
  );
  const options = {
    prefix: true,
    fuzzy: 0.15,
    combineWith: "AND",
    boost: { heading: 4, code: 0.5 },
    // Explanations before lists of terms and works.
    boostDocument: (
      /** @type {number} */ _id,
      /** @type {string} */ _term,
      /** @type {Section} */ { page },
    ) => page.startsWith("notebooks/") ? 2 : 1,
  };
  return (words) =>
    index.search(words, options).slice(0, 12)
      .map((/** @type {{ id: number }} */ { id }) => bookSections[id]);
}

/** @param {Section} section */
function resultItem({ page, title, id, heading, text }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `${document.body.dataset.up}${page}#${id}`;
  const name = document.createElement("strong");
  name.textContent = heading;
  const start = document.createElement("span");
  start.textContent = [title, text].filter((part) => part && part !== heading)
    .join(": ");
  link.append(name, start);
  item.append(link);
  return item;
}

/** On a small screen the contents begin folded. */
function prepareContents() {
  const details = document.querySelector("#contents details");
  if (matchMedia("(max-width: 59.9rem)").matches) {
    details?.removeAttribute("open");
  }
}

/** Draws each chart of the page in place of its picture. */
async function drawCharts() {
  const charts = document.querySelectorAll(".chart");
  if (charts.length === 0) return;
  await loadScript("plotly.js");
  const { Plotly } = /** @type {any} */ (globalThis);
  for (const chart of charts) {
    const text = chart.querySelector("script")?.textContent ?? "";
    const { data, layout, config } = JSON.parse(text);
    const picture = chart.querySelector("img");
    const alive = document.createElement("div");
    alive.setAttribute("role", "group");
    alive.setAttribute("aria-label", picture?.alt ?? "Chart");
    chart.append(alive);
    await Plotly.newPlot(alive, data, layout, config);
    if (picture) picture.hidden = true;
  }
}

/** What scrolls to the side can be reached by keyboard. */
function makeScrollable() {
  for (const box of document.querySelectorAll("pre, .output, .wide")) {
    if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
  }
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`book.js: no element #${id}`);
  return element;
}

/** @param {string} name Of a file beside index.html. @returns {Promise<void>} */
function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${document.body.dataset.up}${name}`;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error(`no ${name}`)));
    document.head.append(script);
  });
}
