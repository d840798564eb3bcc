/**
 * What is searched: pictures with what is known about them, and two embeddings
 * each, of the picture and of what is written about it. It may grow, shrink and
 * change while it is searched.
 *
 * ```text
 * row      a picture's place in every list; the last row moves to where one is
 *          removed, so that rows have no gaps: `layout` says when that happened
 * id       names a picture as long as it stays what it is; never used again
 * path     its name in its folder
 * ```
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
import { createHash } from "node:crypto";
import { Matrix } from "../../compare/matrix.ts";
import {
  addScaled,
  clampCosine,
  dot,
  l2Normalize,
} from "../../compare/metrics.ts";
import type { PictureToEmbed } from "../../embeddings/embeddings.ts";
import { NO_FACTS, type PhotoFacts } from "../../pictures/photo_facts.ts";
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
export type Facets =
  & Record<
    "term" | "category" | "license" | "camera",
    [name: string, count: number][]
  >
  & {
    /** Years, the oldest first. */
    dates: [year: string, count: number][];
  };

/** Vectors of a picture that wait for a database. */
export interface PendingVectors {
  picture: Float32Array;
  /** Of what is written about it. */
  text?: Float32Array;
}

/** Names to filter by; a page with more would be slow, and no reader helped. */
const MOST_NAMES = 500;

