/**
 * The search page: connects the form, the address, the server and the results.
 *
 * @module
 */
import {
  allIsWell,
  ask,
  bars,
  byId,
  complain,
  count,
  make,
  titleOf,
} from "./dom.js";
import { openDetail } from "./detail.js";
import { clearSelection, grid, painted } from "./grid.js";
import { openMap, prepareMap } from "./map.js";
import {
  asked,
  fillForm,
  fromHash,
  isEmpty,
  readForm,
  showKnobs,
  toCell,
  toHash,
} from "./state.js";

const PIXELS = "pixels";

let defaults, status, shown, running;

const act = {
  open: (hit, hits) => openDetail(hit, hits, act.like),
  like(hit) {
    Object.assign(asked, { like: hit.id, picture: "" });
    byId("text").value = "";
    byId("mode").value = "visual";
    scrollTo({ top: 0 });
    search();
  },
};

/** Searches for what the form holds, and shows it. */
async function search({ keepAddress = false } = {}) {
  const start = performance.now();
  const query = readForm();
  if (isEmpty(query)) return await random();
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  if (!keepAddress) history.pushState(null, "", toHash(query, defaults));
  showAsked(query);
  byId("status").textContent = "Searching …";
  try {
    // Pixels need a picture: where there is none, the best find by words.
    const needsFirst = !query.picture && !query.like &&
      [query.space, asked.beside].includes(PIXELS);
    const first = needsFirst
      ? (await ask(
        "compare",
        { ...query, ...onEncoder(), k: 1, cut: "none" },
        signal,
      )).hits[0]
      : undefined;
    const inSpace = (space) => ({
      ...query,
      ...(space === PIXELS
        ? {
          space,
          like: query.like || (query.picture ? "" : first?.id ?? ""),
          cut: "none",
        }
        : { space }),
    });
    const [result, other] = await Promise.all([
      ask("search", inSpace(query.space), signal),
      asked.beside ? ask("compare", inSpace(asked.beside), signal) : undefined,
    ]);
    allIsWell();
    await show(result, other, first);
    const ms = performance.now() - start;
    document.documentElement.dataset.painted = ms.toFixed(1);
    byId("status").textContent = summary(result, ms);
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("status").textContent = "The search did not work.";
    complain(error);
  }
}

/** The settings with which words can be searched for. */
const onEncoder = () => ({ space: "", metric: "cosine" });

async function random() {
  running?.abort();
  running = new AbortController();
  try {
    const hits = await ask("random", readForm(), running.signal);
    allIsWell();
    shown = undefined;
    byId("scores").hidden = byId("tools").hidden = true;
    showAsked({});
    const section = make("section", {}, grid(hits, act));
    byId("results").replaceChildren(section);
    byId("status").textContent = hits.length === 0
      ? status?.done
        ? "There are no pictures here."
        : "The first pictures come soon."
      : `${count(hits.length)} pictures drawn at random`;
  } catch (error) {
    complain(error);
  }
}

async function show(result, other, first) {
  shown = result;
  const sides = [section(result, other && result.comparedBy)];
  if (other) {
    const note = first && asked.beside === PIXELS
      ? ` (pixels know no words: nearest to “${titleOf(first)}”)`
      : "";
    sides.push(section(other, other.comparedBy + note));
  }
  byId("results").replaceChildren(...sides);
  byId("start").hidden = true;
  byId("tools").hidden = false;
  showScores(result);
  await painted(byId("results"));
}

function section(result, heading) {
  const content = result.hits.length > 0
    ? grid(result.hits, act, result)
    : nothingFits(result);
  return make(
    "section",
    {},
    heading ? make("h2", {}, heading) : undefined,
    content,
  );
}

function nothingFits({ total }) {
  if (total === 0) {
    return make(
      "p",
      { className: "empty" },
      "No picture passes these filters, or none has words to compare with. Take a filter away, or search in another mode.",
    );
  }
  return make(
    "div",
    { className: "empty" },
    make(
      "p",
      {},
      "Nothing here fits: the nearest pictures are no nearer than chance would bring them.",
    ),
    make("button", {
      type: "button",
      textContent: "Show the nearest anyway",
      onclick() {
        byId("cut").value = "none";
        search();
      },
    }),
  );
}

function summary({ hits, relevant, total, ms, query }, paintedMs) {
  const fits = query.cut === "none" || query.space === PIXELS
    ? `the nearest ${count(hits.length)} of ${count(total)} pictures`
    : relevant === 0
    ? `Nothing fits among ${count(total)} pictures`
    : `${count(hits.length)} shown; ${count(relevant)} of ${
      count(total)
    } pictures fit`;
  const pending = status && !status.done
    ? `, ${count(status.total - status.indexed)} not indexed yet`
    : "";
  return `${fits.charAt(0).toUpperCase()}${fits.slice(1)}${pending} (${
    ms.toFixed(0)
  } ms, painted after ${paintedMs.toFixed(0)} ms)`;
}

