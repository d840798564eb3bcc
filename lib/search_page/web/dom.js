/**
 * Elements, requests and messages: what the other scripts of the page share.
 * All text goes in as text nodes and attributes, never as markup.
 *
 * @module
 */

/** The element of that id. */
export const byId = (id) => document.getElementById(id);

/** Makes an element: properties, then children (elements or text). */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role") {
      element.setAttribute(name, value);
    } else element[name] = value;
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing of upright bars; `kept` tells which are in the strong colour. */
export function bars(heights, label, kept = () => true) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${heights.length} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  heights.forEach((height, i) => {
    const rect = document.createElementNS(SVG, "rect");
    const [top, size] = height >= 0 ? [1 - height, height] : [1, -height];
    const place = { x: i + 0.06, y: top, width: 0.88, height: size };
    for (const [name, value] of Object.entries(place)) {
      rect.setAttribute(name, value);
    }
    if (kept(i)) rect.setAttribute("class", "kept");
    svg.append(rect);
  });
  return svg;
}

/** Asks the server; throws what it complains about, in words. */
export async function ask(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      body: body === undefined || body instanceof Blob
        ? body
        : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(
      "The server of this page does not answer. Is the notebook's kernel, " +
        "or the command that opened the page, still running?",
    );
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(
    sentence(answer.error ?? `The server said ${response.status}.`),
  );
}

function sentence(text) {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}

/** Shows what went wrong, until it is put away or something works. */
export function complain(error) {
  if (error?.name === "AbortError") return;
  byId("problem").replaceChildren(
    make("span", {}, error?.message ?? String(error)),
    make("button", {
      type: "button",
      textContent: "Close",
      onclick: allIsWell,
    }),
  );
}

/** Puts the last complaint away. */
export function allIsWell() {
  byId("problem").replaceChildren();
}

/** At most so many characters, a dot for the rest. */
export function shorten(text, most) {
  const characters = [...text];
  return characters.length <= most
    ? text
    : `${characters.slice(0, most - 1).join("").trimEnd()}…`;
}

/** A number for people: 12,345. */
export const count = (number) => number.toLocaleString("en");

/** A hit's title, or the file's name where it has none. */
export const titleOf = ({ title, caption, id }) =>
  title || caption || id.split("/").at(-1);

addEventListener("error", ({ error, message }) => {
  complain(new Error(`This page has a fault: ${error?.message ?? message}`));
});
addEventListener("unhandledrejection", ({ reason }) => complain(reason));
