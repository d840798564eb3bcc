/**
 * The small pictures of a map: a few are fetched at a time, those in sight, and
 * only so many are kept.
 *
 * @module
 */

/** Fetched at the same time. */
const AT_ONCE = 6;

/** Kept; those not looked at for longest go. */
const KEPT = 600;

/** Height that a picture is kept at, device pixels. */
const HEIGHT = 160;

/** Pictures by the id that names them. */
export class Thumbnails {
  /** @param {() => void} arrived Called when another can be drawn. */
  constructor(arrived) {
    this.arrived = arrived;
    /** Undefined where a picture has none. */
    this.kept = /** @type {Map<number, ImageBitmap | undefined>} */ (new Map());
    this.wanted = /** @type {number[]} */ ([]);
    this.fetching = /** @type {Set<number>} */ (new Set());
  }

  /** A picture, if it has come. @param {number} id */
  get(id) {
    const bitmap = this.kept.get(id);
    if (bitmap) {
      this.kept.delete(id);
      this.kept.set(id, bitmap);
    }
    return bitmap;
  }

  /** Fetches these, and no longer those asked for before. @param {number[]} ids */
  want(ids) {
    this.wanted = ids.filter((id) => !this.kept.has(id));
    while (this.fetching.size < AT_ONCE && this.next()) { /* next() does it */ }
  }

  /** Begins with the next. @returns Whether there was one. */
  next() {
    const id = this.wanted.find((id) => !this.fetching.has(id));
    if (id === undefined) return false;
    this.fetch(id);
    return true;
  }

  /** @param {number} id */
  async fetch(id) {
    this.fetching.add(id);
    let bitmap;
    try {
      const response = await fetch(`thumbnail/${id}`);
      const resizeHeight = HEIGHT * Math.min(2, devicePixelRatio);
      // What is no picture, such as a refusal, is thrown out here.
      bitmap = await createImageBitmap(await response.blob(), { resizeHeight });
    } catch { /* a dot stays */ }
    this.fetching.delete(id);
    this.wanted = this.wanted.filter((other) => other !== id);
    this.kept.set(id, bitmap);
    for (const [old, gone] of this.kept) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(old);
      gone?.close();
    }
    this.arrived();
    this.next();
  }

  /** Lets go of all. */
  clear() {
    this.wanted = [];
    for (const bitmap of this.kept.values()) bitmap?.close();
    this.kept.clear();
  }
}
