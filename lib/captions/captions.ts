/**
 * Pictures and what people wrote about them, from the files in which such data
 * sets come:
 *
 * | file | looks like |
 * | --- | --- |
 * | COCO's captions_val2017.json | `{images: [{id, file_name, …}], annotations: [{image_id, caption}], licenses}` |
 * | Flickr30k's dataset_flickr30k.json (Karpathy's split) | `{images: [{filename, split, sentences: [{raw}]}]}` |
 * | Flickr30k's results_20130124.token | `1000092795.jpg#0⇥Two young guys …`, one caption a line |
 * | captions.json | `{"owl.jpg": "An owl."}`, a list of captions, or `{caption, author, license}`; or a list of `{file, captions, …}` |
 *
 * What is wrong in a file is left out and reported, and the rest is read.
 * Captions keep the order of the file. All of it is text from outside.
 *
 * Beside this: coco.ts downloads COCO's pictures and captions.
 *
 * ```ts
 * import { parseCaptions } from "#lib/captions/captions.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const { pictures, problems } = parseCaptions('{"owl.jpg": ["An owl.", ""]}');
 * deepEqual(pictures[0].captions, ["An owl."]);
 * deepEqual(problems, ["owl.jpg: caption 2 is empty: left out"]);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Picture } from "../records.ts";

/** A picture and all its captions, of which `caption` is the first. */
export interface CaptionedPicture extends Picture {
  /** In the file's order; none for a picture that is only there to be found. */
  captions: string[];
  /** "train", "val" or "test", where the file splits. */
  split: string;
}

/** What a file holds. */
export interface CaptionFile {
  /** In the file's order. */
  pictures: CaptionedPicture[];
  /** What was left out or is odd, a line each. */
  problems: string[];
}

/**
 * Reads a file of captions.
 *
 * @throws {Error} If it is none of the formats above, or not whole: names it.
 */