/** The histogram of scores, and the cut in it. */
function showScores({ scores, cut, better }) {
  byId("scores").hidden = scores.count === 0;
  const most = Math.max(...scores.bins);
  const width = (scores.most - scores.least) / scores.bins.length;
  const isKept = (bin) => {
    const middle = scores.least + (bin + 0.5) * width;
    return cut === undefined ||
      (better === "higher" ? middle >= cut : middle <= cut);
  };
  // A root brings out the few good ones beside the many others.
  const heights = scores.bins.map((bin) => Math.sqrt(bin / most));
  byId("histogram").replaceChildren(
    bars(
      heights,
      `Scores from ${show3(scores.least)} to ${show3(scores.most)}, mean ${
        show3(scores.mean)
      }, cut ${cut === undefined ? "none" : show3(cut)}`,
      isKept,
    ),
  );
  const slider = byId("cutValue");
  slider.min = scores.least;
  slider.max = scores.most;
  slider.value = cut ?? (better === "higher" ? scores.least : scores.most);
  byId("cutShown").value = cut === undefined ? "none" : show3(cut);
}

const show3 = (value) =>
  Math.abs(value) >= 100 ? count(Math.round(value)) : value.toFixed(3);

/** The query's picture in the field, with a button that takes it away. */
function showAsked({ picture, like }) {
  const chip = byId("asked");
  chip.hidden = !picture && !like;
  if (chip.hidden) return chip.replaceChildren();
  const image = make("img", {
    alt: like ? `Like ${like}` : "The query's picture",
  });
  if (picture) image.src = `uploaded/${picture}`;
  else {
    ask(`detail?id=${encodeURIComponent(like)}`)
      .then(({ row }) => image.src = `thumbnail/${row}`, () => {});
  }
  chip.replaceChildren(
    image,
    make("button", {
      type: "button",
      textContent: "×",
      "aria-label": "Take the query's picture away",
      onclick() {
        Object.assign(asked, { picture: "", like: "" });
        showAsked({});
        byId("text").focus();
        search();
      },
    }),
  );
}

/** Takes a picture from outside as the query. */
async function takePicture(file) {
  if (!file) return;
  if (file.size > 20e6) {
    return complain(
      new Error(
        `The picture has ${
          Math.round(file.size / 1e6)
        } MB: at most 20 can be taken.`,
      ),
    );
  }
  try {
    byId("status").textContent = "Taking the picture …";
    const { picture } = await ask("upload", file);
    Object.assign(asked, { picture, like: "" });
    if (!byId("text").value) byId("mode").value = "visual";
    await search();
  } catch (error) {
    byId("status").textContent = "The picture was not taken.";
    complain(error);
  }
}

/** Keeps the start-up block and the progress bar true until all is indexed. */
async function follow() {
  const before = status;
  status = await ask("status");
  defaults = { ...status.defaults, text: "", picture: "", like: "" };
  const { indexed, total, done, error, failures } = status;
  byId("collection").textContent = `· ${status.name}`;
  document.title = `Contact Sheet · ${status.name}`;
  byId("loading").hidden = done;
  byId("progress").max = total;
  byId("progress").value = indexed + failures.length;
  byId("loadingText").textContent = `Indexing: ${count(indexed)} of ${
    count(total)
  } pictures; they can be searched as they come`;
  if (before?.indexed !== indexed || !before) {
    fillFacets();
    fillSpaces();
    await showStart();
  }
  if (error) complain(new Error(`Indexing stopped: ${error}`));
  if (!shown && indexed > 0 && !(before?.indexed > 0) && before) await random();
  if (!done) setTimeout(() => follow().catch(complain), 600);
}

async function showStart() {
  const { indexed, facets, encoders, failures, problems } = status;
  const list = make("dl");
  const add = (name, value) =>
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  add("Pictures", count(indexed));
  if (facets.term.length) add("Terms", count(facets.term.length));
  if (facets.category.length) add("Categories", count(facets.category.length));
  for (const { label, dimensions } of encoders) {
    add("Encoder", `${label}, ${count(dimensions)} numbers a picture`);
  }
  if (indexed > 1) {
    const { mean, deviation, least, most } = await ask("statistics");
    add(
      "Similarity of two pictures",
      `${show3(mean)} ± ${show3(deviation)}, from ${show3(least)} to ${
        show3(most)
      }`,
    );
  }
  const lines = [
    ...failures.map(({ id, reason }) => `${id}: ${reason}`),
    ...problems,
  ];
  const left = lines.length === 0 ? undefined : make(
    "details",
    {},
    make("summary", {}, `${count(lines.length)} remarks on what was left out`),
    make("ul", {}, ...lines.map((line) => make("li", {}, line))),
  );
  byId("start").replaceChildren(list, ...(left ? [left] : []));
  byId("start").hidden = Boolean(shown);
}

