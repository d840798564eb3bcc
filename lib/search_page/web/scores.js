/**
 * How the scores of all pictures lie, as a histogram with the cut in it.
 *
 * @module
 */
import { bars, byId, count } from "./dom.js";
import { asked } from "./state.js";

/** Draws a result's scores. */
export function showScores({ scores, cut, better }) {
  byId("scores").hidden = scores.count === 0;
  const most = Math.max(...scores.bins);
  const width = (scores.most - scores.least) / scores.bins.length;
  const isKept = (bin) => {
    const middle = scores.least + (bin + 0.5) * width;
    return cut === undefined ||
      (better === "higher" ? middle > cut : middle < cut);
  };
  // A root brings out the few good ones beside the many others.
  const heights = scores.bins.map((bin) => Math.sqrt(bin / most));
  const label = `Scores from ${toText(scores.least)} to ${
    toText(scores.most)
  }, mean ${toText(scores.mean)}, cut ${
    cut === undefined ? "none" : toText(cut)
  }`;
  byId("histogram").replaceChildren(bars(heights, label, isKept));
  const slider = byId("cutValue");
  slider.min = scores.least;
  slider.max = scores.most;
  slider.value = cut ?? (better === "higher" ? scores.least : scores.most);
  byId("cutShown").value = cut === undefined ? "none" : toText(cut);
}

/** Connects the cut's slider; once. @param search Called when it was moved. */
export function prepareCut(search) {
  byId("cutValue").oninput = ({ target }) =>
    byId("cutShown").value = toText(Number(target.value));
  byId("cutValue").onchange = ({ target }) => {
    asked.cut = Number(target.value);
    byId("cut").value = "own";
    search();
  };
}

/** A score in few digits. */
export const toText = (value) =>
  Math.abs(value) >= 100 ? count(Math.round(value)) : value.toFixed(3);
