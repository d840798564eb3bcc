/**
 * The field: pictures to look for as chips beside the words, taken from files,
 * drops, the clipboard and addresses; and the words of recent searches.
 *
 * @module
 */
/** @import { SearchQuery } from "../engine/query.ts" */
import { button, byId, keep, kept, make } from "./dom.js";
import { change, readForm } from "./form.js";
import { LARGEST_UPLOAD, splitWeight } from "./query.js";
import { ask, complain } from "./server.js";

/** Recent searches that are offered. */
const MOST_RECENT = 12;

let recent = /** @type {string[]} */ ([]);

export const text = byId("text", HTMLInputElement);
const chips = byId("chips", HTMLElement);
const statusLine = byId("status", HTMLElement);

/** Where the thumbnails of the query's pictures are, by what the query says. */
const addresses = /** @type {Map<string, string>} */ (new Map());

/** Looks for a picture, or for what is unlike it. @param {{ id: number, path: string }} hit @param {boolean} isAway */
export function addPicture({ id, path }, isAway) {
  addresses.set(path, `thumbnail/${id}`);
  const { like, unlike } = readForm();
  const others = (/** @type {string[]} */ list) =>
    list.filter((other) => other !== path);
  change({
    like: isAway ? others(like) : [...others(like), path],
    unlike: isAway ? [...others(unlike), path] : others(unlike),
  });
}

/** Shows the query's pictures. @param {() => void} search */
export function showChips(search) {
  const { like, unlike } = readForm();
  chips.replaceChildren(
    ...like.map((entry) => chip(entry, "like", search)),
    ...unlike.map((entry) => chip(entry, "unlike", search)),
  );
}

/** @param {string} entry @param {"like" | "unlike"} list @param {() => void} search */
function chip(entry, list, search) {
  const isAway = list === "unlike";
  const alt = `${isAway ? "Less" : "More"} like ${
    /upload:/.test(entry) ? "the given picture" : entry
  }`;
  const image = make("img", { alt, title: alt });
  const [, hash] = entry.match(/^(?:[^:]*:)?upload:(.+)$/) ?? [];
  const address = hash ? `uploaded/${hash}` : addresses.get(entry);
  if (address) image.src = address;
  else {
    const find = (/** @type {string} */ path) => ask("detail", { path });
    find(entry).catch(() => find(splitWeight(entry).of)).then(({ id }) => {
      addresses.set(entry, `thumbnail/${id}`);
      image.src = `thumbnail/${id}`;
    }, () => {});
  }
  const takeAway = () => {
    change({ [list]: readForm()[list].filter((other) => other !== entry) });
    text.focus();
    search();
  };
  const ariaLabel = `Take away: ${alt}`;
  return make(
    "li",
    { className: isAway ? "chip away" : "chip" },
    isAway && "−",
    image,
    button("×", takeAway, { ariaLabel, title: "Take this picture away" }),
  );
}

/**
 * Takes a picture from outside into the query.
 *
 * @param {File | string} source A file, or an address.
 * @param {() => void} search
 */
async function take(source, search) {
  try {
    if (typeof source !== "string" && source.size > LARGEST_UPLOAD) {
      throw new Error(
        `The picture has ${Math.round(source.size / 1e6)} MB: at most ` +
          `${LARGEST_UPLOAD / 1e6} can be taken.`,
      );
    }
    statusLine.textContent = "Taking the picture …";
    const { picture } = typeof source === "string"
      ? await ask("upload-url", { url: source })
      : await ask("upload", source);
    const { like } = readForm();
    change({ like: [...like.filter((other) => other !== picture), picture] });
    search();
  } catch (error) {
    statusLine.textContent = "The picture was not taken.";
    complain(error);
  }
}

/** Connects what brings pictures; once. @param {() => void} search */
export function prepareField(search) {
  const file = byId("file", HTMLInputElement);
  byId("choose", HTMLElement).onclick = () => file.click();
  file.onchange = () => {
    const [chosen] = file.files ?? [];
    if (chosen) take(chosen, search);
    file.value = "";
  };
  ondragover = (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  };
  ondragleave = () => document.body.classList.remove("dropping");
  ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const dropped = pictureOf(event.dataTransfer);
    if (dropped) take(dropped, search);
    else {
      complain(
        new Error("Only a picture's file or its address can be dropped here."),
      );
    }
  };
  addEventListener("paste", (event) => {
    const pasted = pictureOf(event.clipboardData);
    if (!pasted) return;
    event.preventDefault();
    take(pasted, search);
  });
  byId("forget", HTMLElement).onclick = () => setRecent([]);
  setRecent(readRecent());
}

/** A picture among what is dropped or pasted: a file or an address. @param {DataTransfer | null} data */
function pictureOf(data) {
  const files = [...data?.files ?? []];
  const address = (data?.getData("text/uri-list") || data?.getData("text"))
    ?.trim() ?? "";
  return files.find(({ type }) => type.startsWith("image/")) ??
    (/^https?:\/\/\S+$/i.test(address) ? address : undefined);
}

/** Remembers the words of a search. @param {SearchQuery} query */
export function remember({ text }) {
  if (!text) return;
  const others = recent.filter((other) => other !== text);
  setRecent([text, ...others].slice(0, MOST_RECENT));
}

/** @param {string[]} words */
function setRecent(words) {
  recent = words;
  keep("recent", JSON.stringify(words));
  byId("recent", HTMLElement).replaceChildren(
    ...words.map((value) => make("option", { value })),
  );
  byId("forget", HTMLButtonElement).disabled = words.length === 0;
}

/** What this browser remembers. @returns {string[]} */
function readRecent() {
  try {
    const words = JSON.parse(kept("recent"));
    return words.filter((/** @type {unknown} */ one) => one === `${one}`);
  } catch {
    return [];
  }
}
