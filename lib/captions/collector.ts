/**
 * Gathers pictures and their captions, and what is wrong with them.
 *
 * Touches no files.
 *
 * ```ts
 * import { CaptionCollector } from "#lib/captions/collector.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const collector = new CaptionCollector();
 * collector.addPicture("../../etc/passwd");
 * deepEqual(collector.problems, [
 *   '"../../etc/passwd" is no path of a picture below its folder: left out',
 * ]);
 * ```
 *
 * @module
 */

/** A picture and its captions. What the file does not say is "". */
export interface CaptionedPicture {
  /** Path below the folder of pictures, with "/": "000000397133.jpg". */
  path: string;
  /** In the file's order; none for a picture that is only there to be found. */
  captions: string[];
  /** "train", "val" or "test", where the file splits. */
  split: string;
  /** Address of the picture file. */
  url: string;
  /** Address of the page that shows it and names its author. */
  page: string;
  author: string;
  /** Under which terms. */
  license: string;
}

/** What a file holds. */
export interface CaptionFile {
  /** In the file's order. */
  pictures: CaptionedPicture[];
  /** What was left out or is odd, a line each. */
  problems: string[];
}

/** What of a picture is known beside its captions. */
export type PictureFacts = Partial<Omit<CaptionedPicture, "captions" | "path">>;

/** Gathers pictures and captions, and what is wrong with them. */
export class CaptionCollector {
  /** By path, in the order of arrival. */
  readonly pictures = new Map<string, CaptionedPicture>();
  /** A line each. */
  readonly problems: string[] = [];

  /** Takes a picture; undefined if it cannot be one. */
  addPicture(
    path: unknown,
    facts: PictureFacts = {},
  ): CaptionedPicture | undefined {
    if (typeof path !== "string" || !isBelow(path)) {
      this.problems.push(
        `${quote(path)} is no path of a picture below its folder: left out`,
      );
      return;
    }
    if (this.pictures.has(path)) {
      this.problems.push(`${path} is listed twice: the first one counts`);
      return;
    }
    const picture = {
      path,
      captions: [],
      split: "",
      url: "",
      page: "",
      author: "",
      license: "",
      ...facts,
    };
    this.pictures.set(path, picture);
    return picture;
  }

  /** Takes a caption, number `place` of its picture. */
  addCaption(picture: CaptionedPicture, caption: unknown, place: number): void {
    const name = `${picture.path}: caption ${place}`;
    if (typeof caption !== "string") {
      this.problems.push(`${name} is ${quote(caption)}, no text: left out`);
      return;
    }
    const text = caption.trim();
    if (text === "") {
      this.problems.push(`${name} is empty: left out`);
      return;
    }
    if (text.length > 1000) {
      this.problems.push(
        `${name} has ${text.length} characters: encoders read its beginning`,
      );
    }
    if (!/\p{Script=Latin}/u.test(text)) {
      this.problems.push(
        `${name} has no Latin letters (${quote(text)}): encoders of English ` +
          "make little of it",
      );
    }
    picture.captions.push(text);
  }

  /** Takes a picture's captions, in their order. */
  addCaptions(picture: CaptionedPicture, captions: readonly unknown[]): void {
    captions.forEach((caption, i) => this.addCaption(picture, caption, i + 1));
  }
}

/** A value from outside, short enough for a line. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Whether a path stays below the folder that it starts from. */
function isBelow(path: string): boolean {
  return path !== "" && !/^([/\\]|[A-Za-z]:)/.test(path) &&
    !path.split(/[/\\]/).includes("..") && !/\p{Cc}/u.test(path);
}
