/**
 * Moving and enlarging what a frame shows: by wheel at the pointer, by two
 * fingers, by dragging. Light box and map share it.
 *
 * The content lies in the middle of its frame. A view says how many times it is
 * enlarged and how far its middle lies from the frame's, in CSS pixels.
 *
 * @module
 */

/** Pixels that a finger may tremble without having dragged. */
const TREMBLING = 6;

/** Milliseconds between the two taps of a double one. */
const DOUBLE_MS = 350;

/**
 * @typedef {object} Use
 * @property {() => { width: number, height: number }} size The content's size
 *   when it is not enlarged.
 * @property {() => void} changed Called when the view has changed.
 * @property {number} most Largest enlargement.
 * @property {(x: number, y: number) => void} [tapped] Called with the place in
 *   the frame, from its top left.
 * @property {(dx: number, ended: boolean) => void} [swiped] Called while a
 *   finger draws what is not enlarged to a side, and when it lets go.
 * @property {boolean} [doubles] Whether two taps enlarge and bring back.
 */

/**
 * Connects a frame.
 *
 * @param {HTMLElement} frame
 * @param {Use} use
 */
export function panZoom(frame, use) {
  const view = { scale: 1, x: 0, y: 0 };
  /** Fingers, or the mouse, that are down. */
  const pointers = /** @type {Map<number, { x: number, y: number }>} */ (
    new Map()
  );
  let travelled = 0;
  /** How far one finger has drawn what is not enlarged. */
  let swept = { x: 0, y: 0 };
  let lastTap = { x: 0, y: 0, ms: -DOUBLE_MS };

  /** Keeps the content in sight, and says that it moved. */
  function settle() {
    const { width, height } = use.size();
    /** @param {number} place @param {number} side @param {number} room */
    const within = (place, side, room) => {
      const most = Math.max(0, (side * view.scale - room) / 2);
      return Math.min(most, Math.max(-most, place));
    };
    view.x = within(view.x, width, frame.clientWidth);
    view.y = within(view.y, height, frame.clientHeight);
    use.changed();
  }

  /** @param {number} dx @param {number} dy CSS pixels. */
  function moveBy(dx, dy) {
    view.x += dx;
    view.y += dy;
    settle();
  }

  /**
   * Enlarges; what lies at `at`, from the frame's middle, stays there.
   *
   * @param {number} factor
   */
  function zoomBy(factor, at = { x: 0, y: 0 }) {
    const scale = Math.min(use.most, Math.max(1, view.scale * factor));
    const ratio = scale / view.scale;
    view.scale = scale;
    view.x = at.x - (at.x - view.x) * ratio;
    view.y = at.y - (at.y - view.y) * ratio;
    settle();
  }

  function reset() {
    Object.assign(view, { scale: 1, x: 0, y: 0 });
    settle();
  }

  /** From the frame's middle. @param {{ clientX: number, clientY: number }} event */
  function placeOf({ clientX, clientY }) {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** Where the fingers are on the whole, and how far apart. */
  function grip() {
    const [a, b = a] = pointers.values();
    return {
      x: (a.x + b.x) / 2,
      y: (a.y + b.y) / 2,
      apart: Math.hypot(a.x - b.x, a.y - b.y),
    };
  }

  /** How far to a side: not at all while the finger goes rather up or down. */
  function sweep() {
    return Math.abs(swept.x) > Math.abs(swept.y) ? swept.x : 0;
  }

  /** Puts back what a finger has drawn: it means something else. */
  function endSweep() {
    if (swept.x !== 0 || swept.y !== 0) use.swiped?.(0, true);
    swept = { x: 0, y: 0 };
  }

  frame.onwheel = (event) => {
    event.preventDefault();
    // Two fingers on a touch pad come as a wheel with Ctrl, in small steps.
    const step = event.ctrlKey ? 0.01 : event.deltaMode ? 0.06 : 0.002;
    const most = Math.min(0.5, Math.max(-0.5, -event.deltaY * step));
    zoomBy(Math.exp(most), placeOf(event));
  };
  frame.onpointerdown = (event) => {
    if (event.button !== 0) return;
    if (pointers.size === 0) travelled = 0;
    // A second finger enlarges, whatever the first one was about.
    endSweep();
    pointers.set(event.pointerId, placeOf(event));
    if (pointers.size > 1) travelled = Infinity;
    frame.setPointerCapture(event.pointerId);
  };
  frame.onpointermove = (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = grip();
    pointers.set(event.pointerId, placeOf(event));
    const now = grip();
    const dx = now.x - before.x, dy = now.y - before.y;
    travelled += Math.abs(dx) + Math.abs(dy);
    if (pointers.size === 2 && before.apart > 0) {
      zoomBy(now.apart / before.apart, before);
    }
    if (travelled <= TREMBLING) return;
    const swipes = use.swiped && view.scale === 1 &&
      event.pointerType !== "mouse" && travelled < Infinity;
    if (!swipes) return moveBy(dx, dy);
    swept = { x: swept.x + dx, y: swept.y + dy };
    use.swiped?.(sweep(), false);
  };
  frame.onpointerup = (event) => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) return;
    use.swiped?.(sweep(), true);
    swept = { x: 0, y: 0 };
    if (travelled > TREMBLING) return;
    const at = placeOf(event);
    use.tapped?.(
      at.x + frame.clientWidth / 2,
      at.y + frame.clientHeight / 2,
    );
    const ms = event.timeStamp;
    const isNear = Math.hypot(at.x - lastTap.x, at.y - lastTap.y) < 30;
    const isDouble = isNear && ms - lastTap.ms < DOUBLE_MS;
    lastTap = { ...at, ms: isDouble ? -DOUBLE_MS : ms };
    if (!use.doubles || !isDouble) return;
    if (view.scale > 1) reset();
    else zoomBy(2.5, at);
  };
  frame.onpointercancel = ({ pointerId }) => {
    pointers.delete(pointerId);
    endSweep();
  };
  return { view, moveBy, zoomBy, reset, settle };
}
