/**
 * What is searched: pictures with what is known about them, and two vectors
 * each, of how it looks and of what is written about it. It may grow while it
 * is searched; a picture's row never changes.
 *
 * Touches no files.
 *
 * ```ts
 * import { Collection, nameOf } from "#lib/search_page/index/collection.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(nameOf("birds/king-penguin_2.jpg"), "king penguin 2");
 * equal(new Collection("holidays", 512).count, 0);
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { dot } from "../../compare/metrics.ts";

/** One picture, as found. All strings are text from outside, never markup. */
export interface SourcePicture {
  /** Its name in results and addresses: its path below the folder, with "/". */
  id: string;
  /** Where its bytes are: a file's path, or the bytes themselves. */
  source: string | Uint8Array;
  /** SHA-256 of its bytes, where it is known already. */
  sha256?: string;
  /** A line to call it by. */
  title: string;
  /** What somebody wrote about it; "" if nothing. */
  caption: string;
  term: string;
  category: string;
  author: string;
  license: string;
  /** Address of the page that shows and credits it. */
  page: string;
}

/** What filters choose from, each with how many pictures have it. */
export interface Facets {
  term: [name: string, count: number][];
  category: [name: string, count: number][];
  license: [name: string, count: number][];
}

/** Names to filter by; a page with more would be slow, and no reader helped. */
const MOST_NAMES = 500;

/** Pictures that can be searched. */
export class Collection {
  /** What the page calls it. */
  readonly name: string;
  /** By row. */
  readonly pictures: SourcePicture[] = [];
  /** How each picture looks: unit vectors by row. */
  readonly looks: Matrix;
  /**
   * What is written about them: unit vectors, each text once, since a folder's
   * pictures often share their only word. `wordsRow` tells which is whose.
   */
  readonly words: Matrix;
  /** A picture's row in `words`; -1 where nothing is written about it. */
  readonly wordsRow: number[] = [];
  /** Similarity of a row's words to its looks. */
  readonly agreement: number[] = [];
  readonly #rows = new Map<string, number>();
  readonly #wordsRows = new Map<string, number>();

  /**
   * @param dimensions Length of the vectors.
   * @param capacity How many pictures are expected.
   */
  constructor(name: string, dimensions: number, capacity?: number) {
    this.name = name;
    this.looks = Matrix.empty(dimensions, capacity);
    this.words = Matrix.empty(dimensions, capacity);
  }

  /** How many pictures can be searched now. */
  get count(): number {
    return this.pictures.length;
  }

  /**
   * Adds a picture; `words` is left out where nothing is written about it.
   */
  add(picture: SourcePicture, looks: Float32Array, words?: Float32Array): void {
    this.looks.append(looks);
    this.wordsRow.push(words ? this.#rowOfWords(textOf(picture), words) : -1);
    this.agreement.push(words ? dot(looks, words) : NaN);
    this.#rows.set(picture.id, this.pictures.length);
    this.pictures.push(picture);
  }

  /** The row of the picture of that id; undefined if there is none. */
  rowOf(id: string): number | undefined {
    return this.#rows.get(id);
  }

  /** Whether anything is written about the picture of that row. */
  hasWords(row: number): boolean {
    return this.wordsRow[row] >= 0;
  }

  /** What can be filtered by: the most frequent names, in alphabetical order. */
  facets(): Facets {
    const of = (key: keyof Facets) => {
      const counts = new Map<string, number>();
      for (const { [key]: name } of this.pictures) {
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

  #rowOfWords(text: string, words: Float32Array): number {
    let row = this.#wordsRows.get(text);
    if (row === undefined) {
      row = this.words.count;
      this.words.append(words);
      this.#wordsRows.set(text, row);
    }
    return row;
  }
}

/** A file's name as words; "" for names that only a camera would give. */
export function nameOf(path: string): string {
  const name = path.split("/").at(-1)!.replace(/\.\w+$/, "");
  const words = name.replaceAll(/[-_.\s]+/g, " ").trim();
  return /\p{L}{3}/u.test(words) &&
      !/^(img|dsc[nf]?|image|photo) ?\d+$/i.test(words)
    ? words
    : "";
}

/** The text that a picture's words are embedded from; "" if there is none. */
export function textOf({ title, caption, term }: SourcePicture): string {
  const named = title === "" || caption.includes(title) ? "" : title;
  const filed = [named, caption].join(" ").includes(term) ? "" : term;
  return [filed, named, caption].filter((part) => part !== "").join(". ");
}
