/**
 * One picture, large, with all that is known of it, its credit, and what lies
 * next to it.
 *
 * @module
 */
/** @import { PictureDetail } from "../engine/overview.ts" */
/** @import { SearchHit } from "../engine/searcher.ts" */
import { bars, button, byId, count, make, thumbnail, titleOf } from "./dom.js";
import { ask, complain } from "./server.js";

const dialog = byId("detail", HTMLDialogElement);

/**
 * Opens a picture.
 *
 * @param {SearchHit} hit
 * @param {SearchHit[]} hits The pictures that Previous and Next lead through.
 * @param {(hit: SearchHit) => void} like Called for "More like this".
 */
export async function openDetail(hit, hits, like) {
  try {
    const { path } = hit;
    const place = hits.findIndex((other) => other.path === path);
    const detail = await ask("detail", { path });
    /** @param {string} text @param {SearchHit | undefined} other */
    const to = (text, other) =>
      button(text, () => other && openDetail(other, hits, like), {
        disabled: !other,
      });
    dialog.replaceChildren(
      make(
        "div",
        { className: "bar" },
        make("h2", {}, titleOf(detail)),
        to("Previous", hits[place - 1]),
        to("Next", place < 0 ? undefined : hits[place + 1]),
        button("More like this", () => {
          dialog.close();
          like(detail);
        }, { className: "main" }),
        button("Close", () => dialog.close()),
      ),
      make(
        "div",
        { className: "two" },
        largePicture(detail),
        make(
          "div",
          {},
          factsOf(detail),
          ...vectorOf(detail),
          make("h3", {}, "Nearest pictures"),
          neighboursOf(detail, like),
        ),
      ),
    );
    if (!dialog.open) dialog.showModal();
  } catch (error) {
    dialog.close();
    complain(error);
  }
}

/** @param {PictureDetail} detail */
function largePicture(detail) {
  const image = make("img", {
    className: "large",
    src: `picture/${detail.row}`,
    alt: detail.caption || titleOf(detail),
  });
  const gone = "This picture's file is gone, or can no longer be read.";
  image.onerror = () =>
    image.replaceWith(make("p", { className: "empty" }, gone));
  return image;
}

/** @param {PictureDetail} detail */
function factsOf(detail) {
  const { caption, captions, term, category, author, license, page, path } =
    detail;
  const isLink = /^https?:\/\//.test(page);
  const rel = "noopener noreferrer";
  const facts = Object.entries({
    [captions ? "Captions" : "Caption"]: captions
      ? make("ul", {}, ...captions.map((text) => make("li", {}, text)))
      : caption,
    Term: term,
    Category: category,
    By: author,
    Licence: license,
    Page: isLink
      ? make("a", { href: page, target: "_blank", rel }, page)
      : page,
    Path: path,
  }).filter(([, value]) => value !== "");
  return make(
    "dl",
    {},
    ...facts.flatMap(([name, value]) => [
      make("dt", {}, name),
      make("dd", {}, value),
    ]),
  );
}

/** @param {PictureDetail} detail */
function vectorOf({ vector, dimensions, space }) {
  const most = Math.max(...vector.map(Math.abs)) || 1;
  const heights = vector.map((value) => Math.abs(value) / most);
  const about = `The first ${vector.length} of ${count(dimensions)} numbers ` +
    `of its vector (${space})`;
  return [
    make("p", { className: "soft" }, about),
    bars(heights, "Sizes of the vector's numbers"),
  ];
}

/** @param {PictureDetail} detail @param {(hit: SearchHit) => void} like */
function neighboursOf({ neighbours }, like) {
  const tiles = neighbours.map((hit) => {
    const open = () => openDetail(hit, neighbours, like);
    const title = `${titleOf(hit)}: ${(100 * hit.value).toFixed(1)}%`;
    const ariaLabel = `Open ${titleOf(hit)}`;
    const properties = { className: "tile", title, ariaLabel };
    return make("li", {}, button("", open, properties, thumbnail(hit)));
  });
  return make("ul", { className: "neighbours" }, ...tiles);
}
