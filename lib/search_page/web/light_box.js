/**
 * One picture, as large as the window allows: the pictures before and after it,
 * enlarging, and a drawer with all that is known of it.
 *
 * @module
 */
/** @import { PictureDetail } from "../engine/overview.ts" */
/** @import { SearchHit } from "../engine/search_result.ts" */
/** @import { Done } from "./grid.js" */
import { button, count, make, titleOf } from "./dom.js";
import { drawer } from "./drawer.js";
import { closeLayer, leaveLayers, openLayer } from "./layers.js";
import { panZoom } from "./pan_zoom.js";
import { isSelected } from "./selection.js";
import { ask, Unanswered } from "./server.js";

/**
 * Pictures to leaf through; those beyond the first page are fetched as they are
 * asked for.
 *
 * @typedef {object} Hits
 * @property {() => number} length
 * @property {(index: number) => Promise<SearchHit | undefined>} at
 */

/**
 * What a reader can do with a picture.
 *
 * @typedef {object} Actions
 * @property {(hit: SearchHit) => unknown} like
 * @property {(hit: SearchHit) => unknown} unlike
 * @property {(hit: SearchHit) => unknown} select
 * @property {(hit: SearchHit) => Promise<Done>} hide Or show again, if it is hidden.
 * @property {(hit: SearchHit) => boolean} isHidden
 * @property {(index: number) => void} focusTile Called when the box closes, with
 *   the picture that was shown last.
 */

export { closeLayer as closeLightBox };

/** What is said of a picture that was deleted meanwhile. */
const GONE = "This picture is no longer in the collection.";

/** Milliseconds that a picture is shown before the drawer asks for its facts. */
const SETTLED_MS = 120;

/** How far the shown pixels may be drawn out before more are fetched. */
const SHARP_ENOUGH = 1.1;

/** Large pictures that are kept on either side of the one shown. */
const NEIGHBOURS = 1;

/** CSS pixels that a finger draws a picture aside to leaf on. */
const SWIPE = 60;

/** How far a picture is looked for where others have come or gone before it. */
const SHIFT = 60;

let actions = /** @type {Actions} */ ({});
/**
 * Pictures that are leafed through, and where.
 *
 * @typedef {object} Spot
 * @property {Hits} hits
 * @property {number} index
 * @property {SearchHit} [hit] The picture there.
 * @property {boolean} [isGone] Whether it has left the list: the next one lies
 *   at `index` already.
 */

/** What is leafed through; below it, what Back in the box leads to. */
let trail = /** @type {Spot[]} */ ([]);
let shown = /** @type {SearchHit | undefined} */ (undefined);
let isLeaving = false;
let asking = new AbortController();

/** Large pictures by id, the one shown and its neighbours. */
const pictures = /** @type {Map<number, HTMLImageElement>} */ (new Map());

const stage = make("div", { className: "stage", tabIndex: -1 });
const place = make("span", { className: "place" });
const name = make("span", { className: "name", dir: "auto" });
const doubt = make("span", { className: "doubt" });
const mark = make("span", { className: "mark" });
const message = make("p", { className: "message", role: "alert" });
const facts = make("aside", {
  ariaLabel: "About this picture",
  hidden: true,
  tabIndex: 0,
});

/** @param {string} text @param {string} ariaLabel @param {() => void} act */
const tool = (text, ariaLabel, act, className = "") =>
  button(text, act, { ariaLabel, title: ariaLabel, className });
const wayBack = button("", stepBack, {
  className: "wayBack",
  dir: "auto",
  hidden: true,
});
const previous = tool("‹", "Previous picture", () => leaf(-1), "side previous");
const next = tool("›", "Next picture", () => leaf(1), "side next");
const info = button("Info", toggleFacts, {
  title: "About this picture (i)",
  ariaExpanded: "false",
});
const likeButton = button("More like this", () => leaveFor(actions.like));

const dialog = make(
  "dialog",
  { id: "lightBox", ariaLabel: "Picture" },
  make(
    "div",
    { className: "top" },
    wayBack,
    make("p", { role: "status" }, place, doubt, mark, name),
    likeButton,
    tool("−", "Smaller", () => zoom.zoomBy(1 / 1.5), "zoom"),
    tool("+", "Larger", () => zoom.zoomBy(1.5), "zoom"),
    info,
    tool("×", "Close", () => dialog.close(), "close"),
  ),
  stage,
  previous,
  next,
  message,
  facts,
);
document.body.append(dialog);

