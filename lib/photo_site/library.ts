/**
 * What the offline photo site has: the sample pictures, and what a crawler
 * meets on a real site besides.
 *
 * - The same photo twice in one search, under another address.
 * - The same photo under two terms.
 * - The same photo uploaded again, under another number.
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
import type { SamplePicture } from "./sample.ts";

/** What is wrong with a photo's file. */
export type Flaw = "cut off" | "too small" | "not a picture" | "gone";

/** One upload. */
export interface Photo extends SamplePicture {
  /** The site's number for it. */
  id: number;
  /** What is wrong with its file, if anything. */
  flaw?: Flaw;
}

/** One place in a search's results. */
export interface Listing {
  /** What is listed. */
  photo: Photo;
  /** The photo stands further up already. */
  again: boolean;
}

/** All photos of the site. */
export interface Library {
  /** By number. */
  photos: Photo[];
  /** Every category's terms, in the sample's order. */
  terms: { category: string; term: string; cover: Photo }[];
  /** The photo of a number. */
  find(id: number): Photo | undefined;
  /** What a search shows: photos whose category and term have all its words. */
  search(text: string): Listing[];
}

const FLAWS: Flaw[] = ["cut off", "too small", "not a picture", "gone"];

/** Photos that the site lists under a second term as well. */
const ALSO_UNDER: Record<string, string> = {
  "ground bird/hen": "livestock",
  "ground bird/rooster": "livestock",
};

/** Places in a term's results, from 0: on the first page, and on the second. */
const FLAWED_PLACE = 4;
const AGAIN_PLACE = 8;

/** Makes the library of these pictures, which come sorted. */
export function openLibrary(pictures: readonly SamplePicture[]): Library {
  const photos: Photo[] = [];
  const upload = (picture: SamplePicture, flaw?: Flaw): Photo => {
    const photo = { ...picture, id: 1001 + photos.length, flaw };
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
    // of something that was there.
    if (index % 3 === 0) {
      const flaw = FLAWS[(index / 3) % FLAWS.length];
      listed.splice(FLAWED_PLACE, 0, upload(originals.at(-1)!, flaw));
    } else if (index % 3 === 1) {
      listed.push(upload(originals[0]));
    }
    listed.push(
      ...photos.filter((photo) =>
        ALSO_UNDER[`${photo.term}/${photo.name}`] === term
      ),
    );
    listed.splice(AGAIN_PLACE, 0, originals[0]);
    return { category, term, cover: originals[0], listed };
  });
  return {
    photos,
    terms,
    find: (id) => photos[id - 1001],
    search(text) {
      const found = terms.filter((term) => matches(text, term))
        .flatMap(({ listed }) => listed);
      return found.map((photo, place) => ({
        photo,
        again: found.indexOf(photo) < place,
      }));
    },
  };
}

/** Whether all words of a search are among a term's own. */
function matches(
  text: string,
  { category, term }: { category: string; term: string },
): boolean {
  const own = words(`${category} ${term}`);
  const asked = words(text);
  return asked.length > 0 && asked.every((word) => own.includes(word));
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\d]+/gu) ?? [];
}
