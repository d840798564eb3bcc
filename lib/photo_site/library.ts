/**
 * What the offline photo site has: the sample pictures, and what a crawler
 * meets on a real site besides.
 *
 * - The same photo twice in one search, under another address.
 * - The same photo under two terms.
 * - The same photo uploaded again, under another number.
 * - The same once more, but made smaller and saved again: a near copy.
 * - Photos that are no good: cut off, too small, not a picture, gone.
 *
 * Which photos these are depends on nothing but the sample.
 *
 * Touches no files.
 *
 * ```ts
 * import { openLibrary } from "#lib/photo_site/library.ts";
 * import { readSample } from "#lib/photo_site/sample.ts";
 * import { equal, ok } from "node:assert/strict";
 *
 * const library = openLibrary(await readSample());
 * ok(library.search("Water Bird").length > 8);
 * equal(library.search("unicorn").length, 0);
 * ```
 *
 * @module
 */
import { basename } from "node:path";
import type { SamplePicture } from "./sample.ts";

/** What is wrong with a photo's file. */
export type Flaw = "cut off" | "too small" | "not a picture" | "gone";

/** One upload. */
export interface Photo extends SamplePicture {
  /** The site's number for it. */
  id: number;
  /** The name in its addresses: "king-penguin". */
  name: string;
  /** What is wrong with its file, if anything. */
  flaw?: Flaw;
  /** Whether its file is another photo's, made smaller and saved again. */
  isNearCopy?: boolean;
}

/** All photos of the site. */
export interface Library {
  /** By number. */
  photos: Photo[];
  /** Every category's terms, in the sample's order. */
  terms: { category: string; term: string; cover: Photo }[];
  /** The photo of a number. */
  find(id: number): Photo | undefined;
  /**
   * What a search shows: photos whose category and term have all its words.
   * One that comes again stands further up already.
   */
  search(text: string): Photo[];
}

const FLAWS: Flaw[] = ["cut off", "too small", "not a picture", "gone"];

/** Photos that the site lists under a second term as well. */
const ALSO_UNDER: Record<string, string> = {
  "animals/ground bird/hen.jpg": "livestock",
  "animals/ground bird/rooster.jpg": "livestock",
  "buildings/arch or statue/christ-the-redeemer.jpg": "sacred building",
};

/** Places in a term's results, from 0: on the first page, and on the second. */
const FLAWED_PLACE = 4;
const AGAIN_PLACE = 8;

/** Makes the library of these pictures, which come sorted. */
export function openLibrary(pictures: readonly SamplePicture[]): Library {
  const photos: Photo[] = [];
  const upload = (
    picture: SamplePicture,
    file: Pick<Photo, "flaw" | "isNearCopy"> = {},
  ): Photo => {
    const name = basename(picture.path, ".jpg");
    const photo = { ...picture, id: 1001 + photos.length, name, ...file };
    photos.push(photo);
    return photo;
  };

  const byTerm = Map.groupBy(
    pictures.map((picture) => upload(picture)),
    ({ category, term }) => `${category}/${term}`,
  );
  const terms = [...byTerm.values()].map((originals, index) => {
    const [{ category, term }] = originals;
    const listed = [...originals];
    // Every third term has a photo that is no good, the next one an upload
    // of something that was there, the one after it a near copy.
    if (index % 3 === 0) {
      const flaw = FLAWS[(index / 3) % FLAWS.length];
      listed.splice(FLAWED_PLACE, 0, upload(originals.at(-1)!, { flaw }));
    } else if (index % 3 === 1) {
      listed.push(upload(originals[0]));
    } else {
      listed.push(upload(originals[1], { isNearCopy: true }));
    }
    const also = photos.filter(({ path }) => ALSO_UNDER[path] === term);
    listed.splice(AGAIN_PLACE, 0, originals[0], ...also);
    return { category, term, cover: originals[0], listed };
  });
  return {
    photos,
    terms,
    find: (id) => photos[id - 1001],
    search(text) {
      const asked = words(text);
      if (asked.length === 0) return [];
      return terms.flatMap(({ category, term, listed }) => {
        const own = words(`${category} ${term}`);
        return asked.every((word) => own.includes(word)) ? listed : [];
      });
    },
  };
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\d]+/gu) ?? [];
}