const zoom = panZoom(stage, {
  // So far that each pixel can be seen, of long pictures too.
  get most() {
    const { width } = fittedSize();
    return Math.max(24, 2 * (shown?.width ?? 0) / width);
  },
  doubles: true,
  size: fittedSize,
  changed: moved,
  swiped(dx, ended) {
    const image = stage.querySelector("img");
    if (image) image.style.translate = ended ? "" : `${dx}px`;
    if (ended && Math.abs(dx) > SWIPE) leaf(dx < 0 ? 1 : -1);
  },
});
new ResizeObserver(zoom.settle).observe(stage);

/**
 * Opens a picture.
 *
 * @param {Hits} hits The pictures to leaf through.
 * @param {number} index Where among them it lies, from 0.
 * @param {Actions} reader
 */
export function openLightBox(hits, index, reader) {
  actions = reader;
  trail = [{ hits, index }];
  isLeaving = false;
  openLayer(dialog);
  stage.focus();
  show();
}

dialog.onclose = async () => {
  const [lowest] = trail;
  asking.abort();
  pictures.clear();
  stage.replaceChildren();
  if (isLeaving) return;
  actions.focusTile((await placeIn(lowest))?.index ?? lowest.index);
};

/** Shows the picture at the trail's end. */
async function show() {
  const here = trail[trail.length - 1];
  const { hits, index } = here;
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  say("");
  // Until it is known: whoever closes the box now is led to the place.
  here.hit = undefined;
  here.isGone = false;
  const below = trail.at(-2)?.hit;
  wayBack.hidden = trail.length === 1;
  wayBack.textContent = `‹ ${below ? titleOf(below) : ""}`;
  showPlace();
  let reason = GONE;
  const hit = await hits.at(index).catch((error) => {
    reason = error.message;
    return undefined;
  });
  if (signal.aborted) return;
  shown = here.hit = hit;
  name.textContent = hit ? titleOf(hit) : "";
  doubt.textContent = hit && !hit.fits ? "may not fit" : "";
  showSelected();
  facts.replaceChildren();
  // The list was announced longer than it is: its end is known by now.
  if (!hit && index >= hits.length() && hits.length() > 0) {
    here.index = hits.length() - 1;
    return await show();
  }
  if (!hit) {
    stage.replaceChildren(make("p", { className: "empty" }, reason));
    return keepFocus();
  }
  stage.replaceChildren(pictureOf(hit));
  zoom.reset();
  keepFocus();
  showFacts(hit, signal);
  await preload(hits, index, signal);
  if (!signal.aborted) showPlace();
}

/** Says which of how many it is, and whether there is one before and after. */
function showPlace() {
  const { hits, index, isGone } = trail[trail.length - 1];
  const length = hits.length();
  place.textContent = isGone ? "" : `${count(index + 1)} of ${count(length)}`;
  // Only said to be disabled: a disabled button would lose the focus.
  previous.ariaDisabled = `${index === 0}`;
  next.ariaDisabled = `${index + (isGone ? 0 : 1) >= length}`;
}

/**
 * Looks where the picture lies once the list has changed: others came or went
 * before it, or it has gone itself.
 */
export async function followList() {
  const here = trail.at(-1);
  if (!dialog.open || !here?.hit || here.isGone) return;
  const { hit } = here;
  const { signal } = asking;
  const found = await placeIn(here);
  const isStill = await fetch(`thumbnail/${hit.id}`, { cache: "no-store" })
    .then(({ status }) => status !== 404, () => true);
  if (signal.aborted) return;
  if (found) here.index = found.index;
  // Its file has become another picture.
  if (found && found.hit.id !== hit.id) return await show();
  here.isGone = !found;
  showPlace();
  if (!isStill) say(GONE);
}

/** Where a spot's picture lies by now, if it does near by. @param {Spot} spot */
async function placeIn({ hits, index, hit }) {
  if (!hit) return undefined;
  for (let away = 0; away <= SHIFT; away++) {
    for (const at of away > 0 ? [index - away, index + away] : [index]) {
      if (at < 0 || at >= hits.length()) continue;
      const one = await hits.at(at).catch(() => undefined);
      if (one && one.path === hit.path) return { index: at, hit: one };
    }
  }
}

