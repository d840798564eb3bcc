/**
 * What the collection holds: the start-up block, the progress of indexing, and
 * what can be filtered by and compared by.
 *
 * @module
 */
import { ask, byId, complain, count, make } from "./dom.js";
import { toText } from "./scores.js";
import { asked } from "./state.js";

const FIELDSETS = {
  term: "filterTerm",
  category: "filterCategory",
  license: "filterLicense",
};

/**
 * Reads the collection's state, now and until everything is indexed.
 *
 * @param onChange Called with the state, each time.
 */
export async function follow(onChange, before) {
  const status = await ask("status");
  const { name, indexed, total, done, error, failures } = status;
  byId("collection").textContent = `· ${name}`;
  document.title = `Contact Sheet · ${name}`;
  byId("loading").hidden = done;
  byId("progress").max = total;
  byId("progress").value = indexed + failures.length;
  byId("loadingText").textContent = `Indexing: ${count(indexed)} of ${
    count(total)
  } pictures; they can be searched as they come`;
  if (indexed !== before?.indexed || done !== before.done) {
    fillFacets(status.facets);
    fillSpaces(status.encoders);
    await showStart(status);
  }
  if (error) complain(new Error(`Indexing stopped: ${error}.`));
  onChange(status, before);
  if (done) return;
  setTimeout(() => follow(onChange, status).catch(complain), 600);
}

async function showStart(
  { indexed, done, facets, encoders, failures, problems },
) {
  const list = make("dl");
  const add = (name, value) =>
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  add("Pictures", count(indexed));
  if (facets.term.length) add("Terms", count(facets.term.length));
  if (facets.category.length) add("Categories", count(facets.category.length));
  if (indexed > 1 && done) {
    const { mean, deviation, least, most } = await ask("statistics");
    add(
      "Similarity of two pictures",
      `${toText(mean)} ± ${toText(deviation)}, from ${toText(least)} to ${
        toText(most)
      }`,
    );
  }
  for (const { label, dimensions } of encoders) {
    add("Encoder", `${label}; ${count(dimensions)} numbers a picture`);
  }
  const lines = [
    ...failures.map(({ path, reason }) => `${path}: ${reason}`),
    ...problems,
  ];
  const remarks = lines.length === 0 ? [] : [make(
    "details",
    {},
    make("summary", {}, `Remarks on what was left out (${lines.length})`),
    make("ul", {}, ...lines.map((line) => make("li", {}, line))),
  )];
  byId("startContent").replaceChildren(list, ...remarks);
}

function fillFacets(facets) {
  for (const [name, id] of Object.entries(FIELDSETS)) {
    const fieldset = byId(id);
    // Nothing moves under a reader who is choosing.
    if (fieldset.contains(document.activeElement)) continue;
    const on = new Set(
      [...fieldset.querySelectorAll(":checked")].map(({ value }) => value),
    );
    fieldset.hidden = facets[name].length < 2;
    const list = make("div", { tabIndex: facets[name].length > 6 ? 0 : -1 });
    list.append(...facets[name].map(([value, pictures]) =>
      make(
        "label",
        {},
        make("input", { type: "checkbox", value, checked: on.has(value) }),
        ` ${value} `,
        make("small", {}, count(pictures)),
      )
    ));
    const finder = facets[name].length > 12 ? [finderOf(name, list)] : [];
    const legend = fieldset.querySelector("legend");
    fieldset.replaceChildren(legend, ...finder, list);
  }
}

/** A field that leaves only the names that hold what is typed. */
function finderOf(name, list) {
  return make("input", {
    type: "text",
    placeholder: "Find …",
    "aria-label": `Find a ${name}`,
    oninput({ target }) {
      const wanted = target.value.toLowerCase();
      for (const label of list.children) {
        label.hidden = !label.textContent.toLowerCase().includes(wanted);
      }
    },
    // It finds names, not pictures.
    onchange: (event) => event.stopPropagation(),
  });
}

function fillSpaces(encoders) {
  const [main, ...others] = encoders;
  const option = ([value, text]) => make("option", { value }, text);
  const names = others.map(({ id }) => [id, `Encoder ${id}`]);
  const pixels = ["pixels", "Pixels, 64 × 64"];
  const { value } = byId("space");
  byId("space").replaceChildren(
    ...[["", `Encoder ${main.id}`], ...names, pixels].map(option),
  );
  byId("space").value = value;
  byId("beside").replaceChildren(
    ...[["", "nothing"], [main.id, `Encoder ${main.id}`], ...names, pixels]
      .map(option),
  );
  byId("beside").value = asked.beside;
}
