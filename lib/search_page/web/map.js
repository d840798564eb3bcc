/**
 * The collection as a map to wander in, drawn on a canvas: small pictures where
 * there is room for them, dots where there is not.
 *
 * @module
 */
import { ask, byId, complain, count, titleOf } from "./dom.js";
import { thumbnail } from "./grid.js";

/** Pictures drawn at once; more of them become dots. */
const MOST_PICTURES = 250;

const view = { points: [], x: 0, y: 0, zoom: 1, here: -1, open: () => {} };
const images = new Map();

/** Opens the map. @param open Called with the picture that the reader chooses. */
export async function openMap(open) {
  view.open = open;
  const dialog = byId("map");
  dialog.showModal();
  byId("mapStatus").textContent = "Drawing …";
  try {
    view.points = await ask("map");
    Object.assign(view, { x: 0, y: 0, zoom: 1, here: -1 });
    byId("mapStatus").textContent = `${count(view.points.length)} pictures`;
    draw();
    byId("canvas").focus();
  } catch (error) {
    dialog.close();
    complain(error);
  }
}

/** Connects the map's canvas to mouse and keyboard; once. */
export function prepareMap() {
  const canvas = byId("canvas");
  let drag;
  canvas.onpointerdown = (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.abs(dx) + Math.abs(dy) < 5) return;
    const { width, height } = canvas.getBoundingClientRect();
    view.x -= dx / width / view.zoom;
    view.y -= dy / height / view.zoom;
    drag = { x: event.clientX, y: event.clientY, moved: true };
    draw();
  };
  canvas.onpointerup = (event) => {
    const clicked = drag && !drag.moved;
    drag = undefined;
    if (!clicked) return;
    const box = canvas.getBoundingClientRect();
    const nearest = nearestTo(
      event.clientX - box.left,
      event.clientY - box.top,
    );
    if (nearest >= 0) choose(nearest, true);
  };
  canvas.onwheel = (event) => {
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  };
  canvas.onkeydown = (event) => {
    const directions = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    if (directions[event.key]) wander(directions[event.key]);
    else if (event.key === "+" || event.key === "=") zoomBy(1.3);
    else if (event.key === "-") zoomBy(1 / 1.3);
    else if (event.key === "Enter" && view.here >= 0) choose(view.here, true);
    else return;
    event.preventDefault();
  };
  addEventListener("resize", () => byId("map").open && draw());
  byId("closeMap").onclick = () => byId("map").close();
}

function zoomBy(factor) {
  const before = view.zoom;
  view.zoom = Math.min(40, Math.max(1, before * factor));
  // About what is chosen, or about the middle.
  const at = view.points[view.here] ??
    { x: view.x + 0.5 / before, y: view.y + 0.5 / before };
  view.x = at.x - (at.x - view.x) * before / view.zoom;
  view.y = at.y - (at.y - view.y) * before / view.zoom;
  draw();
}

/** To the nearest picture in a direction. */
function wander([dx, dy]) {
  const from = view.points[view.here] ?? { x: 0.5, y: 0.5 };
  let found = -1, least = Infinity;
  view.points.forEach((point, i) => {
    const x = point.x - from.x, y = point.y - from.y;
    const along = x * dx + y * dy, across = Math.abs(x * dy) + Math.abs(y * dx);
    if (i === view.here || along <= 0 || across > along * 1.5) return;
    if (along + 2 * across < least) [least, found] = [along + 2 * across, i];
  });
  if (found >= 0) choose(found, false);
}

function choose(index, open) {
  view.here = index;
  const point = view.points[index];
  byId("mapStatus").textContent = [titleOf(point), point.term].filter(Boolean)
    .join(" · ");
  // What is chosen stays in sight.
  const size = 1 / view.zoom;
  if (point.x < view.x || point.x > view.x + size) view.x = point.x - size / 2;
  if (point.y < view.y || point.y > view.y + size) view.y = point.y - size / 2;
  draw();
  if (open) view.open(point);
}

function place({ x, y }) {
  const { width, height } = byId("canvas").getBoundingClientRect();
  const margin = 34;
  return [
    margin + (x - view.x) * view.zoom * (width - 2 * margin),
    margin + (y - view.y) * view.zoom * (height - 2 * margin),
  ];
}

function nearestTo(x, y) {
  let found = -1, least = 40;
  view.points.forEach((point, i) => {
    const [px, py] = place(point);
    const distance = Math.hypot(px - x, py - y);
    if (distance < least) [least, found] = [distance, i];
  });
  return found;
}

function draw() {
  const canvas = byId("canvas");
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const seen = view.points.map((point, i) => ({ point, i, at: place(point) }))
    .filter(({ at: [x, y] }) =>
      x > -30 && y > -30 && x < width + 30 && y < height + 30
    );
  const asPictures = seen.length <= MOST_PICTURES;
  const side = Math.min(
    96,
    Math.max(40, Math.sqrt(width * height / (3 * seen.length))),
  );
  for (const { point, i, at: [x, y] } of seen) {
    const image = asPictures ? imageOf(point) : undefined;
    if (image?.complete && image.naturalWidth > 0) {
      const fit = side / Math.max(image.naturalWidth, image.naturalHeight);
      const w = image.naturalWidth * fit, h = image.naturalHeight * fit;
      pen.drawImage(image, x - w / 2, y - h / 2, w, h);
    } else {
      pen.fillStyle = colourOf(point.term);
      pen.beginPath();
      pen.arc(x, y, 5, 0, 2 * Math.PI);
      pen.fill();
    }
    if (i === view.here) {
      pen.strokeStyle = getComputedStyle(byId("closeMap")).color;
      pen.lineWidth = 3;
      pen.strokeRect(x - side / 2 - 3, y - side / 2 - 3, side + 6, side + 6);
    }
  }
}

let drawing = 0;

function imageOf(point) {
  const known = images.get(point.row);
  if (known) return known;
  const image = new Image();
  image.src = thumbnail(point);
  image.onload = () => {
    cancelAnimationFrame(drawing);
    drawing = requestAnimationFrame(draw);
  };
  images.set(point.row, image);
  return image;
}

/** The same colour for the same term, of middling lightness for both themes. */
function colourOf(term) {
  let hash = 0;
  for (const letter of term) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return `hsl(${hash} 60% 50%)`;
}