/** Makes the neighbours ready, and lets go of those far away. @param {Hits} hits @param {number} index @param {AbortSignal} signal */
async function preload(hits, index, signal) {
  const near = new Set([shown?.id]);
  for (let step = 1; step <= NEIGHBOURS; step++) {
    for (const other of [index + step, index - step]) {
      if (other < 0 || other >= hits.length()) continue;
      const hit = await hits.at(other).catch(() => undefined);
      if (signal.aborted) return;
      if (hit) pictureOf(hit);
      near.add(hit?.id);
    }
  }
  for (const id of pictures.keys()) if (!near.has(id)) pictures.delete(id);
}

/** The large picture, which may be on its way. @param {SearchHit} hit */
function pictureOf(hit) {
  const known = pictures.get(hit.id);
  if (known) return known;
  const image = make("img", {
    alt: hit.caption || titleOf(hit),
    draggable: false,
    src: `picture/${hit.id}`,
    onload() {
      image.style.background = "";
      sharpen();
    },
    async onerror() {
      // The file is to blame only where the server answers.
      const reason = await ask("status").then(
        () => "This picture's file is gone, or can no longer be read.",
        (error) => error.message,
      );
      image.replaceWith(make("p", { className: "empty" }, reason));
      pictures.delete(hit.id);
    },
  });
  // Something to see until the large one has come: the square in its middle.
  const { width, height } = hit;
  const short = 100 * Math.min(width, height);
  if (short > 0) {
    image.style.background = `url("thumbnail/${hit.id}") center / min(${
      short / width
    }cqw, ${short / height}cqh) auto no-repeat`;
  }
  pictures.set(hit.id, image);
  return image;
}

/** Fetches the picture with all its pixels, where it is drawn larger than it has come. */
async function sharpen() {
  const image = stage.querySelector("img"), hit = shown;
  if (!image?.naturalWidth || !hit || image.src.includes("whole/")) return;
  const width = fittedSize().width * zoom.view.scale * devicePixelRatio;
  const isSharp = width <= SHARP_ENOUGH * image.naturalWidth;
  if (isSharp || hit.width <= image.naturalWidth || "waits" in image.dataset) {
    return;
  }
  image.dataset.waits = "";
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  if (stage.contains(image)) {
    const whole = make("img", { src: `whole/${hit.id}` });
    // Where it does not come, the one on show stays.
    const hasCome = await whole.decode().then(() => true, () => false);
    if (hasCome && stage.contains(image)) image.src = whole.src;
  }
  delete image.dataset.waits;
}

/** The picture's size as it fits on the stage. */
function fittedSize() {
  const image = stage.querySelector("img");
  const { clientWidth, clientHeight } = stage;
  if (!image?.naturalWidth) return { width: clientWidth, height: clientHeight };
  const { naturalWidth, naturalHeight } = image;
  const fit = Math.min(
    clientWidth / naturalWidth,
    clientHeight / naturalHeight,
  );
  return { width: naturalWidth * fit, height: naturalHeight * fit };
}

function moved() {
  const image = stage.querySelector("img");
  if (!image) return;
  const { scale, x, y } = zoom.view;
  image.style.transform = scale === 1
    ? ""
    : `translate(${x}px, ${y}px) scale(${scale})`;
  stage.classList.toggle("enlarged", scale > 1);
  sharpen();
}

/** To the picture before or after. @param {number} step */
function leaf(step) {
  const here = trail[trail.length - 1];
  const to = here.index + (here.isGone && step > 0 ? step - 1 : step);
  if (to < 0 || to >= here.hits.length()) return;
  here.index = to;
  show();
}

/** Opens other pictures over these. @param {SearchHit[]} found @param {number} index */
function openFound(found, index) {
  const at = /** @param {number} place */ (place) =>
    Promise.resolve(found[place]);
  trail.push({ hits: { length: () => found.length, at }, index });
  stage.focus();
  show();
}

/** Back to the picture from which others were opened. */
async function stepBack() {
  if (trail.length === 1) return;
  trail.pop();
  stage.focus();
  const here = trail[trail.length - 1];
  here.index = (await placeIn(here))?.index ?? here.index;
  show();
}

