/**
 * The search page: connects the form, the address, the server and the results.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/searcher.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
/** @import { AppStatus } from "../routes.ts" */
/** @import { Actions } from "./grid.js" */
import { follow } from "./collection.js";
import { openDetail } from "./detail.js";
import { button, byId, count, make, thumbnail, titleOf } from "./dom.js";
import { beside, form, prepareForm, readForm, showKnobs } from "./form.js";
import { fillForm, fillFromAddress, toAddress } from "./form.js";
import { openMap, prepareMap } from "./map.js";
import { isEmpty, LARGEST_UPLOAD, PIXELS } from "./query.js";
import { prepareResults, shown, showRandom, showResults } from "./results.js";
import { allIsWell, ask, complain } from "./server.js";

const statusLine = byId("status", HTMLElement);
const text = byId("text", HTMLInputElement);

let status = /** @type {AppStatus | undefined} */ (undefined);
/** Ends what is under way. */
let running = new AbortController();

/** Takes in how far it is. @param {AppStatus} now @param {AppStatus} [before] */
function collectionChanged(now, before) {
  status = now;
  if (!before) return;
  if (!shown && before.indexed === 0 && now.indexed > 0) random();
  if (shown && now.done && now.indexed > before.indexed) {
    statusLine.textContent =
      "All pictures are indexed now. Search again to include them.";
  }
}

/** @type {Actions} */
const actions = {
  open: (hit, hits) => openDetail(hit, hits, actions.like),
  like(hit) {
    fillForm({
      ...readForm(),
      ...{ text: "", picture: "", like: hit.path, mode: "visual" },
    });
    scrollTo({ top: 0 });
    search();
  },
};

/** Searches for what the form holds, and shows it. */
async function search({ keepAddress = false } = {}) {
  const start = performance.now();
  const query = readForm();
  if (!keepAddress) history.pushState(null, "", toAddress(query));
  if (isEmpty(query)) return await random();
  const signal = nextSignal();
  const spaces = [query.space, ...beside.value ? [beside.value] : []];
  const usesPixels = spaces.includes(PIXELS);
  showAsked(query);
  statusLine.textContent = "Searching …";
  const watch = usesPixels ? setInterval(showPixelProgress, 700, signal) : 0;
  try {
    // Pixels need a picture: where there is none, the best one by words.
    const example = usesPixels && !query.picture && !query.like
      ? await bestByWords(query, signal)
      : undefined;
    const sides = await Promise.all(
      spaces.map((space, i) =>
        ask(i === 0 ? "search" : "compare", {
          ...query,
          space,
          ...space === PIXELS &&
            { like: query.like || example?.path, cut: "none" },
        }, signal)
      ),
    );
    allIsWell();
    byId("start", HTMLDetailsElement).open = false;
    const note = example && beside.value === PIXELS
      ? ` (pixels know no words: nearest to “${titleOf(example)}”)`
      : "";
    await showResults(sides, note, actions, nothingFits);
    if (signal.aborted) return;
    const ms = performance.now() - start;
    document.documentElement.dataset.painted = ms.toFixed(1);
    statusLine.textContent = summary(sides[0], ms);
  } catch (error) {
    if (signal.aborted) return;
    statusLine.textContent = "The search did not work.";
    complain(error);
  } finally {
    clearInterval(watch);
  }
}

/** The nearest picture. @param {SearchQuery} query @param {AbortSignal} signal */
async function bestByWords(query, signal) {
  const byWords = { space: "", metric: "cosine", k: 1, cut: "none" };
  const { hits } = await ask("compare", { ...query, ...byWords }, signal);
  return /** @type {SearchHit | undefined} */ (hits[0]);
}

/** Reading every picture, once, takes a while. @param {AbortSignal} signal */
async function showPixelProgress(signal) {
  const { done, total } = await ask("pixels");
  if (done === total || signal.aborted) return;
  statusLine.textContent = "Reading the pixels of all pictures, once: " +
    `${count(done)} of ${count(total)} …`;
}

/** Ends what is under way; the next thing to do ends by this signal. */
function nextSignal() {
  running.abort();
  running = new AbortController();
  return running.signal;
}

async function random() {
  try {
    const hits = await ask("random", readForm(), nextSignal());
    allIsWell();
    showAsked({});
    showRandom(hits, actions);
    statusLine.textContent = hits.length > 0
      ? `${count(hits.length)} pictures drawn at random`
      : status?.done
      ? "There are no pictures here."
      : "The first pictures come soon.";
  } catch (error) {
    complain(error);
  }
}

