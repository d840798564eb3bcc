/**
 * The whole collection as a map to wander in: pictures that look alike lie near
 * one another.
 *
 * @module
 */
/** @import { MapPoint } from "../engine/overview.ts" */
/** @import { SearchHit } from "../engine/search_result.ts" */
/** @import { Actions } from "./light_box.js" */
/** @import { Placed, Scene } from "./map_drawing.js" */
import { button, count, make, titleOf } from "./dom.js";
import { openLayer } from "./layers.js";
import { openLightBox } from "./light_box.js";
import {
  drawDots,
  drawPictures,
  GLYPHS,
  MARGIN,
  projection,
} from "./map_drawing.js";
import { Thumbnails } from "./map_thumbnails.js";
import { panZoom } from "./pan_zoom.js";
import { PointGrid } from "./point_grid.js";
import { ask, complain } from "./server.js";

/** Terms with a colour of their own: the most frequent ones. */
const TERMS = 9;

/** How far a pointer reaches for a picture, CSS pixels. */
const REACH = 14;

/** Pictures that the light box leafs through, from one on the map. */
const AROUND = 200;

/** Keys and the directions in which they lead. */
const DIRECTIONS = /** @type {Record<string, [x: number, y: number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});

const HELP =
  "Pictures that look alike lie near one another. Drag to move, + − and the " +
  "wheel zoom; the arrow keys go to the nearest picture, Enter opens it.";

const dots = make("canvas", { ariaHidden: "true" });
const pictures = make("canvas", { ariaHidden: "true" });
const frame = make(
  "div",
  { id: "mapFrame", tabIndex: 0, role: "group", ariaLabel: "Map" },
  dots,
  pictures,
);
frame.setAttribute("aria-describedby", "mapHelp");
const legend = make("ul", { id: "mapLegend", ariaLabel: "Terms" });
const status = make("p", { id: "mapStatus", role: "status" });
const dialog = make(
  "dialog",
  { id: "mapBox", ariaLabel: "Map of the collection" },
  make(
    "div",
    { className: "top" },
    make("h2", {}, "Map"),
    make("p", { id: "mapHelp", className: "soft" }, HELP),
    button("−", () => zoom(1 / 1.5), { ariaLabel: "Smaller", title: "−" }),
    button("+", () => zoom(1.5), { ariaLabel: "Larger", title: "+" }),
    button("Close", () => dialog.close()),
  ),
  frame,
  legend,
  status,
);
document.body.append(dialog);

let points = /** @type {MapPoint[]} */ ([]);
/** Paths of the results on show, which are marked. */
let results = /** @type {Set<string>} */ (new Set());
let actions = /** @type {Actions} */ ({});
let scene = /** @type {Scene | undefined} */ (undefined);
/** Pictures as they are drawn just now. */
let placed = /** @type {Placed[]} */ ([]);
let asking = new AbortController();
let frameAsked = 0;
let areDotsStale = true;

const thumbnails = new Thumbnails(redrawPictures);
const view = panZoom(frame, {
  most: 500,
  changed: redraw,
  size: () => ({
    width: frame.clientWidth + 2 * MARGIN * (1 / view.view.scale - 1),
    height: frame.clientHeight + 2 * MARGIN * (1 / view.view.scale - 1),
  }),
  tapped: (x, y) => open(pick(x, y)),
});
new ResizeObserver(view.settle).observe(frame);
for (const kind of ["prefers-color-scheme: dark", "forced-colors: active"]) {
  matchMedia(`(${kind})`).addEventListener("change", () => {
    if (scene) Object.assign(scene, coloursNow());
    redraw();
  });
}

/**
 * Opens the map.
 *
 * @param {Actions} reader
 * @param {Set<string>} shownPaths The results on show, which are marked.
 */
export async function openMap(reader, shownPaths) {
  actions = reader;
  openLayer(dialog);
  frame.focus();
  status.textContent = "Drawing …";
  asking = new AbortController();
  const { signal } = asking;
  try {
    const found = await ask("map", {}, signal);
    if (signal.aborted) return;
    results = shownPaths;
    place(found);
    view.reset();
    status.textContent = points.length === 0
      ? "There are no pictures here yet."
      : summary();
  } catch (error) {
    if (signal.aborted) return;
    dialog.close();
    complain(error);
  }
}

/** Places these points, and no others. @param {MapPoint[]} found */
function place(found) {
  points = found;
  const xs = Float32Array.from(points, ({ x }) => x);
  const ys = Float32Array.from(points, ({ y }) => y);
  const marked = points.flatMap(({ path }, i) => results.has(path) ? [i] : []);
  const groups = drawLegend();
  scene = {
    ...{ xs, ys, groups, marked, grid: new PointGrid(xs, ys) },
    ...{ highlighted: new Set(), chosen: -1, hovered: -1 },
    ...coloursNow(),
    want: (indices) => thumbnails.want(indices.map((i) => points[i].id)),
    thumbnail: (i) => thumbnails.get(points[i].id),
  };
  redraw();
}

