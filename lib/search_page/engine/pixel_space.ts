/**
 * Pictures compared by their pixels, as notebook 3 does: of a collection, once
 * somebody asks.
 *
 * ```ts
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { PixelSpace } from "#lib/search_page/engine/pixel_space.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const pixels = new PixelSpace(new Collection(512));
 * deepStrictEqual(pixels.progress, { done: 0, total: 0 });
 * ```
 *
 * @module
 */
import { PixelGallery } from "../../compare/pixel_gallery.ts";
import { pixelVector } from "../../compare/pixels.ts";
import type { MetricName } from "../../compare/metrics.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import type { Collection } from "../index/collection.ts";
import { QueryError } from "./query.ts";

/** Side of the square to which pictures are brought. */
const PIXEL_SIZE = 64;

const LENGTH = PIXEL_SIZE * PIXEL_SIZE * 3;

/** A gallery, and which picture is in which row. */
interface Read {
  generation: number;
  gallery: PixelGallery;
  rowsOfIds: Map<number, number>;
}

/** A collection's pictures by their pixels. */
export class PixelSpace {
  readonly label = `${PIXEL_SIZE} × ${PIXEL_SIZE} pixels`;
  readonly collection: Collection;
  #read: Promise<Read> | undefined;
  #done = 0;

  constructor(collection: Collection) {
    this.collection = collection;
  }

  /** How many pictures have been read, of all. */
  get progress(): { done: number; total: number } {
    return { done: this.#done, total: this.collection.count };
  }

  /**
   * The value of every row with a picture, or with the mean of several.
   *
   * The first call reads all pictures, a few milliseconds each, and a later one
   * what is new.
   *
   * @throws {QueryError} If there are no pictures yet.
   */
  async compare(
    pictures: readonly { source: ImageSource; weight: number }[],
    metric: MetricName,
  ): Promise<Float64Array> {
    if (this.collection.count === 0) {
      throw new QueryError("there are no pictures to compare pixels with yet");
    }
    let read = await this.#read;
    if (read?.generation !== this.collection.generation) {
      this.#read = this.#readAfter(read);
      this.#read.catch(() => this.#read = undefined);
      read = await this.#read;
    }
    const mean = new Float64Array(LENGTH);
    const whole = pictures.reduce((sum, { weight }) => sum + weight, 0);
    for (const { source, weight } of pictures) {
      const vector = await pixelVector(source, PIXEL_SIZE);
      vector.forEach((value, i) => mean[i] += value * weight / whole);
    }
    const query = Uint8Array.from(mean, Math.round);
    return read.gallery.compare([query], metric)[0];
  }

  /** Reads all pictures but those that were read before. */
  async #readAfter(before: Read | undefined): Promise<Read> {
    const { collection } = this;
    const { generation } = collection;
    const pictures = collection.pictures.map(({ source }, row) => (
      { source, id: collection.idOf(row) }
    ));
    const gallery = new PixelGallery(pictures.length, LENGTH);
    let next = 0;
    this.#done = 0;
    const readNext = async (): Promise<void> => {
      while (next < pictures.length) {
        const row = next++;
        const { source, id } = pictures[row];
        const known = before?.rowsOfIds.get(id);
        // A picture that is gone stays black: it ranks low and shifts nobody.
        const vector = known === undefined
          ? await pixelVector(source, PIXEL_SIZE).catch(() => undefined)
          : before!.gallery.get(known);
        if (vector) gallery.set(row, vector);
        this.#done++;
      }
    };
    await Promise.all([readNext(), readNext(), readNext(), readNext()]);
    const rowsOfIds = new Map(pictures.map(({ id }, row) => [id, row]));
    return { generation, gallery, rowsOfIds };
  }
}