/** @param {SearchResult} result */
function nothingFits({ total }) {
  const reason = total > 0
    ? "Nothing here fits: the nearest pictures are no nearer than chance " +
      "would bring them."
    : status?.done
    ? "No picture passes these filters, or none has words to compare with. " +
      "Take a filter away, or search in another mode."
    : "Nothing can be searched yet. Search again in a moment.";
  const showAnyway = button("Show the nearest anyway", () => {
    fillForm({ ...readForm(), cut: "none" });
    search();
  });
  return make(
    "div",
    { className: "empty" },
    make("p", {}, reason),
    total > 0 && showAnyway,
  );
}

/** @param {SearchResult} result @param {number} paintedMs */
function summary({ hits, relevant, total, ms, query }, paintedMs) {
  const all = `${count(total)} pictures`;
  const fits = query.cut === "none"
    ? `The nearest ${count(hits.length)} of ${all}`
    : relevant === 0
    ? `Nothing fits among ${all}`
    : `${count(hits.length)} shown; ${count(relevant)} of ${all} are nearer ` +
      "than chance";
  const pending = status && !status.done
    ? `, ${count(status.total - status.indexed)} not indexed yet`
    : "";
  return `${fits}${pending} (${ms.toFixed(0)} ms, painted after ${
    paintedMs.toFixed(0)
  } ms)`;
}

/** Shows the query's picture in the field. @param {Partial<SearchQuery>} query */
function showAsked({ picture, like }) {
  const chip = byId("asked", HTMLElement);
  chip.hidden = !picture && !like;
  if (chip.hidden) return chip.replaceChildren();
  const image = make("img", {
    src: `uploaded/${picture}`,
    alt: "The query's picture",
  });
  if (like) {
    ask("detail", { path: like })
      .then((hit) => image.replaceWith(thumbnail(hit)), () => {});
  }
  const takeAway = () => {
    fillForm({ ...readForm(), picture: "", like: "" });
    text.focus();
    search();
  };
  const ariaLabel = "Take the query's picture away";
  chip.replaceChildren(image, button("×", takeAway, { ariaLabel }));
}

/** Takes a picture from outside as the query. @param {File} [file] */
async function takePicture(file) {
  if (!file) return;
  try {
    if (file.size > LARGEST_UPLOAD) {
      throw new Error(
        `The picture has ${Math.round(file.size / 1e6)} MB: at most ` +
          `${LARGEST_UPLOAD / 1e6} can be taken.`,
      );
    }
    statusLine.textContent = "Taking the picture …";
    const { picture } = await ask("upload", file);
    fillForm({
      ...readForm(),
      ...{ picture, like: "" },
      ...!text.value && { mode: "visual" },
    });
    await search();
  } catch (error) {
    statusLine.textContent = "The picture was not taken.";
    complain(error);
  }
}

const THEMES = ["", "light", "dark"];

/** @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme", HTMLElement).textContent = `Theme: ${theme || "automatic"}`;
  // A frame may be denied storage: the theme then lasts as long as the page.
  try {
    localStorage.setItem("theme", theme);
  } catch { /* see above */ }
}

function connect() {
  prepareForm();
  prepareResults(search);
  prepareMap();
  form.onsubmit = (event) => {
    event.preventDefault();
    search();
  };
  form.oninput = showKnobs;
  form.onchange = ({ target }) => {
    // The text waits for Enter; what is chosen takes effect at once.
    if (target !== text && target !== file) search();
  };
  byId("random", HTMLElement).onclick = () => {
    const nothing = { text: "", picture: "", like: "", plus: [], minus: [] };
    fillForm({ ...readForm(), ...nothing });
    random();
  };
  const file = byId("file", HTMLInputElement);
  byId("choose", HTMLElement).onclick = () => file.click();
  file.onchange = () => {
    takePicture(file.files?.[0]);
    file.value = "";
  };
  ondragover = (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  };
  ondragleave = () => document.body.classList.remove("dropping");
  ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) takePicture(dropped);
    else complain(new Error("Only a picture's file can be dropped here."));
  };
  addEventListener("paste", ({ clipboardData }) => {
    const files = [...clipboardData?.files ?? []];
    takePicture(files.find(({ type }) => type.startsWith("image/")));
  });
  byId("openMap", HTMLElement).onclick = () =>
    openMap((point) => actions.open(point, [point]));
  byId("theme", HTMLElement).onclick = () => {
    const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "");
    setTheme(THEMES[(now + 1) % THEMES.length]);
  };
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch { /* as above */ }
  setTheme(theme ?? "");
  onpopstate = openAddress;
  // Whoever has the page in a frame cannot look whether it has come.
  addEventListener("message", ({ data, source }) => {
    if (data === "alive?") source?.postMessage("alive", { targetOrigin: "*" });
  });
}

/** Does what the address says. */
async function openAddress() {
  fillFromAddress(location.hash);
  await search({ keepAddress: true });
}

connect();
try {
  await follow(collectionChanged);
  await openAddress();
} catch (error) {
  statusLine.textContent = "The page could not start.";
  complain(error);
}
