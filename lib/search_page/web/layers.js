/**
 * What lies over the page: the light box, the map. Each has an entry of its own
 * in the browser's history, so that Back closes it and leaves the search alone.
 *
 * @module
 */

/**
 * What is open, the topmost last: how deep its entry lies, and the address that
 * it lies over.
 *
 * @type {{ dialog: HTMLDialogElement, depth: number, address: string }[]}
 */
const layers = [];

/** Called when the history is back where it was. */
let left = () => {};

/** Whether an entry is left over which nothing lies any more. */
let isLeaving = false;

const depthNow = () => history.state?.layers ?? 0;

/** Leaves entries in which there is nothing to see. @param {number} steps */
function goBack(steps) {
  isLeaving = true;
  // After the page has asked: it listens already.
  addEventListener("popstate", () => isLeaving = false, { once: true });
  history.go(-steps);
}

/** Opens a dialog over all that is there. @param {HTMLDialogElement} dialog */
export function openLayer(dialog) {
  const depth = depthNow() + 1;
  layers.push({ dialog, depth, address: location.href });
  // What lies below may be asked for again meanwhile.
  history.pushState({ ...history.state, layers: depth }, "");
  dialog.showModal();
  dialog.addEventListener("close", () => {
    // Closed by its button or by Escape: its entry goes as well.
    const isLeft = layers.some((layer) => layer.dialog === dialog);
    if (isLeft && !dialog.open) history.back();
  }, { once: true });
}

/**
 * Closes what the browser's Back leads out of, and leaves the entry of what is
 * closed already, by a reload say. The page asks this first whenever the history
 * moved, and when it begins to listen.
 *
 * @returns Whether that is all there was to do: false where the address has
 *   changed as well.
 */
export function closeLayer() {
  if (isLeaving) return true;
  const beyond = depthNow() - (layers.at(-1)?.depth ?? 0);
  if (beyond > 0) {
    goBack(beyond);
    return true;
  }
  const kept = layers.filter(({ depth }) => depth <= depthNow()).length;
  const [lowest] = layers.slice(kept);
  if (!lowest) return false;
  for (const { dialog } of layers.splice(kept).reverse()) dialog.close();
  left();
  return location.href === lowest.address;
}

/** Closes all layers; ends when the history is back where it was. */
export async function leaveLayers() {
  if (layers.length === 0) return;
  const back = depthNow() - layers[0].depth + 1;
  await new Promise((resolve) => {
    left = () => resolve(undefined);
    history.go(-back);
  });
}
