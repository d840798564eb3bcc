/**
 * What is searched: pictures with what is known about them, and two embeddings
 * each, of the picture and of what is written about it. It may grow while it is
 * searched; a row never changes. A picture that changes is added again, and its
 * last row counts.
 *
 * Touches no files.
 *
 * ```ts
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(new Collection(512).count, 0);
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import {
  addScaled,
  clampCosine,
  dot,
  l2Normalize,
} from "../../compare/metrics.ts";
import type { PictureToEmbed } from "../../embeddings/embeddings.ts";
import type { Picture } from "../../records.ts";
import { tellsSomething } from "./titles.ts";

/** One picture, as found. */
export interface SourcePicture extends Picture, PictureToEmbed {
  /** A line to call it by. */
  title: string;
  /** All its captions, where it has several; `caption` is the first. */
  captions?: string[];
}

/** What filters choose from, each with how many pictures have it. */
export type Facets = Record<
  "term" | "category" | "license",
  [name: string, count: number][]
>;

/** Names to filter by; a page with more would be slow, and no reader helped. */
const MOST_NAMES = 500;

/** Pictures that can be searched. */
export class Collection {
  /** By row. */
  readonly pictures: SourcePicture[] = [];
  /** Unit vectors, by row. */
  readonly pictureEmbeddings: Matrix;
  /**
   * What is written about them: unit vectors, equal texts once, since a folder's
   * pictures often share their only word. `textRows` tells which is whose.
   */
  readonly textEmbeddings: Matrix;
  /** A picture's row in `textEmbeddings`; -1 where nothing is written about it. */
  readonly textRows: number[] = [];
  /** Similarity of a picture to its text; NaN where it has none. */
  readonly agreement: number[] = [];
  /** The version of each row's file (file_hashes.ts), where it is known. */
  readonly versions: (string | undefined)[] = [];
  /** Rows of pictures that have changed since, and were added again. */
  readonly superseded: Set<number> = new Set();
  readonly #rows = new Map<string, number>();
  readonly #textRows = new Map<string, number>();

  /**
   * @param dimensions Length of the vectors.
   * @param capacity How many pictures are expected.
   */
  constructor(dimensions: number, capacity?: number) {
    this.pictureEmbeddings = Matrix.empty(dimensions, capacity);
    this.textEmbeddings = Matrix.empty(dimensions, capacity);
  }

  /** How many rows there are. */
  get count(): number {
    return this.pictures.length;
  }

  /** How many pictures can be searched now. */
  get pictureCount(): number {
    return this.#rows.size;
  }

  /** Adds a picture; without `text` where nothing is written about it (meanText). */
  add(
    picture: SourcePicture,
    embedding: Float32Array,
    text?: Float32Array,
    version?: string,
  ): void {
    this.pictureEmbeddings.append(embedding);
    this.versions.push(version);
    const before = this.#rows.get(picture.path);
    if (before !== undefined) this.superseded.add(before);
    const written = textsOf(picture).join("\n");
    this.textRows.push(text ? this.#rowOfText(written, text) : -1);
    this.agreement.push(text ? clampCosine(dot(embedding, text)) : NaN);
    this.#rows.set(picture.path, this.pictures.length);
    this.pictures.push(picture);
  }

  /** The row of the picture of that path; undefined if there is none. */
  rowOf(path: string): number | undefined {
    return this.#rows.get(path);
  }

  /** What can be filtered by: the most frequent names, in alphabetical order. */
  facets(): Facets {
    const of = (key: keyof Facets) => {
      const counts = new Map<string, number>();
      for (const row of this.#rows.values()) {
        const name = this.pictures[row][key];
        if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMES)
        .sort(([a], [b]) => a < b ? -1 : 1);
    };
    return {
      term: of("term"),
      category: of("category"),
      license: of("license"),
    };
  }

  #rowOfText(text: string, embedding: Float32Array): number {
    const known = this.#textRows.get(text);
    if (known !== undefined) return known;
    this.textEmbeddings.append(embedding);
    const row = this.textEmbeddings.count - 1;
    this.#textRows.set(text, row);
    return row;
  }
}

/**
 * What is written about a picture: its term, title and caption as one text, and
 * as many texts as it has captions; none where nothing is written.
 */
export function textsOf(picture: SourcePicture): string[] {
  const { title, caption, term, captions = [caption] } = picture;
  const filed = tellsSomething(term) || isShortWord(term) ? term : "";
  const texts = captions.map((text) => {
    const named = text.includes(title) ? "" : title;
    const parts = [named, text].filter((part) => part !== "");
    if (!parts.join(" ").includes(filed)) parts.unshift(filed);
    return parts.join(". ");
  });
  return texts.filter((text) => text !== "");
}

/** "TV", "ox": too short to tell from a device's letters, but for a folder. */
function isShortWord(name: string): boolean {
  return /^\p{L}{1,2}$/u.test(name);
}

/**
 * The direction that several texts about one picture share: their unit mean;
 * undefined where there is none, or where they point nowhere together.
 *
 * One row a picture, as many captions as it may have: a row for each of five
 * would take five times the memory and the time of every search (1 GB and
 * 125 ms in place of 0.2 GB and 25 ms for 100,000 pictures of 512 numbers). What
 * one caption alone says is fainter in the mean, but it is there; and what all
 * say stands out, where the first caption may have left it unsaid.
 */
export function meanText(texts: Matrix): Float32Array | undefined {
  const sum = new Float32Array(texts.dimensions);
  for (const text of texts) addScaled(sum, text);
  return sum.some((value) => value !== 0) ? l2Normalize(sum) : undefined;
}
