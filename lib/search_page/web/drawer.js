/**
 * The light box's drawer: what is known of a picture, what can be done with it,
 * and what lies next to it.
 *
 * @module
 */
/** @import { PictureDetail } from "../engine/overview.ts" */
/** @import { SearchHit } from "../engine/search_result.ts" */
import {
  bars,
  button,
  count,
  make,
  pathText,
  thumbnail,
  titleOf,
} from "./dom.js";
import { isSelected } from "./selection.js";
import { ask } from "./server.js";

/** What is known so far; the rest comes a moment later. @typedef {SearchHit & Partial<PictureDetail>} Known */

/**
 * What the drawer's buttons do.
 *
 * @typedef {object} Deeds
 * @property {() => unknown} like
 * @property {() => unknown} unlike
 * @property {() => unknown} select
 * @property {() => unknown} hide Or show again.
 * @property {boolean} isHidden
 * @property {(found: SearchHit[], index: number) => void} open
 * @property {(text: string) => void} say
 */

/** @param {Known} known @param {Deeds} deeds */
export function drawer(known, deeds) {
  const where = make("code", {}, pathText(known.file || known.path));
  return make(
    "div",
    { className: "drawer" },
    make("h2", { dir: "auto" }, ...foldIfLong(titleOf(known))),
    make(
      "div",
      { className: "deeds" },
      button("More like this", deeds.like, { className: "main" }),
      button("Less like this", deeds.unlike),
      button("Select", deeds.select, {
        ariaPressed: `${isSelected(known.path)}`,
      }),
      button(deeds.isHidden ? "Show again" : "Hide", deeds.hide),
    ),
    factsOf(known, where),
    fileOf(known, where, deeds),
    found("Near copies", known.nearCopies, deeds),
    found("Nearest pictures", known.neighbours, deeds),
    vectorOf(known),
  );
}

/** Characters of some five lines; what has more is folded. */
const LONG = 240;

/** Opens elsewhere, without telling there where the reader comes from. */
const OUTSIDE = { target: "_blank", rel: "noopener noreferrer" };

/** @param {Known} known @param {HTMLElement} where The file's path. */
function factsOf(known, where) {
  const { caption, captions, term, category, author, license, page } = known;
  const { bytes, camera, lens, exposure } = known;
  const isLink = /^https?:\/\//.test(page);
  const facts = Object.entries({
    [captions ? "Captions" : "Caption"]: captions
      ? make(
        "ul",
        {},
        ...captions.map((text) => make("li", { dir: "auto" }, text)),
      )
      : caption,
    Size: [pixelsOf(known), bytes && bytesText(bytes)]
      .filter(Boolean).join(", "),
    Date: dateOf(known),
    Camera: camera,
    Lens: lens,
    Exposure: exposure,
    Place: placeOf(known),
    Term: term,
    Category: category,
    By: author,
    Licence: license,
    Page: isLink ? make("a", { href: page, ...OUTSIDE }, page) : page,
    File: where,
  });
  return make(
    "dl",
    {},
    ...facts.flatMap(([name, value]) =>
      value
        ? [
          make("dt", {}, name),
          make("dd", { dir: "auto" }, ...foldIfLong(value)),
        ]
        : []
    ),
  );
}

/**
 * What is long as its first lines, with a button for the others: what comes below
 * stays in sight.
 *
 * @param {string | HTMLElement} content
 * @returns {(string | HTMLElement)[]}
 */
function foldIfLong(content) {
  const text = typeof content === "string" ? content : content.textContent;
  if ((text ?? "").length <= LONG) return [content];
  const folded = make("div", { className: "folded" }, content);
  const more = button("Show all", () => {
    const isFolded = folded.classList.toggle("folded");
    more.textContent = isFolded ? "Show all" : "Show less";
  }, { className: "bare" });
  return [folded, more];
}

/** @param {Known} known */
const pixelsOf = ({ width, height }) =>
  width > 0 && `${count(width)} × ${count(height)} pixels`;

/** "1.2 MB" @param {number} bytes */
function bytesText(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6
    ? `${(bytes / 1e3).toFixed(0)} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {Known} known */
function dateOf({ date, dateFrom }) {
  const time = new Date(date);
  if (!date || Number.isNaN(time.getTime())) return date;
  const shown = time.toLocaleString("en-GB", {
    dateStyle: "long",
    timeStyle: "short",
  });
  if (!dateFrom) return shown;
  return `${shown} (${dateFrom === "EXIF" ? "by the camera" : "of the file"})`;
}

/** @param {Known} known */
function placeOf({ place }) {
  if (!place) return "";
  const { latitude, longitude } = place;
  const at = [latitude, longitude].map((degrees) => degrees.toFixed(5));
  const href = `https://www.openstreetmap.org/?mlat=${at[0]}&mlon=${at[1]}` +
    `#map=14/${at.join("/")}`;
  return make(
    "span",
    {},
    `${at.join(", ")} `,
    make("a", { href, ...OUTSIDE }, "on OpenStreetMap"),
  );
}

/** What can be done with its file. @param {Known} known @param {HTMLElement} where @param {Deeds} deeds */
function fileOf({ id, path, file }, where, { say }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(file ?? "");
      say("The path is copied.");
    } catch {
      // A frame may be denied the clipboard.
      getSelection()?.selectAllChildren(where);
      say("The browser does not let this page copy: press Ctrl+C.");
    }
  };
  const reveal = () =>
    ask("reveal", { path }).then(
      () => say("The folder opens."),
      (error) => say(error.message),
    );
  return make(
    "div",
    { className: "deeds" },
    file ? button("Copy path", copy) : "",
    file ? button("Open folder", reveal) : "",
    make(
      "a",
      { href: `original/${id}`, download: "" },
      "Download the original",
    ),
  );
}

/** Pictures that can be opened. @param {string} heading @param {SearchHit[] | undefined} hits @param {Deeds} deeds */
function found(heading, hits = [], { open }) {
  if (hits.length === 0) return "";
  const tiles = hits.map((hit, i) => {
    const title = titleOf(hit);
    const properties = { className: "tile", title, ariaLabel: `Open ${title}` };
    const tile = button("", () => open(hits, i), properties, thumbnail(hit));
    return make("li", {}, tile);
  });
  return make(
    "section",
    {},
    make("h3", {}, heading),
    make("ul", { className: "found" }, ...tiles),
  );
}

/** @param {Known} known */
function vectorOf({ vector, dimensions = 0, space }) {
  if (!vector) return "";
  const most = Math.max(...vector.map(Math.abs)) || 1;
  const heights = vector.map((value) => Math.abs(value) / most);
  const about = `The first ${vector.length} of ${count(dimensions)} numbers ` +
    `of its vector (${space})`;
  return make(
    "section",
    {},
    make("h3", {}, "Vector"),
    make("p", { className: "soft" }, about),
    bars(heights, "Sizes of the vector's numbers"),
  );
}