dialog.onclose = () => {
  asking.abort();
  scene = undefined;
  points = placed = [];
  thumbnails.clear();
};

function summary() {
  const { length } = scene?.marked ?? [];
  const results = length === 1 ? "1 result" : `${count(length)} results`;
  return (points.length === 1
    ? "1 picture"
    : `${count(points.length)} pictures`) +
    (length > 0 ? `, ${results} marked` : "");
}

/** Draws all anew. */
function redraw() {
  areDotsStale = true;
  redrawPictures();
}

/** Draws once before the next frame, however often it is asked. */
function redrawPictures() {
  cancelAnimationFrame(frameAsked);
  frameAsked = requestAnimationFrame(() => {
    if (!scene || frame.clientWidth === 0) return;
    const place = projection(frame, view.view);
    if (areDotsStale) drawDots(dots, place, scene);
    areDotsStale = false;
    placed = drawPictures(pictures, place, scene);
  });
}

/**
 * Lists the most frequent terms.
 *
 * @returns Which entry each point belongs to; those after the last have none of
 *   their own.
 */
function drawLegend() {
  const counts = /** @type {Map<string, number>} */ (new Map());
  for (const { term } of points) counts.set(term, (counts.get(term) ?? 0) + 1);
  const terms = [...counts].filter(([term]) => term !== "")
    .sort(([, a], [, b]) => b - a).slice(0, TERMS);
  const places = new Map(terms.map(([term], place) => [term, place]));
  const rest = points.length - terms.reduce((sum, [, n]) => sum + n, 0);
  const entries = rest > 0 && terms.length > 0
    ? [...terms, /** @type {const} */ (["others", rest])]
    : terms;
  legend.replaceChildren(...entries.map(([term, n], place) => {
    const group = place < terms.length ? place : TERMS;
    const glyph = group === TERMS ? "•" : GLYPHS[group % GLYPHS.length];
    const mark = make("span", { className: `term term${group}` }, glyph);
    mark.ariaHidden = "true";
    const entry = button(
      "",
      () => highlight(group, entry),
      {
        ariaPressed: "false",
      },
      mark,
      make("bdi", {}, term),
      " ",
      make("small", {}, count(n)),
    );
    return make("li", {}, entry);
  }));
  return Uint8Array.from(points, ({ term }) => places.get(term) ?? TERMS);
}

/** Shows one term among the others, or no longer. @param {number} group @param {HTMLElement} entry */
function highlight(group, entry) {
  if (!scene) return;
  const { highlighted } = scene;
  if (!highlighted.delete(group)) highlighted.add(group);
  entry.ariaPressed = `${highlighted.has(group)}`;
  redraw();
}

/** The colours that the style sheet has just now. */
function coloursNow() {
  const probe = make("span", {});
  dialog.append(probe);
  /** @param {string} className */
  const colourOf = (className) => {
    probe.className = className;
    return getComputedStyle(probe).color;
  };
  const colours = Array.from(
    { length: TERMS + 1 },
    (_, group) => colourOf(`term term${group}`),
  );
  const [faint, ink, paper, accent] = [
    "mapFaint",
    "mapInk",
    "mapPaper",
    "mapAccent",
  ].map(colourOf);
  probe.remove();
  return { colours, faint, ink, paper, accent };
}

/** The picture at a place of the frame; -1 if there is none. @param {number} x @param {number} y */
function pick(x, y) {
  if (!scene) return -1;
  const picture = placed.findLast((one) =>
    x >= one.x && x <= one.x + one.width &&
    y >= one.y && y <= one.y + one.height
  );
  if (picture) return picture.index;
  const { left, top, width, height } = projection(frame, view.view);
  return scene.grid.nearest(
    (x - left) / width,
    (y - top) / height,
    REACH / width,
    REACH / height,
  );
}

/** Opens a picture above the map. @param {number} index */
function open(index) {
  if (!scene || index < 0) return;
  choose(index);
  let listed = scene.grid.around(index, AROUND).map((i) => points[i]);
  const hits = {
    length: () => listed.length,
    at: /** @param {number} place */ (place) =>
      Promise.resolve(listed[place] && hitOf(listed[place])),
  };
  openLightBox(hits, 0, {
    ...actions,
    async hide(hit) {
      const before = { points, listed };
      const { said, undo } = await actions.hide(hit);
      const isKept = (/** @type {MapPoint} */ { path }) => path !== hit.path;
      listed = listed.filter(isKept);
      place(points.filter(isKept));
      const takeBack = async () => {
        await undo();
        listed = before.listed;
        place(before.points);
      };
      return { said, undo: takeBack };
    },
    focusTile(place) {
      choose(points.indexOf(listed[place]));
      frame.focus();
    },
  });
}

