/**
 * The collection as a map to wander in: each picture a button at its place, a
 * dot where too many are in sight. The map scrolls in its frame; zooming makes
 * it larger.
 *
 * @module
 */
/** @import { MapPoint } from "../engine/overview.ts" */
import { button, byId, count, thumbnail, titleOf } from "./dom.js";
import { ask, complain } from "./server.js";

/** Pictures shown at once; more of them become dots. */
const MOST_PICTURES = 250;

const MOST_ZOOM = 40;

/** Keys and the directions in which they lead. */
const DIRECTIONS = /** @type {Record<string, [x: number, y: number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});

const dialog = byId("map", HTMLDialogElement);
const frame = byId("mapFrame", HTMLElement);
const map = byId("mapPoints", HTMLElement);
const status = byId("mapStatus", HTMLElement);

let points = /** @type {MapPoint[]} */ ([]);
let chosen = -1;
let zoom = 1;

/** Opens the map. @param {(point: MapPoint) => void} open Opens a picture. */
export async function openMap(open) {
  dialog.showModal();
  status.textContent = "Drawing …";
  try {
    points = await ask("map");
    chosen = -1;
    map.replaceChildren(...points.map((point, i) => {
      const image = Object.assign(thumbnail(point), { loading: "lazy" });
      const place = button("", () => open(point), {
        ...{ className: "point", tabIndex: -1, ariaLabel: titleOf(point) },
        onfocus: () => choose(i),
      }, image);
      place.style.left = `${100 * point.x}%`;
      place.style.top = `${100 * point.y}%`;
      place.style.background = colourOf(point.term);
      return place;
    }));
    zoomTo(1);
    frame.focus();
    status.textContent = `${count(points.length)} pictures`;
  } catch (error) {
    dialog.close();
    complain(error);
  }
}

/** Connects mouse and keyboard; once. */
export function prepareMap() {
  byId("closeMap", HTMLButtonElement).onclick = () => dialog.close();
  let dragged = 0;
  frame.onpointerdown = () => dragged = 0;
  frame.onpointermove = ({ buttons, movementX, movementY, pointerType }) => {
    // Fingers scroll by themselves.
    if (buttons === 0 || pointerType !== "mouse") return;
    frame.scrollBy(-movementX, -movementY);
    dragged += Math.abs(movementX) + Math.abs(movementY);
  };
  // What lies where a drag ends is not opened.
  frame.addEventListener("click", (event) => {
    if (dragged > 5) event.stopPropagation();
    dragged = 0;
  }, { capture: true });
  frame.onwheel = (event) => {
    event.preventDefault();
    zoomTo(event.deltaY < 0 ? zoom * 1.2 : zoom / 1.2);
  };
  frame.onkeydown = (event) => {
    const { key } = event;
    if (key in DIRECTIONS) wander(DIRECTIONS[key]);
    else if (key === "+" || key === "=") zoomTo(zoom * 1.3);
    else if (key === "-") zoomTo(zoom / 1.3);
    else return;
    event.preventDefault();
  };
}

/** Zooms about what is chosen, or about the middle. @param {number} wanted */
function zoomTo(wanted) {
  const { clientWidth, clientHeight, scrollLeft, scrollTop } = frame;
  const { x, y } = points[chosen] ?? {
    x: (scrollLeft + clientWidth / 2) / map.clientWidth,
    y: (scrollTop + clientHeight / 2) / map.clientHeight,
  };
  const left = x * map.clientWidth - scrollLeft;
  const top = y * map.clientHeight - scrollTop;
  zoom = Math.min(MOST_ZOOM, Math.max(1, wanted));
  const inSight = points.length / zoom ** 2;
  const room = Math.sqrt(clientWidth * clientHeight / (3 * inSight));
  map.style.width = map.style.height = `${100 * zoom}%`;
  map.style.setProperty("--side", `${Math.min(96, Math.max(40, room))}px`);
  map.classList.toggle("dots", inSight > MOST_PICTURES);
  frame.scrollTo(x * map.clientWidth - left, y * map.clientHeight - top);
}

/** To the nearest picture in a direction. @param {[x: number, y: number]} direction */
function wander([dx, dy]) {
  const from = points[chosen] ?? { x: 0.5, y: 0.5 };
  let nearest = -1, least = Infinity;
  points.forEach((point, i) => {
    const x = point.x - from.x, y = point.y - from.y;
    const along = x * dx + y * dy, across = Math.abs(x * dy + y * dx);
    if (i === chosen || along <= 0 || across > along * 1.5) return;
    if (along + 2 * across < least) [nearest, least] = [i, along + 2 * across];
  });
  const place = map.children[nearest];
  if (place instanceof HTMLElement) place.focus();
}

/** @param {number} index */
function choose(index) {
  chosen = index;
  const { term } = points[index];
  status.textContent = [titleOf(points[index]), term].filter(Boolean).join(
    " · ",
  );
}

/** One for each term, good in both themes. @param {string} term */
function colourOf(term) {
  let hash = 0;
  for (const letter of term) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return `hsl(${hash} 60% 50%)`;
}
