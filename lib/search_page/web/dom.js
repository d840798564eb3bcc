/**
 * Elements, numbers and pictures: what the other scripts of the page draw with.
 * All text goes in as text nodes and attributes, never as markup.
 *
 * @module
 */
/** @import { ShownResult } from "../server/routes.ts" */

/**
 * The element of that id, which is of that kind.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`no ${kind.name} has the id ${id}`);
}

/**
 * Makes an element, with properties and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {...(Node | string | false)} children What is false is left out.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== false));
  return element;
}

/**
 * Makes a button.
 *
 * @param {string} text
 * @param {() => void} onclick
 * @param {Partial<HTMLButtonElement>} [properties]
 * @param {...(Node | string)} children
 */
export function button(text, onclick, properties, ...children) {
  const own = { type: /** @type {const} */ ("button"), onclick };
  return make("button", { ...own, ...properties }, text, ...children);
}

/**
 * A drawing of upright bars.
 *
 * @param {number[]} heights From 0 to 1.
 * @param {string} ariaLabel
 * @param {(index: number) => boolean} [isStrong] Which are in the strong colour.
 */
export function bars(heights, ariaLabel, isStrong = () => true) {
  const svg = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(svg, "svg");
  drawing.setAttribute("viewBox", `0 0 ${heights.length} 1`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.append(...heights.map((height, i) => {
    const bar = document.createElementNS(svg, "path");
    bar.setAttribute("d", `M${i + 0.06} 1v${-height}h.88v${height}z`);
    bar.classList.toggle("strong", isStrong(i));
    return bar;
  }));
  return Object.assign(drawing, { role: "img", ariaLabel });
}

/** A number for people: 12,345. @param {number} number */
export const count = (number) => number.toLocaleString("en");

/** "1 picture", "1,234 pictures" @param {number} number @param {string} [what] One of them. */
export const amount = (number, what = "picture") =>
  `${count(number)} ${what}${number === 1 ? "" : "s"}`;

/** "1 near copy", "8 near copies" @param {number} number */
export const nearCopies = (number) =>
  `${count(number)} near ${number === 1 ? "copy" : "copies"}`;

/** A score in few digits. @param {number} value */
export function scoreText(value) {
  const number = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  return sign + (number >= 100 ? count(Math.round(number)) : number.toFixed(3));
}

/** What to call a picture, by its file if need be. @param {{ title: string, caption?: string, path: string }} hit */
export const titleOf = ({ title, caption, path }) =>
  title || caption || path.replace(/.*\//, "");

/**
 * A path whose folders stand in their order, also where names are written from
 * right to left; a line breaks rather between them.
 *
 * @param {string} path
 */
export const pathText = (path) =>
  make(
    "bdi",
    { dir: "ltr" },
    ...path.split(/(?<=[/\\])/).flatMap((part) => [
      make("bdi", { dir: "ltr" }, part),
      make("wbr", {}),
    ]),
  );

/** Thumbnails that came with the last answer, by id. */
let sent = /** @type {Record<number, string>} */ ({});

/** Takes the thumbnails that came with an answer out of it. @param {ShownResult} result */
export function takeThumbnails(result) {
  sent = result.thumbnails ?? {};
  delete result.thumbnails;
}

/** A small picture of a hit. @param {{ id: number, path: string, title: string, caption?: string }} hit */
export const thumbnail = (hit) =>
  make("img", {
    src: sent[hit.id] ?? `thumbnail/${hit.id}`,
    alt: hit.caption || titleOf(hit),
    draggable: false,
    decoding: "async",
  });

/** Offers a file. @param {string} name @param {Blob} content */
export function offer(name, content) {
  const href = URL.createObjectURL(content);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** Copies a text; false where a frame is denied the clipboard. @param {string} text */
export const copied = (text) =>
  navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false;

/** Shows a text to be copied. @param {string} title @param {string} text */
export function showText(title, text) {
  const dialog = byId("code", HTMLDialogElement);
  const shown = byId("codeText", HTMLElement);
  const copy = byId("copy", HTMLButtonElement);
  byId("codeTitle", HTMLElement).textContent = title;
  shown.textContent = text;
  copy.textContent = "Copy";
  copy.onclick = async () => {
    if (await copied(text)) copy.textContent = "Copied";
    else {
      getSelection()?.selectAllChildren(shown);
      copy.textContent = "Selected: copy it with Ctrl-C";
    }
  };
  byId("closeCode", HTMLElement).onclick = () => dialog.close();
  dialog.showModal();
}

/** What this browser keeps under a name; "" where a frame is denied storage. @param {string} name */
export function kept(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a text, where that is allowed. @param {string} name @param {string} text */
export function keep(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch { /* A frame may be denied storage: it lasts as long as the page. */ }
}
