/**
 * One picture, large, with all that is known of it, its credit, and what lies
 * next to it.
 *
 * @module
 */
import { ask, bars, byId, complain, count, make, titleOf } from "./dom.js";
import { thumbnail } from "./grid.js";

/**
 * Opens a picture.
 *
 * @param hits The pictures that Previous and Next lead through.
 * @param like Called for "More like this".
 */
export async function openDetail(hit, hits, like) {
  const dialog = byId("detail");
  try {
    const found = await ask(`detail?id=${encodeURIComponent(hit.id)}`);
    draw(dialog, found, hits, like);
    if (!dialog.open) dialog.showModal();
  } catch (error) {
    dialog.close();
    complain(error);
  }
}

function draw(dialog, found, hits, like) {
  const place = hits.findIndex(({ id }) => id === found.id);
  const to = (step, textContent) =>
    make("button", {
      type: "button",
      textContent,
      disabled: place < 0 || !hits[place + step],
      onclick: () => openDetail(hits[place + step], hits, like),
    });
  const title = titleOf(found);
  const large = make("img", {
    className: "large",
    src: `picture/${found.row}`,
    alt: found.caption || title,
  });
  large.onerror = () =>
    large.replaceWith(
      make(
        "p",
        { className: "empty" },
        "This picture's file is gone, or can no longer be read.",
      ),
    );
  dialog.replaceChildren(
    make(
      "div",
      { className: "dialogBar" },
      make("h2", {}, title),
      to(-1, "Previous"),
      to(1, "Next"),
      make("button", {
        type: "button",
        className: "main",
        textContent: "More like this",
        onclick() {
          dialog.close();
          like(found);
        },
      }),
      make("button", {
        type: "button",
        textContent: "Close",
        onclick: () => dialog.close(),
      }),
    ),
    make(
      "div",
      { className: "two" },
      large,
      make("div", {}, facts(found), vectorOf(found), neighbours(found, like)),
    ),
  );
}

function facts(found) {
  const list = make("dl");
  const add = (name, value) => {
    if (value) list.append(make("dt", {}, name), make("dd", {}, value));
  };
  add("Caption", found.caption);
  add("Term", found.term);
  add("Category", found.category);
  add("By", found.author);
  add("Licence", found.license);
  add("Page", linkTo(found.page));
  add("Id", found.id);
  return list;
}

/** A link for addresses of the web; anything else is only text. */
function linkTo(page) {
  if (!/^https?:\/\//.test(page)) return page;
  return make("a", {
    href: page,
    target: "_blank",
    rel: "noopener noreferrer",
  }, page);
}

function vectorOf({ vector, dimensions, space }) {
  const most = Math.max(...vector.map(Math.abs)) || 1;
  return make(
    "div",
    {},
    make(
      "p",
      { className: "soft" },
      `The first ${vector.length} of ${
        count(dimensions)
      } numbers of its vector (${space})`,
    ),
    bars(
      vector.map((value) => Math.abs(value) / most),
      "Sizes of the vector's numbers",
    ),
  );
}

function neighbours({ neighbours }, like) {
  const list = make("ul", { className: "neighbours" });
  list.append(...neighbours.map((hit) => {
    const title = titleOf(hit);
    return make(
      "li",
      {},
      make(
        "button",
        {
          type: "button",
          className: "tile",
          title: `${title}: ${(100 * hit.value).toFixed(1)}%`,
          "aria-label": `Open ${title}`,
          onclick: () => openDetail(hit, neighbours, like),
        },
        make("img", { src: thumbnail(hit), alt: hit.caption || title }),
      ),
    );
  }));
  return make("div", {}, make("h3", {}, "Nearest pictures"), list);
}