/** Pictures that can be searched. */
export class Collection {
  /** By row. */
  readonly pictures: SourcePicture[] = [];
  /** What the file itself tells of each picture, by row. */
  readonly facts: PhotoFacts[] = [];
  /** Unit vectors, by row. */
  readonly pictureEmbeddings: Matrix;
  /**
   * What is written about them: unit vectors, equal texts once, since a folder's
   * pictures often share their only word. `textRows` tells which is whose; a row
   * that is nobody's waits for the next text.
   */
  readonly textEmbeddings: Matrix;
  /** A picture's row in `textEmbeddings`; -1 where nothing is written about it. */
  readonly textRows: number[] = [];
  /** Similarity of a picture to its text; NaN where it has none. */
  readonly agreement: number[] = [];
  /** What names each row of `textEmbeddings`, by what is written; "" of a free one. */
  readonly textIds: string[] = [];
  /** Whether vectors are kept here; a database has them otherwise. */
  readonly keepsVectors: boolean;
  /** Where they are not kept: those that no database has yet, by path. */
  readonly pending: Map<string, PendingVectors> = new Map();
  /** The version of each row's file (file_hashes.ts), where it is known. */
  readonly versions: (string | undefined)[] = [];
  /** Paths of pictures that the reader does not want to see. */
  readonly hidden: ReadonlySet<string>;
  readonly #hidden = new Set<string>();
  readonly #ids: number[] = [];
  readonly #rowsOfIds = new Map<number, number>();
  readonly #rows = new Map<string, number>();
  readonly #texts = new Map<string, { row: number; users: number }>();
  readonly #freeTextRows: number[] = [];
  // Of no run before: a browser keeps what it was shown under an address.
  #lastId = 1000 * Date.now();
  #generation = Date.now();
  #layout = 0;
  #contents = 0;
  /** What filters choose from, of the pictures that are not hidden. */
  readonly #counts = {
    ...{ term: new Map(), category: new Map(), license: new Map() },
    ...{ camera: new Map(), dates: new Map() },
  } as Record<keyof Facets, Map<string, number>>;

  /**
   * @param dimensions Length of the vectors.
   * @param capacity How many pictures are expected.
   * @param keepsVectors Whether their vectors are kept here.
   */
  constructor(dimensions: number, capacity?: number, keepsVectors = true) {
    this.keepsVectors = keepsVectors;
    if (!keepsVectors) capacity = 0;
    this.pictureEmbeddings = Matrix.empty(dimensions, capacity);
    this.textEmbeddings = Matrix.empty(dimensions, capacity);
    this.hidden = this.#hidden;
  }

  /** How many pictures, and rows, there are. */
  get count(): number {
    return this.pictures.length;
  }

  /** Whether anything is written about any picture. */
  get hasTexts(): boolean {
    return this.#texts.size > 0;
  }

  /** Another number whenever a picture comes, goes, changes or is hidden. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Another number whenever a row becomes another picture's, or goes: what was
   * computed by row before it is no longer of the same pictures. Rows that are
   * added behind the others change nothing of it.
   */
  get layout(): number {
    return this.#layout;
  }

  /** Another number whenever a picture comes, goes or changes. */
  get contents(): number {
    return this.#contents;
  }

  /**
   * Adds a picture, in the place of the one of its path if there is one; without
   * `text` where nothing is written about it (meanText).
   */
  add(
    picture: SourcePicture,
    embedding: Float32Array,
    text?: Float32Array,
    version?: string,
    facts: PhotoFacts = NO_FACTS,
  ): void {
    const before = this.#rows.get(picture.path);
    const row = before ?? this.count;
    if (before !== undefined) {
      this.#forget(before);
      this.#layout++;
    }
    if (!this.keepsVectors) {
      // Copies: they may be rows of something large.
      this.pending.set(picture.path, {
        picture: embedding.slice(),
        text: text?.slice(),
      });
    } else if (before === undefined) this.pictureEmbeddings.append(embedding);
    else this.pictureEmbeddings.set(before, embedding);
    this.#generation++;
    this.#contents++;
    const written = textsOf(picture).join("\n");
    this.pictures[row] = picture;
    this.facts[row] = facts;
    this.versions[row] = version;
    this.textRows[row] = text ? this.#takeText(written, text) : -1;
    this.agreement[row] = text ? clampCosine(dot(embedding, text)) : NaN;
    this.#ids[row] = ++this.#lastId;
    this.#rowsOfIds.set(this.#lastId, row);
    this.#rows.set(picture.path, row);
    if (this.isSearchable(row)) this.#count(row, 1);
  }

  /**
   * Adds a picture whose vectors a database has, put there by another program.
   *
   * @param textId Of what is written about it; "" for nothing.
   * @param agreement Similarity of picture and text.
   */
  adopt(
    picture: SourcePicture,
    facts: PhotoFacts,
    textId: string,
    agreement: number,
  ): void {
    const none = new Float32Array(0);
    this.add(picture, none, textId ? none : undefined, undefined, facts);
    this.pending.delete(picture.path);
    this.agreement[this.#rows.get(picture.path)!] = agreement;
  }

  /** Makes room for so many pictures in all, so that none are moved later. */
  reserve(count: number): void {
    if (!this.keepsVectors) return;
    this.pictureEmbeddings.reserve(count);
    this.textEmbeddings.reserve(count);
  }

  /** Removes the picture of that path, if there is one; the last row takes its place. */
  remove(path: string): void {
    const row = this.#rows.get(path);
    if (row === undefined) return;
    this.#generation++;
    this.#layout++;
    this.#contents++;
    this.#forget(row);
    this.#rows.delete(path);
    this.pending.delete(path);
    const last = this.count - 1;
    if (this.keepsVectors) {
      if (row < last) {
        this.pictureEmbeddings.set(row, this.pictureEmbeddings.row(last));
      }
      this.pictureEmbeddings.shorten(last);
    }
    if (row < last) {
      this.#rows.set(this.pictures[last].path, row);
      this.#rowsOfIds.set(this.#ids[last], row);
    }
    const { pictures, facts, versions, textRows, agreement } = this;
    const lists: unknown[][] = [
      ...[pictures, facts, versions, textRows, agreement, this.#ids],
    ];
    for (const list of lists) {
      const moved = list.pop();
      if (row < last) list[row] = moved;
    }
  }

  /** Hides a picture from searches, or shows it again. */
  hide(path: string, hidden: boolean): void {
    if (this.#hidden.has(path) === hidden) return;
    if (hidden) this.#hidden.add(path);
    else this.#hidden.delete(path);
    this.#generation++;
    const row = this.#rows.get(path);
    if (row !== undefined) this.#count(row, hidden ? -1 : 1);
  }

  /** Whether a row's picture may be a result. */
  isSearchable(row: number): boolean {
    // Mostly nothing is: to look up 100,000 paths takes longer than to rank them.
    return this.#hidden.size === 0 ||
      !this.#hidden.has(this.pictures[row].path);
  }

  /** The row of the picture of that path; undefined if there is none. */
  rowOf(path: string): number | undefined {
    return this.#rows.get(path);
  }

  /** What names a row's picture as long as it stays what it is. */
  idOf(row: number): number {
    return this.#ids[row];
  }

  /** The row of the picture of that id; undefined if it is gone or has changed. */
  rowOfId(id: number): number | undefined {
    return this.#rowsOfIds.get(id);
  }

  /**
   * What can be filtered by: the most frequent names, in alphabetical order, and
   * all years.
   */
  facets(): Facets {
    const { term, category, license, camera, dates } = this.#counts;
    const frequent = (counts: Map<string, number>) =>
      inOrder([...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMES));
    return {
      term: frequent(term),
      category: frequent(category),
      license: frequent(license),
      camera: frequent(camera),
      dates: inOrder([...dates]),
    };
  }

  /** Counts a row's picture once more, or once less. */
  #count(row: number, by: 1 | -1): void {
    const { term, category, license } = this.pictures[row];
    const { camera, date } = this.facts[row];
    const counts = this.#counts;
    countName(counts.term, term, by);
    countName(counts.category, category, by);
    countName(counts.license, license, by);
    countName(counts.camera, camera, by);
    countName(counts.dates, date.slice(0, 4), by);
  }

  /** Gives up what a row holds of what is shared, and its id. */
  #forget(row: number): void {
    if (this.isSearchable(row)) this.#count(row, -1);
    this.#rowsOfIds.delete(this.#ids[row]);
    if (this.textRows[row] < 0) return;
    const written = textsOf(this.pictures[row]).join("\n");
    const text = this.#texts.get(written)!;
    if (--text.users > 0) return;
    this.#texts.delete(written);
    this.#freeTextRows.push(text.row);
    this.textIds[text.row] = "";
  }

  #takeText(written: string, embedding: Float32Array): number {
    const known = this.#texts.get(written);
    if (known) {
      known.users++;
      return known.row;
    }
    const row = this.#freeTextRows.pop() ?? this.textIds.length;
    this.textIds[row] = createHash("sha256").update(written)
      .digest("base64url").slice(0, 22);
    if (!this.keepsVectors) {
      // It waits with its picture's.
    } else if (row < this.textEmbeddings.count) {
      this.textEmbeddings.set(row, embedding);
    } else this.textEmbeddings.append(embedding);
    this.#texts.set(written, { row, users: 1 });
    return row;
  }
}

