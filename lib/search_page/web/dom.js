/**
 * Elements, numbers and pictures: what the other scripts of the page draw with.
 * All text goes in as text nodes and attributes, never as markup.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/searcher.ts" */

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
 * @param {...Node} children
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

/** A score in few digits. @param {number} value */
export const scoreText = (value) =>
  Math.abs(value) >= 100 ? count(Math.round(value)) : value.toFixed(3);

/** What to call a picture, by its file if need be. @param {SearchHit} hit */
export const titleOf = ({ title, caption, path }) =>
  title || caption || path.replace(/.*\//, "");

/** A small picture of a hit. @param {SearchHit} hit */
export const thumbnail = (hit) =>
  make("img", {
    src: `thumbnail/${hit.row}`,
    alt: hit.caption || titleOf(hit),
    draggable: false,
  });