function toggleFacts() {
  facts.hidden = !facts.hidden;
  info.ariaExpanded = `${!facts.hidden}`;
  // The drawer has one too.
  likeButton.hidden = !facts.hidden;
  keepFocus();
  if (shown) showFacts(shown, asking.signal);
}

/** Fills the drawer, if it is open. @param {SearchHit} hit @param {AbortSignal} signal */
async function showFacts(hit, signal) {
  if (facts.hidden) return;
  /** @param {Partial<PictureDetail>} detail */
  const fill = (detail) => {
    facts.replaceChildren(drawer({ ...hit, ...detail }, {
      ...{ open: openFound, say, select, hide },
      isHidden: actions.isHidden(hit),
      like: () => leaveFor(actions.like),
      unlike: () => leaveFor(actions.unlike),
    }));
    keepFocus();
  };
  fill({});
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  if (signal.aborted) return;
  try {
    const detail = await ask("detail", { path: hit.path }, signal);
    if (!signal.aborted) fill(detail);
  } catch (error) {
    if (signal.aborted) return;
    const reason = /** @type {Error} */ (error).message;
    if (error instanceof Unanswered) return say(reason);
    // Nothing more is known of it, and nothing can be done with it.
    facts.replaceChildren(make("p", {}, reason));
  }
}

/** Closes everything, then does something. @param {(hit: SearchHit) => unknown} act */
async function leaveFor(act) {
  if (!shown) return;
  const hit = shown;
  isLeaving = true;
  await leaveLayers();
  act(hit);
}

/** Selects the picture, or no longer. */
function select() {
  if (!shown) return;
  actions.select(shown);
  showSelected();
}

function showSelected() {
  const isOn = shown !== undefined && isSelected(shown.path);
  mark.textContent = isOn ? "✓ Selected" : "";
  const own = facts.querySelector("[aria-pressed]");
  if (own) own.ariaPressed = `${isOn}`;
}

/** Hides the picture, or shows it again, and goes on to the next. */
async function hide() {
  if (!shown) return;
  const { path } = shown;
  const here = trail[trail.length - 1];
  const before = { ...here };
  try {
    const { said, undo } = await actions.hide(shown);
    // The list may have closed the gap already.
    const now = await here.hits.at(here.index).catch(() => undefined);
    if (now?.path === path) here.hits = without(here.hits, here.index);
    const length = here.hits.length();
    if (length === 0) return dialog.close();
    here.index = Math.min(here.index, length - 1);
    show();
    const takeBack = async () => {
      await undo();
      Object.assign(here, before);
      stage.focus();
      await show();
    };
    message.replaceChildren(
      `${said} `,
      button("Undo", () => takeBack().catch(({ message }) => say(message))),
    );
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  }
}

/** The list without one of its pictures. @param {Hits} hits @param {number} gone @returns {Hits} */
const without = (hits, gone) => ({
  length: () => hits.length() - 1,
  at: (index) => hits.at(index < gone ? index : index + 1),
});

/** Says something in the box: the page's own messages lie below it. @param {string} text */
function say(text) {
  message.textContent = text;
}

/** Whatever was replaced may have had the focus. */
function keepFocus() {
  if (!dialog.contains(document.activeElement)) stage.focus();
}

/** @type {Record<string, () => unknown>} */
const KEYS = {
  ArrowLeft: () => leaf(-1),
  ArrowRight: () => leaf(1),
  Backspace: stepBack,
  "+": () => zoom.zoomBy(1.5),
  "=": () => zoom.zoomBy(1.5),
  "-": () => zoom.zoomBy(1 / 1.5),
  0: () => zoom.reset(),
  i: toggleFacts,
  l: () => leaveFor(actions.like),
  n: () => leaveFor(actions.unlike),
  x: select,
  h: hide,
};

/** With Shift, the arrows move what is enlarged. @type {typeof KEYS} */
const SHIFT_KEYS = {
  ArrowLeft: () => zoom.moveBy(80, 0),
  ArrowRight: () => zoom.moveBy(-80, 0),
  ArrowUp: () => zoom.moveBy(0, 80),
  ArrowDown: () => zoom.moveBy(0, -80),
};

dialog.onkeydown = /** @param {KeyboardEvent} event */ (event) => {
  const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
  const act = (shiftKey && SHIFT_KEYS[key]) || KEYS[key];
  // What the browser does with Ctrl and the like is left to it.
  if (!act || ctrlKey || altKey || metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  act();
};