/** A point as a hit: what is not known of it is asked for later. @param {MapPoint} point @returns {SearchHit} */
function hitOf(point) {
  const nothing = { caption: "", category: "", author: "", license: "" };
  const unknown = { page: "", url: "", date: "", camera: "" };
  const numbers = { value: 0, width: 0, height: 0, fits: true };
  return { ...nothing, ...unknown, ...numbers, copies: [], ...point };
}

/** Chooses a picture, and brings it into sight. @param {number} index */
function choose(index) {
  if (!scene || index < 0) return;
  scene.chosen = index;
  scene.hovered = -1;
  name(index);
  const { left, top, width, height } = projection(frame, view.view);
  const x = left + scene.xs[index] * width, y = top + scene.ys[index] * height;
  /** How far it is out of sight. @param {number} at @param {number} room */
  const beyond = (at, room) =>
    Math.min(0, room - MARGIN - at) + Math.max(0, MARGIN - at);
  view.moveBy(beyond(x, frame.clientWidth), beyond(y, frame.clientHeight));
}

/** Says which picture that is. @param {number} index */
function name(index) {
  const { term } = points[index];
  const title = titleOf(hitOf(points[index]));
  const mark = scene?.marked.includes(index) && "among the results";
  // Each as it is written: from left to right, or from right to left.
  status.replaceChildren(
    ...[title, term, mark].flatMap((part, i) =>
      part ? [i > 0 ? " · " : "", make("bdi", {}, part)] : []
    ),
  );
}

/** To the nearest picture in a direction. @param {[x: number, y: number]} direction */
function wander([dx, dy]) {
  if (!scene || points.length === 0) return;
  const { xs, ys, chosen, highlighted, groups } = scene;
  const { left, top, width, height } = projection(frame, view.view);
  // From what is chosen, else from the middle of what is in sight.
  const fromX = xs[chosen] ?? (frame.clientWidth / 2 - left) / width;
  const fromY = ys[chosen] ?? (frame.clientHeight / 2 - top) / height;
  let nearest = -1, least = Infinity;
  for (let i = 0; i < xs.length; i++) {
    if (highlighted.size > 0 && !highlighted.has(groups[i])) continue;
    const x = (xs[i] - fromX) * width, y = (ys[i] - fromY) * height;
    const along = x * dx + y * dy, across = Math.abs(x * dy + y * dx);
    // Of pictures at one place, right and down lead to those that come later.
    const isBeneath = along === 0 && across === 0 &&
      (dx + dy > 0 ? i > chosen : i < chosen);
    if (i === chosen || !isBeneath && (along <= 0 || across > along * 1.5)) {
      continue;
    }
    const cost = along + 2 * across;
    if (cost < least || cost === least && dx + dy < 0) {
      [nearest, least] = [i, cost];
    }
  }
  if (nearest >= 0) choose(nearest);
}

/** Zooms about what is chosen, or about the middle. @param {number} factor */
function zoom(factor) {
  if (!scene) return;
  const { clientWidth, clientHeight } = frame;
  const { left, top, width, height } = projection(frame, view.view);
  const { xs, ys, chosen } = scene;
  view.zoomBy(
    factor,
    chosen < 0 ? undefined : {
      x: left + xs[chosen] * width - clientWidth / 2,
      y: top + ys[chosen] * height - clientHeight / 2,
    },
  );
}

frame.addEventListener(
  "pointermove",
  ({ buttons, pointerType, offsetX, offsetY }) => {
    if (!scene || buttons > 0 || pointerType !== "mouse") return;
    const index = pick(offsetX, offsetY);
    if (index === scene.hovered) return;
    scene.hovered = index;
    frame.classList.toggle("overPicture", index >= 0);
    if (index >= 0) name(index);
    redrawPictures();
  },
);
frame.onpointerleave = () => {
  if (scene) scene.hovered = -1;
  redrawPictures();
};
dialog.onkeydown = /** @param {KeyboardEvent} event */ (event) => {
  const { key, target, ctrlKey, altKey, metaKey } = event;
  if (ctrlKey || altKey || metaKey) return;
  if (key in DIRECTIONS) {
    frame.focus();
    wander(DIRECTIONS[key]);
  } else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(1 / 1.5);
  else if (key === "0") view.reset();
  else if (key === "Enter" && target === frame && scene) open(scene.chosen);
  else return;
  event.preventDefault();
  event.stopPropagation();
};
