/**
 * The field: pictures to look for as chips beside the words, taken from files,
 * drops, the clipboard and addresses; and the words of recent searches.
 *
 * @module
 */
/** @import { SearchQuery } from "../engine/query.ts" */
import { amount, button, byId, keep, kept, make } from "./dom.js";
import { change, readForm } from "./form.js";
import { LARGEST_UPLOAD, splitWeight } from "./query.js";
import { ask, complain, Unanswered } from "./server.js";

/** More pictures than this are one chip. */
const MOST_CHIPS = 6;

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
  const query = readForm();
  chips.replaceChildren(
    .../** @type {const} */ (["like", "unlike"]).flatMap((list) =>
      query[list].length > MOST_CHIPS
        ? [chip(make("span", {}, amount(query[list].length)), list, search)]
        : query[list].map((entry) => chipOf(entry, list, search))
    ),
  );
}

/** A picture's chip. @param {string} entry @param {"like" | "unlike"} list @param {() => void} search */
function chipOf(entry, list, search) {
  const isAway = list === "unlike";
  const alt = `${isAway ? "Less" : "More"} like ${
    /upload:/.test(entry) ? "the given picture" : entry
  }`;
  const image = make("img", { alt, title: alt, hidden: true });
  image.onload = () => image.hidden = false;
  image.onerror = () => {
    addresses.delete(entry);
    const ariaLabel = `${alt}, which is gone`;
    image.replaceWith(
      make("span", { role: "img", ariaLabel, title: ariaLabel }, "⚠"),
    );
  };
  addressOf(entry).then((address) => image.src = address, image.onerror);
  return chip(image, list, search, entry);
}

/**
 * @param {HTMLElement} sign
 * @param {"like" | "unlike"} list
 * @param {() => void} search
 * @param {string} [entry] All of the list, if it is left out.
 */
function chip(sign, list, search, entry) {
  const isAway = list === "unlike";
  const takeAway = () => {
    const others = readForm()[list]
      .filter((other) => entry !== undefined && other !== entry);
    change({ [list]: others });
    text.focus();
    search();
  };
  const name = sign instanceof HTMLImageElement ? sign.alt : sign.textContent;
  const [ariaLabel, title] = [`Take away: ${name}`, "Take it away"];
  return make(
    "li",
    { className: isAway ? "chip away" : "chip" },
    isAway && "−",
    sign,
    button("×", takeAway, { ariaLabel, title }),
  );
}

/** Where a picture of the query is; fails if it is gone. @param {string} entry */
async function addressOf(entry) {
  const [, hash] = entry.match(/^(?:[^:]*:)?upload:(.+)$/) ?? [];
  if (hash) return `uploaded/${hash}`;
  const known = addresses.get(entry);
  if (known) return known;
  const find = (/** @type {string} */ path) => ask("detail", { path });
  const { id } = await find(entry).catch(() => find(splitWeight(entry).of));
  addresses.set(entry, `thumbnail/${id}`);
  return `thumbnail/${id}`;
}

/**
 * The query without the pictures that are gone; itself if none is.
 *
 * @param {SearchQuery} query
 */
export async function withoutGone(query) {
  const { like, unlike } = query;
  const gone = new Set();
  for (const entry of [...like, ...unlike]) {
    addresses.delete(entry);
    try {
      const { ok } = await fetch(await addressOf(entry), {
        cache: "reload",
      });
      if (!ok) gone.add(entry);
    } catch (error) {
      if (error instanceof Unanswered) throw error;
      gone.add(entry);
    }
  }
  if (gone.size === 0) return query;
  const kept = (/** @type {string[]} */ list) =>
    list.filter((entry) => !gone.has(entry));
  return { ...query, like: kept(like), unlike: kept(unlike) };
}

/**
 * Takes a picture from outside into the query.
 *
 * @param {File | string} source A file, or an address.
 * @param {() => void} search
 */
async function take(source, search) {
  const before = statusLine.textContent;
  const taking = "Taking the picture …";
  try {
    if (typeof source !== "string" && source.size > LARGEST_UPLOAD) {
      throw new Error(
        `The picture has ${Math.round(source.size / 1e6)} MB: at most ` +
          `${LARGEST_UPLOAD / 1e6} can be taken.`,
      );
    }
    statusLine.textContent = taking;
    const { picture } = typeof source === "string"
      ? await ask("upload-url", { url: source })
      : await ask("upload", source);
    const { like } = readForm();
    change({ like: [...like.filter((other) => other !== picture), picture] });
    search();
  } catch (error) {
    // What is on show is still what it was.
    if (statusLine.textContent === taking) statusLine.textContent = before;
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
    if (isText(event.target) && !hasFile(event.dataTransfer)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  };
  ondragleave = () => document.body.classList.remove("dropping");
  ondrop = (event) => {
    const { target, dataTransfer } = event;
    document.body.classList.remove("dropping");
    const isForField = isText(target) && !hasFile(dataTransfer);
    const dropped = pictureOf(dataTransfer);
    // Text goes into the field where it is dropped.
    if (isForField && (target !== text || !dropped)) return;
    event.preventDefault();
    if (dropped) take(dropped, search);
    else {
      complain(
        new Error("Only a picture's file or its address can be dropped here."),
      );
    }
  };
  addEventListener("paste", (event) => {
    const { target, clipboardData } = event;
    if (isText(target) && target !== text && !hasFile(clipboardData)) return;
    const pasted = pictureOf(clipboardData);
    if (!pasted) return;
    event.preventDefault();
    take(pasted, search);
  });
  byId("forget", HTMLElement).onclick = () => setRecent([]);
  setRecent(readRecent());
}

/** Whether text is typed there. @param {EventTarget | null} target */
const isText = (target) =>
  target instanceof Element &&
  target.matches("textarea, input:is([type=text], [type=search])");

/** @param {DataTransfer | null} data */
const hasFile = (data) => data?.types.includes("Files") ?? false;

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
