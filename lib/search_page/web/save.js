/**
 * Results to take away: as a table, as JSON, as the cell that finds them again.
 *
 * @module
 */
import { byId, make } from "./dom.js";
import { toCell } from "./state.js";

const COLUMNS = [
  "id",
  "value",
  "title",
  "caption",
  "term",
  "category",
  "author",
  "license",
  "page",
];

/**
 * Connects the buttons; once.
 *
 * @param found Returns the result on show.
 * @param defaults Returns what holds where a query says nothing.
 */
export function prepareSaving(found, defaults) {
  byId("csv").onclick = () => offer("results.csv", "text/csv", toCsv(found()));
  byId("json").onclick = () =>
    offer(
      "results.json",
      "application/json",
      JSON.stringify(found(), null, 2),
    );
  byId("cell").onclick = () => {
    byId("codeText").textContent = toCell(found().query, defaults());
    byId("copy").textContent = "Copy";
    byId("code").showModal();
  };
  byId("copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(byId("codeText").textContent);
      byId("copy").textContent = "Copied";
    } catch {
      // A frame may be denied the clipboard.
      getSelection().selectAllChildren(byId("codeText"));
      byId("copy").textContent = "Selected: copy it with Ctrl-C";
    }
  };
  byId("closeCode").onclick = () => byId("code").close();
}

/** Offers a file for download. */
function offer(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** A table as spreadsheets read it (RFC 4180). */
export function toCsv({ hits }) {
  const cell = (value) => {
    // Spreadsheets take what begins like this for a formula.
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value)
      ? `'${value}`
      : String(value);
    return `"${text.replaceAll('"', '""')}"`;
  };
  return [COLUMNS, ...hits.map((hit) => COLUMNS.map((name) => hit[name]))]
    .map((row) => row.map(cell).join(",") + "\r\n").join("");
}