function fillFacets() {
  const fieldsets = {
    term: "filterTerm",
    category: "filterCategory",
    license: "filterLicense",
  };
  for (const [name, id] of Object.entries(fieldsets)) {
    const fieldset = byId(id);
    const facets = status.facets[name];
    const on = new Set(
      [...fieldset.querySelectorAll(":checked")].map(({ value }) => value),
    );
    fieldset.className = "filter";
    fieldset.hidden = facets.length < 2;
    const list = make("div", { tabIndex: facets.length > 6 ? 0 : -1 });
    list.append(
      ...facets.map(([value, pictures]) =>
        make(
          "label",
          {},
          make("input", {
            type: "checkbox",
            value,
            checked: on.has(value),
          }),
          ` ${value} `,
          make("small", {}, count(pictures)),
        )
      ),
    );
    const finder = facets.length <= 12 ? [] : [make("input", {
      placeholder: "Find …",
      "aria-label": `Find a ${name}`,
      oninput({ target }) {
        const wanted = target.value.toLowerCase();
        for (const label of list.children) {
          label.hidden = !label.textContent.toLowerCase().includes(wanted);
        }
      },
    })];
    fieldset.replaceChildren(fieldset.querySelector("legend"), ...finder, list);
  }
}

function fillSpaces() {
  const names = [
    ...status.encoders.map(({ id }, i) => [i === 0 ? "" : id, `Encoder ${id}`]),
    [PIXELS, "Pixels, 64 × 64"],
  ];
  const option = ([value, text]) => make("option", { value }, text);
  const { value } = byId("space");
  byId("space").replaceChildren(...names.map(option));
  byId("space").value = value || "";
  byId("beside").replaceChildren(
    option(["", "nothing"]),
    ...names.map(([id, text]) => option([id || status.encoders[0].id, text])),
  );
  byId("beside").value = asked.beside;
}

/** Offers a file for download. */
function download(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

const COLUMNS = [
  "id",
  "value",
  "title",
  "caption",
  "term",
  "category",
  "author",
  "license",
  "page",
];

function toCsv({ hits }) {
  const cell = (value) => {
    // Spreadsheets take what begins like this for a formula.
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value)
      ? `'${value}`
      : String(value);
    return `"${text.replaceAll('"', '""')}"`;
  };
  return [COLUMNS, ...hits.map((hit) => COLUMNS.map((name) => hit[name]))]
    .map((row) => row.map(cell).join(",") + "\r\n").join("");
}

const THEMES = { "": "automatic", light: "light", dark: "dark" };

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${THEMES[theme]}`;
  // A frame may be denied storage: the theme then lasts as long as the page.
  try {
    localStorage.setItem("theme", theme);
  } catch { /* see above */ }
}

function connect() {
  byId("form").onsubmit = (event) => {
    event.preventDefault();
    search();
  };
  byId("random").onclick = () => {
    fillForm({
      ...readForm(),
      text: "",
      picture: "",
      like: "",
      plus: [],
      minus: [],
    });
    random();
  };
  byId("form").oninput = showKnobs;
  byId("form").onchange = ({ target }) => {
    if (target.id === "beside") asked.beside = target.value;
    // The text waits for Enter; what is chosen takes effect at once.
    if (target.id === "text" || target.id === "file") return;
    search();
  };
  byId("choose").onclick = () => byId("file").click();
  byId("file").onchange = ({ target }) => {
    takePicture(target.files[0]);
    target.value = "";
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener(
    "dragleave",
    () => document.body.classList.remove("dropping"),
  );
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file) takePicture(file);
    else complain(new Error("Only a picture's file can be dropped here."));
  });
  addEventListener("paste", ({ clipboardData }) => {
    takePicture(
      [...clipboardData.files].find(({ type }) => /^image\//.test(type)),
    );
  });
  byId("cutValue").onchange = ({ target }) => {
    asked.cut = Number(target.value);
    byId("cut").value = "own";
    search();
  };
  byId("cutValue").oninput = ({ target }) =>
    byId("cutShown").value = show3(Number(target.value));
  byId("clear").onclick = clearSelection;
  byId("csv").onclick = () => download("results.csv", "text/csv", toCsv(shown));
  byId("json").onclick = () =>
    download(
      "results.json",
      "application/json",
      JSON.stringify(shown, null, 2),
    );
  byId("cell").onclick = () => {
    byId("codeText").textContent = toCell(shown.query, defaults);
    byId("code").showModal();
  };
  byId("copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(byId("codeText").textContent);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("codeText"));
      byId("copy").textContent = "Selected: copy it with Ctrl-C";
    }
  };
  byId("closeCode").onclick = () => byId("code").close();
  byId("openMap").onclick = () => openMap((point) => act.open(point, [point]));
  prepareMap();
  byId("theme").onclick = () => {
    const names = Object.keys(THEMES);
    const now = document.documentElement.dataset.theme ?? "";
    setTheme(names[(names.indexOf(now) + 1) % names.length]);
  };
  try {
    setTheme(localStorage.getItem("theme") ?? "");
  } catch {
    setTheme("");
  }
  addEventListener("popstate", openAddress);
}

/** Does what the address says. */
async function openAddress() {
  const query = fromHash(location.hash, defaults);
  fillForm(query);
  byId("beside").value = asked.beside;
  if (isEmpty(query)) await random();
  else await search({ keepAddress: true });
}

connect();
try {
  await follow();
  await openAddress();
} catch (error) {
  byId("status").textContent = "The page could not start.";
  complain(error);
}
