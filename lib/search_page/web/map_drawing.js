/**
 * Draws the map: a dot for each picture, and the pictures themselves where there
 * is room for them.
 *
 * Dots are written into the canvas' pixels. To draw 100,000 of them as shapes
 * takes several times as long as a frame may.
 *
 * @module
 */
/** @import { PointGrid } from "./point_grid.js" */

/** Pixels between the outermost pictures and the frame. */
export const MARGIN = 40;

/** Pixels that dots are written into, at most. */
const MOST_PIXELS = 2e6;

/** Pictures in sight above which there are only dots. */
const MOST_PICTURES = 800;

/** Longest side of a picture, CSS pixels: more on a wide frame. */
const LEAST_SIDE = 52;

/** Longest side of a picture that has room, and of the one that is chosen. */
const LARGEST_SIDE = 144;

/** Shapes of dots: whether a place, from -1 to 1 on both axes, belongs to it. */
const SHAPES = /** @type {((x: number, y: number) => boolean)[]} */ ([
  (x, y) => x * x + y * y <= 1.1,
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.85,
  (x, y) => Math.abs(x) <= (y + 1) / 2 + 0.1,
  (x, y) => Math.abs(x) + Math.abs(y) <= 1.05,
  (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.35,
]);

/** The same shapes as characters, for the legend. */
export const GLYPHS = ["●", "■", "▲", "◆", "✚"];

/**
 * What is to be drawn.
 *
 * @typedef {object} Scene
 * @property {Float32Array} xs From 0 to 1.
 * @property {Float32Array} ys
 * @property {PointGrid} grid
 * @property {Uint8Array} groups Which entry of the legend each point belongs to;
 *   the last is all the others.
 * @property {string[]} colours Of the groups, as CSS writes them.
 * @property {string} faint Colour of what is not highlighted.
 * @property {string} ink
 * @property {string} paper
 * @property {string} accent
 * @property {Set<number>} highlighted Groups; all, if there are none.
 * @property {number[]} marked Indices of the points with a ring.
 * @property {number} chosen Index, or -1.
 * @property {number} hovered Index, or -1.
 * @property {(indices: number[]) => void} want Asked for the pictures to load.
 * @property {(index: number) => ImageBitmap | undefined} thumbnail
 */

/** A picture's place on the canvas, CSS pixels. @typedef {{ index: number, x: number, y: number, width: number, height: number }} Placed */

/**
 * Where things are on the frame.
 *
 * @param {HTMLElement} frame
 * @param {{ scale: number, x: number, y: number }} view
 */
export function projection({ clientWidth, clientHeight }, { scale, x, y }) {
  const width = Math.max(1, clientWidth - 2 * MARGIN) * scale;
  const height = Math.max(1, clientHeight - 2 * MARGIN) * scale;
  const left = (clientWidth - width) / 2 + x;
  const top = (clientHeight - height) / 2 + y;
  return { left, top, width, height };
}

/**
 * Draws the dots.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ReturnType<typeof projection>} place
 * @param {Scene} scene
 */
export function drawDots(canvas, place, scene) {
  const { clientWidth, clientHeight } = canvas;
  // A large window has coarser dots rather than slower ones.
  const most = Math.sqrt(MOST_PIXELS / (clientWidth * clientHeight));
  const ratio = Math.min(devicePixelRatio, most);
  const context = fitted(canvas, ratio);
  const { width, height } = canvas;
  if (buffer?.width !== width || buffer.height !== height) {
    buffer = context.createImageData(width, height);
  }
  const pixels = new Uint32Array(buffer.data.buffer).fill(0);
  const { xs, ys, groups, highlighted } = scene;
  const sight = inSight(canvas, place, scene);
  const room = Math.sqrt(clientWidth * clientHeight / (sight.length + 1));
  const radius = Math.round(ratio * Math.min(6, Math.max(1, room / 6)));
  // In so few pixels shapes cannot be told apart.
  const known = radius > 1 ? SHAPES : SHAPES.slice(0, 1);
  const shapes = known.map((isInside) => shapeOf(isInside, radius, width));
  const small = shapeOf(SHAPES[0], Math.ceil(radius * 0.6), width);
  const rest = scene.colours.length - 1;
  const faint = pixelOf(scene.faint);
  // What the eye is to find comes last, on top.
  const dots = scene.colours.map((colour, group) => {
    const isFaint = highlighted.size > 0 && !highlighted.has(group);
    return {
      layer: isFaint ? 0 : group === rest ? 1 : 2,
      colour: isFaint ? faint : pixelOf(colour),
      shape: group === rest ? small : shapes[group % shapes.length],
    };
  });
  const left = ratio * place.left, across = ratio * place.width;
  const top = ratio * place.top, down = ratio * place.height;
  for (const drawn of new Set(dots.map(({ layer }) => layer).sort())) {
    for (const i of sight) {
      const { layer, colour, shape } = dots[groups[i]];
      if (layer !== drawn) continue;
      const x = Math.round(left + xs[i] * across);
      const y = Math.round(top + ys[i] * down);
      const isWhole = x >= radius && x < width - radius &&
        y >= radius && y < height - radius;
      if (!isWhole) continue;
      const at = y * width + x;
      for (let k = 0; k < shape.length; k++) pixels[at + shape[k]] = colour;
    }
  }
  context.putImageData(buffer, 0, 0);
}

/**
 * Draws the pictures and the rings, on a canvas above the dots.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ReturnType<typeof projection>} place
 * @param {Scene} scene
 * @returns The pictures, those on top last.
 */
export function drawPictures(canvas, place, scene) {
  const context = fitted(canvas, devicePixelRatio);
  const { width, height } = canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.scale(devicePixelRatio, devicePixelRatio);
  const placed = arrange(canvas, place, scene);
  for (const one of placed) drawPicture(context, scene, one);
  drawRings(context, place, scene, placed);
  return placed;
}

/** Gives a canvas as many pixels as it is to have. @param {HTMLCanvasElement} canvas @param {number} ratio */
function fitted(canvas, ratio) {
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Indices of the points in the frame, and of some beside it.
 *
 * @param {HTMLElement} frame
 * @param {ReturnType<typeof projection>} place
 * @param {Scene} scene
 */
function inSight({ clientWidth, clientHeight }, place, { xs, grid }) {
  if (found.length < xs.length) found = new Uint32Array(xs.length);
  let size = 0;
  grid.near(
    -place.left / place.width,
    -place.top / place.height,
    (clientWidth - place.left) / place.width,
    (clientHeight - place.top) / place.height,
    (i) => found[size++] = i,
  );
  return found.subarray(0, size);
}

/** Made once: to make them for every frame would keep the collector busy. */
let buffer = /** @type {ImageData | undefined} */ (undefined);
let found = new Uint32Array(0);

/** How far the pixels of a shape are from its middle one. @param {(x: number, y: number) => boolean} isInside @param {number} radius @param {number} width */
function shapeOf(isInside, radius, width) {
  const offsets = [];
  for (let y = -radius; y <= radius; y++) {
    for (let x = -radius; x <= radius; x++) {
      if (isInside(x / radius, y / radius)) offsets.push(y * width + x);
    }
  }
  return Int32Array.from(offsets);
}

const one = Object.assign(document.createElement("canvas"), {
  width: 1,
  height: 1,
}).getContext("2d", { willReadFrequently: true });

/** A colour of CSS as the canvas keeps it. @param {string} colour */
function pixelOf(colour) {
  if (!one) return 0;
  one.fillStyle = colour;
  one.fillRect(0, 0, 1, 1);
  return new Uint32Array(one.getImageData(0, 0, 1, 1).data.buffer)[0];
}

/**
 * Which pictures are shown, and where: none covers another, and the chosen one
 * lies on top.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ReturnType<typeof projection>} place
 * @param {Scene} scene
 */
function arrange(canvas, place, scene) {
  const { clientWidth, clientHeight } = canvas;
  const { xs, ys, thumbnail, marked, chosen, hovered } = scene;
  const sight = inSight(canvas, place, scene), count = sight.length;
  const placed = /** @type {Placed[]} */ ([]);
  const wanted = [chosen, hovered].filter((index) => index >= 0);
  /** @param {number} index @param {number} side */
  const at = (index, side) => {
    const bitmap = thumbnail(index);
    if (!bitmap) return;
    const size = side / Math.max(bitmap.width, bitmap.height);
    const width = bitmap.width * size, height = bitmap.height * size;
    const x = place.left + xs[index] * place.width - width / 2;
    const y = place.top + ys[index] * place.height - height / 2;
    placed.push({ index, x, y, width, height });
  };
  if (count <= MOST_PICTURES) {
    const room = Math.sqrt(clientWidth * clientHeight / (2 * (count + 1)));
    const least = Math.max(LEAST_SIDE, clientWidth / 36);
    const side = Math.min(LARGEST_SIDE, Math.max(least, room));
    // Results first, then in the collection's order: moving exchanges nothing.
    const marks = new Set(marked), sorted = [...sight].sort((a, b) => a - b);
    const order = [
      ...sorted.filter((i) => marks.has(i)),
      ...sorted.filter((i) => !marks.has(i)),
    ];
    const taken = /** @type {Map<string, number[]>} */ (new Map());
    for (const i of order) {
      const x = place.left + xs[i] * place.width;
      const y = place.top + ys[i] * place.height;
      const column = Math.floor((x - place.left) / side);
      const row = Math.floor((y - place.top) / side);
      const isFree = [-1, 0, 1].every((down) =>
        [-1, 0, 1].every((right) =>
          (taken.get(`${column + right} ${row + down}`) ?? []).every((other) =>
            Math.abs(place.left + xs[other] * place.width - x) >= side ||
            Math.abs(place.top + ys[other] * place.height - y) >= side
          )
        )
      );
      if (!isFree) continue;
      const cell = `${column} ${row}`;
      taken.set(cell, [...taken.get(cell) ?? [], i]);
      wanted.push(i);
      if (i !== chosen && i !== hovered) at(i, side - 4);
    }
  }
  scene.want(wanted);
  if (hovered >= 0 && hovered !== chosen) at(hovered, LARGEST_SIDE);
  if (chosen >= 0) at(chosen, LARGEST_SIDE);
  // What is looked at is seen whole, at the edge as well.
  for (const picture of placed) {
    if (picture.index !== chosen && picture.index !== hovered) continue;
    const { width, height } = picture;
    picture.x = Math.max(4, Math.min(clientWidth - width - 4, picture.x));
    picture.y = Math.max(4, Math.min(clientHeight - height - 4, picture.y));
  }
  return placed;
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {Placed} placed */
function drawPicture(context, scene, { index, x, y, width, height }) {
  const bitmap = scene.thumbnail(index);
  const group = scene.groups[index];
  const isFaint = scene.highlighted.size > 0 &&
    !scene.highlighted.has(group) && index !== scene.chosen &&
    index !== scene.hovered;
  if (!bitmap) return;
  context.globalAlpha = isFaint ? 0.2 : 1;
  context.drawImage(bitmap, x, y, width, height);
  context.lineWidth = 2;
  context.strokeStyle = scene.colours[group];
  context.strokeRect(x, y, width, height);
  context.globalAlpha = 1;
}

/**
 * Rings around what is marked, a frame around what is chosen.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ReturnType<typeof projection>} place
 * @param {Scene} scene
 * @param {Placed[]} placed
 */
function drawRings(context, place, scene, placed) {
  const { xs, ys, marked, ink, paper, accent, chosen, hovered } = scene;
  const pictures = new Map(placed.map((one) => [one.index, one]));
  /** @param {number} index @param {string} colour @param {number} thick */
  const ring = (index, colour, thick) => {
    const picture = pictures.get(index);
    context.beginPath();
    if (picture) {
      const { x, y, width, height } = picture;
      context.rect(x - 1, y - 1, width + 2, height + 2);
    } else {
      const x = place.left + xs[index] * place.width;
      const y = place.top + ys[index] * place.height;
      context.arc(x, y, 8, 0, 2 * Math.PI);
    }
    // A paler line beside it keeps it visible on any picture.
    context.lineWidth = thick + 3;
    context.strokeStyle = paper;
    context.stroke();
    context.lineWidth = thick;
    context.strokeStyle = colour;
    context.stroke();
  };
  // Thousands may be marked: their ring is drawn once, and stamped.
  const scale = context.getTransform().a, side = 24;
  const stamp = new OffscreenCanvas(side * scale, side * scale);
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (
    stamp.getContext("2d")
  );
  brush.scale(scale, scale);
  brush.arc(side / 2, side / 2, 8, 0, 2 * Math.PI);
  for (const [width, colour] of /** @type {const} */ ([[5, paper], [2, ink]])) {
    brush.lineWidth = width;
    brush.strokeStyle = colour;
    brush.stroke();
  }
  const { clientWidth, clientHeight } =
    /** @type {HTMLCanvasElement} */ (context.canvas);
  for (const index of marked) {
    if (pictures.has(index)) {
      ring(index, ink, 2);
      continue;
    }
    const x = place.left + xs[index] * place.width - side / 2;
    const y = place.top + ys[index] * place.height - side / 2;
    const isSeen = x > -side && y > -side && x < clientWidth &&
      y < clientHeight;
    if (isSeen) context.drawImage(stamp, x, y, side, side);
  }
  if (hovered >= 0) ring(hovered, ink, 2);
  if (chosen >= 0) ring(chosen, accent, 4);
}
