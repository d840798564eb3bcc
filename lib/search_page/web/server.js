/**
 * What the page asks its server, and what it says when something goes wrong.
 *
 * @module
 */
/** @import { SearchHit } from "../engine/search_result.ts" */
/** @import { Answers } from "../server/routes.ts" */
import { button, byId, make, offer } from "./dom.js";

/**
 * What the routes of pictures answer (picture_routes.ts).
 *
 * @typedef {object} PictureAnswers
 * @property {SearchHit[]} hidden
 * @property {Record<never, never>} hide To {paths, hidden}.
 * @property {Record<never, never>} reveal To {path}.
 * @property {Record<never, never>} rescan To {}.
 */

/** There was no answer at all: it may come later. */
export class Unanswered extends Error {}

const problem = byId("problem", HTMLElement);

/**
 * Asks the server; throws what it complains about, in words.
 *
 * @template {keyof (Answers & PictureAnswers)} Name
 * @param {Name} name
 * @param {object} [body] Is posted: a picture's file as it is, else as JSON.
 * @param {AbortSignal} [signal]
 * @returns {Promise<(Answers & PictureAnswers)[Name]>}
 */
export async function ask(name, body, signal) {
  return await (await request(name, body, signal)).json();
}

/**
 * Saves what the server answers as a file.
 *
 * @param {string} name
 * @param {object} body
 * @param {string} file Its name.
 */
export async function download(name, body, file) {
  offer(file, await (await request(name, body)).blob());
}

/** @param {string} name @param {object} [body] @param {AbortSignal} [signal] */
async function request(name, body, signal) {
  const response = await fetch(name, {
    method: body ? "POST" : "GET",
    body: body instanceof Blob ? body : JSON.stringify(body),
    signal,
  }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Unanswered(
      "The server of this page does not answer. Is the notebook's kernel, " +
        "or the command that opened the page, still running?",
    );
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  const reason = answer.error ?? `the server said ${response.status}`;
  // An address that it begins with stays as it is.
  const sentence = /^\w+:\/\//.test(reason)
    ? reason
    : reason.charAt(0).toUpperCase() + reason.slice(1);
  throw new Error(/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
}

/**
 * Shows what went wrong, until something works.
 *
 * @param {unknown} reason
 * @param {HTMLButtonElement} remedy
 */
export function complain(reason, remedy = button("Close", allIsWell)) {
  const { name = "", message = `${reason}` } = /** @type {Error} */ (reason);
  if (name === "AbortError") return;
  problem.replaceChildren(
    make("span", {}, message),
    remedy,
  );
}

/** Puts the last complaint away. */
export function allIsWell() {
  problem.replaceChildren();
}

addEventListener("error", ({ error, message }) => {
  complain(new Error(`This page has a fault: ${error?.message ?? message}`));
});
addEventListener("unhandledrejection", ({ reason }) => complain(reason));