export async function readCaptions(path: string): Promise<CaptionFile> {
  try {
    return parseCaptions(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw error;
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Reads the text of such a file. */
export function parseCaptions(text: string): CaptionFile {
  const collector = new CaptionCollector();
  const content = text.trim(); // Of a byte order mark as well.
  if (/^[[{]/.test(content)) addJson(collector, parseJson(content));
  else addTokenLines(collector, content);
  if (collector.pictures.size === 0) {
    throw new Error(
      "holds no captions: expected COCO annotations, Flickr30k's " +
        "dataset_flickr30k.json or .token, or captions.json (picture → captions)",
    );
  }
  return {
    pictures: [...collector.pictures.values()],
    problems: collector.problems,
  };
}

/** Gathers pictures and captions, and what is wrong with them. */
class CaptionCollector {
  readonly pictures = new Map<string, CaptionedPicture>();
  readonly problems: string[] = [];

  /** Takes a picture with whatever its captions are; undefined if it is none. */
  addPicture(
    path: unknown,
    facts: Partial<CaptionedPicture> = {},
    captions: readonly unknown[] = [],
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
    const picture = { ...UNKNOWN, ...facts, path, captions: [] };
    this.pictures.set(path, picture);
    captions.forEach((caption, i) => this.addCaption(picture, caption, i + 1));
    return picture;
  }

  /** Takes a caption; `place` is its number in the file, from 1. */
  addCaption(
    picture: CaptionedPicture,
    caption: unknown,
    place = picture.captions.length + 1,
  ): void {
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
    picture.caption ||= text;
  }
}

// deno-lint-ignore no-explicit-any -- whatever a file from outside holds
type Json = any;

function addJson(collector: CaptionCollector, json: Json): void {
  const { images, annotations } = json;
  if (Array.isArray(images) && Array.isArray(annotations)) {
    addCoco(collector, json);
  } else if (Array.isArray(images)) {
    addKarpathy(collector, images);
  } else {
    const entries = Array.isArray(json)
      ? json.map((one) => [one?.file ?? one?.file_name ?? one?.path, one])
      : Object.entries(json);
    for (const [path, entry] of entries) addEntry(collector, path, entry);
  }
}

function addCoco(collector: CaptionCollector, json: Json): void {
  const licenses = new Map<number, string>(
    (json.licenses ?? []).map((one: Json) => [
      one.id,
      `${one.name ?? ""} ${one.url ? `(${one.url})` : ""}`.trim(),
    ]),
  );
  const byId = new Map<unknown, CaptionedPicture>();
  for (const image of json.images) {
    if (byId.has(image?.id)) {
      collector.problems.push(
        `image ${image.id} is listed twice: the first one counts`,
      );
      continue;
    }
    const picture = collector.addPicture(image?.file_name, {
      url: asText(image?.coco_url),
      page: flickrPage(asText(image?.flickr_url)),
      license: licenses.get(image?.license) ?? "",
    });
    if (picture) byId.set(image.id, picture);
  }
  const known = new Set<unknown>();
  for (const annotation of json.annotations) {
    const picture = byId.get(annotation?.image_id);
    const name = `annotation ${annotation?.id}`;
    if (annotation?.id !== undefined && known.has(annotation.id)) {
      collector.problems.push(`${name} is listed twice: the first one counts`);
    } else if (!picture) {
      collector.problems.push(
        `${name} is of image ${annotation?.image_id}, which is not listed: ` +
          "left out",
      );
    } else {
      collector.addCaption(picture, annotation.caption);
    }
    known.add(annotation?.id);
  }
}

function addKarpathy(collector: CaptionCollector, images: Json[]): void {
  for (const image of images) {
    const name = asText(image?.filename);
    // Only COCO's pictures lie in folders, one a split.
    const folder = asText(image?.filepath);
    const sentences: Json[] = image?.sentences ?? [];
    collector.addPicture(folder ? `${folder}/${name}` : name, {
      split: asText(image?.split),
      page: folder ? "" : flickrPage(name),
    }, sentences.map((one) => one?.raw));
  }
}

/** A record with captions, a list of captions, or one caption. */
function addEntry(
  collector: CaptionCollector,
  path: unknown,
  entry: Json,
): void {
  const file = asText(entry?.flickr_url);
  const terms = asText(entry?.license_url);
  const license = `${asText(entry?.license)} ${terms && `(${terms})`}`.trim();
  const captions = entry?.captions ?? entry?.caption ?? entry;
  collector.addPicture(path, {
    split: asText(entry?.split),
    url: asText(entry?.url) || file,
    page: asText(entry?.page) || flickrPage(file),
    author: asText(entry?.author),
    license,
  }, Array.isArray(captions) ? captions : [captions]);
}

/** "1000092795.jpg#0⇥A caption" a line; a picture's captions may lie apart. */
function addTokenLines(collector: CaptionCollector, text: string): void {
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    const [, name, caption] = line.match(/^(.+)#\d+\t(.*)$/) ?? [];
    if (name === undefined) {
      collector.problems.push(
        `line ${index + 1}: expected NAME.jpg#0, a tab and a caption, got ` +
          `${quote(line)}: left out`,
      );
      return;
    }
    const picture = collector.pictures.get(name) ??
      collector.addPicture(name, { page: flickrPage(name) });
    if (picture) collector.addCaption(picture, caption);
  });
}

/**
 * A picture's page on Flickr, whoever its author is: from its file's address
 * there, …/6116/6255196340_da26cf2c9e_z.jpg, or its name in Flickr30k,
 * 1000092795.jpg. Of another file, "" or its address.
 */
function flickrPage(file: string): string {
  const [, number] = file.match(/\/(\d+)_[0-9a-f]+(?:_\w)?\.jpg$/) ??
    file.match(/^(\d+)\.jpg$/) ?? [];
  if (number) return `https://www.flickr.com/photo.gne?id=${number}`;
  return URL.canParse(file) ? file : "";
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `is not whole: expected JSON (${(error as Error).message}): download ` +
        "it again",
    );
  }
}

/** A value from outside, short enough for a line. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** What a file does not say is "". */
const UNKNOWN = {
  category: "",
  term: "",
  url: "",
  page: "",
  caption: "",
  author: "",
  license: "",
  split: "",
};

/** Whether a path stays below the folder that it starts from. */
function isBelow(path: string): boolean {
  return path !== "" && !/^([/\\]|[A-Za-z]:)/.test(path) &&
    !path.split(/[/\\]/).includes("..") && !/\p{Cc}/u.test(path);
}
