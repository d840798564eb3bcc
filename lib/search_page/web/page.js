/**
 * The search page: connects the form, the address, the server and the results.
 *
 * @module
 */
import { allIsWell, ask, byId, complain, count, make, titleOf } from "./dom.js";
import { openDetail } from "./detail.js";
import { clearSelection, grid, painted } from "./grid.js";
import { openMap, prepareMap } from "./map.js";
import { prepareSaving } from "./save.js";
import { prepareCut, showScores } from "./scores.js";
import { follow } from "./start.js";
import {
  asked,
  fillForm,
  fromHash,
  isEmpty,
  readForm,
  showKnobs,
  toHash,
} from "./state.js";

const PIXELS = "pixels";

let defaults, status, shown, running;

/** Takes in how far the collection is. */
function collectionChanged(now, before) {
  status = now;
  defaults = { ...now.defaults, text: "", picture: "", like: "" };
  if (!before) return;
  if (!shown && before.indexed === 0 && now.indexed > 0) random();
  if (shown && now.done && now.indexed > before.indexed) {
    byId("status").textContent =
      "All pictures are indexed now. Search again to include them.";
  }
}

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
  if (!keepAddress) history.pushState(null, "", toHash(query, defaults));
  if (isEmpty(query)) return await random();
  const signal = nextSignal();
  showAsked(query);
  byId("status").textContent = "Searching …";
  const watch = usesPixels(query) ? setInterval(showPixelProgress, 700) : 0;
  try {
    // Pixels need a picture: where there is none, the best find by words.
    const needsFirst = !query.picture && !query.like && usesPixels(query);
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
    if (signal.aborted) return;
    const ms = performance.now() - start;
    document.documentElement.dataset.painted = ms.toFixed(1);
    byId("status").textContent = summary(result, ms);
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("status").textContent = "The search did not work.";
    complain(error);
  } finally {
    clearInterval(watch);
  }
}

const usesPixels = ({ space }) => [space, asked.beside].includes(PIXELS);

/** The first comparison of pixels reads every picture: said while it lasts. */
async function showPixelProgress() {
  const { done, total } = await ask("pixels");
  if (done < total && running) {
    byId("status").textContent = `Reading the pixels of all pictures, once: ${
      count(done)
    } of ${count(total)} …`;
  }
}

/** The settings with which words can be searched for. */
const onEncoder = () => ({ space: "", metric: "cosine" });

/** Ends what is under way; the next thing to do ends by this signal. */
function nextSignal() {
  running?.abort();
  running = new AbortController();
  return running.signal;
}

async function random() {
  try {
    const hits = await ask("random", readForm(), nextSignal());
    allIsWell();
    shown = undefined;
    byId("scores").hidden = byId("tools").hidden = true;
    showAsked({});
    const section = make(
      "section",
      {},
      make("h2", { className: "unseen" }, "Random pictures"),
      grid(hits, act),
    );
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
  byId("start").open = false;
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
    make(
      "h2",
      { className: heading ? "" : "unseen" },
      heading || "Results",
    ),
    content,
  );
}

function nothingFits({ total }) {
  if (total === 0 && !status.done) {
    return make(
      "p",
      { className: "empty" },
      "Nothing can be searched yet. Search again in a moment.",
    );
  }
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
    } pictures are nearer than chance`;
  const pending = status && !status.done
    ? `, ${count(status.total - status.indexed)} not indexed yet`
    : "";
  return `${fits.charAt(0).toUpperCase()}${fits.slice(1)}${pending} (${
    ms.toFixed(0)
  } ms, painted after ${paintedMs.toFixed(0)} ms)`;
}

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
  prepareCut(search);
  byId("clear").onclick = clearSelection;
  prepareSaving(() => shown, () => defaults);
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
  await follow(collectionChanged);
  await openAddress();
} catch (error) {
  byId("status").textContent = "The page could not start.";
  complain(error);
}