/** Counts a name once more, or once less; none is no name. */
function countName(
  counts: Map<string, number>,
  name: string,
  by: 1 | -1,
): void {
  if (name === "") return;
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

function inOrder<Entry extends [name: string, count: number]>(
  entries: Entry[],
): Entry[] {
  return entries.sort(([a], [b]) => a < b ? -1 : 1);
}

/**
 * What is written about a picture: its term, title and caption as one text, and
 * as many texts as it has captions; none where nothing is written.
 */
export function textsOf(picture: SourcePicture): string[] {
  const { title, caption, term, captions = [caption] } = picture;
  const filed = isWord(term) ? term : "";
  const texts = captions.map((text) => {
    const named = text.includes(title) ? "" : title;
    const parts = [named, text].filter((part) => part !== "");
    if (!parts.join(" ").includes(filed)) parts.unshift(filed);
    return parts.join(". ");
  });
  return texts.filter((text) => text !== "");
}

/**
 * Whether a folder's name says something. "TV", "ox" are too short to tell from
 * a device's letters, but for a folder. The last answer is remembered: pictures
 * come folder by folder.
 */
function isWord(name: string): boolean {
  if (asked.name !== name) {
    const isOne = tellsSomething(name) || /^\p{L}{1,2}$/u.test(name);
    asked = { name, isOne };
  }
  return asked.isOne;
}

let asked = { name: "", isOne: false };

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
export function meanText(
  texts: readonly Float32Array[],
): Float32Array | undefined {
  const [first] = texts;
  // Most have one, which is a unit vector already.
  if (texts.length === 1 && first.some(Boolean)) return first;
  const sum = new Float32Array(first?.length ?? 0);
  for (const text of texts) addScaled(sum, text);
  return sum.some((value) => value !== 0) ? l2Normalize(sum) : undefined;
}
