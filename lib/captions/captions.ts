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
 * | captions.jsonl | `{"file_name": "owl.jpg", "text": "An owl."}`, a record a line |
 * | metadata.csv | `file_name,text,author,license`, a record a line |
 *
 * What is wrong in a file is left out and reported, and the rest is read.
 * Captions keep the order of the file. All of it is text from outside.
 *
 * Beside this: json.ts reads JSON as programs write it, named_files.ts finds the
 * files that captions name, beside.ts reads what lies beside a folder's pictures,
 * coco.ts downloads COCO's pictures and captions.
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
import { parse } from "csv-parse/sync";
import {
  delimiterOf,
  type Field,
  foldColumn,
  placesOf,
} from "../dataset/columns.ts";
import type { Picture } from "../records.ts";
import { parseJson, readText } from "./json.ts";

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
    const { text, problems } = await readText(path);
    const read = parseCaptions(/\.csv$/i.test(path) ? rowsOf(text) : text);
    return { ...read, problems: [...problems, ...read.problems] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code) throw new Error(`${path} cannot be read (${code})`);
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** A table as records in JSON. */
function rowsOf(text: string): string {
  const [header] = text.trimStart().split("\n", 1);
  return JSON.stringify(parse(text, {
    ...{ columns: true, bom: true, delimiter: delimiterOf(header) },
    ...{ relax_quotes: true, relax_column_count: true },
    skip_empty_lines: true,
  }));
}

/** Reads the text of such a file. */
export function parseCaptions(text: string): CaptionFile {
  const collector = new CaptionCollector();
  const content = text.trim(); // Of a byte order mark as well.
  if (/^[[{]/.test(content)) {
    const { values, problems } = parseJson(content);
    collector.problems.push(...problems);
    if (values.length === 1) addJson(collector, values[0]);
    else addJson(collector, values); // A list, of lines.
  } else addTokenLines(collector, content);
  const { problems } = collector;
  if (collector.pictures.size === 0) {
    throw new Error(
      "holds no captions: expected COCO annotations, Flickr30k's " +
        "dataset_flickr30k.json or .token, or captions.json " +
        `(picture → captions)${inShort(problems)}`,
    );
  }
  return { pictures: [...collector.pictures.values()], problems };
}

/** The first remarks, to end an error's line with; "" where there are none. */
export function inShort(remarks: readonly string[]): string {
  const shown = remarks.slice(0, 3).map((remark) => `; ${remark}`).join("");
  const more = remarks.length - 3;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

/** Gathers pictures and captions, and what is wrong with them. */
class CaptionCollector {
  readonly pictures = new Map<string, CaptionedPicture>();
  readonly problems: string[] = [];

  /** Takes a picture with whatever its captions are; undefined if it is none. */
  addPicture(
    given: unknown,
    facts: Partial<CaptionedPicture> = {},
    captions: readonly unknown[] = [],
  ): CaptionedPicture | undefined {
    if (typeof given !== "string" || !isBelow(given)) {
      this.problems.push(
        `${quote(given)} is no path of a picture below its folder: left out`,
      );
      return;
    }
    const path = given.split(/[/\\]/).filter((part) => !/^\.?$/.test(part))
      .join("/");
    const known = this.pictures.get(path);
    if (known) {
      // Some have a record a caption.
      const more = captions.filter((one) =>
        typeof one !== "string" || !known.captions.includes(one.trim())
      );
      for (const caption of more) this.addCaption(known, caption);
      if (more.length > 0) return known;
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
  if (isObject(images) && isObject(annotations)) {
    addCoco(collector, json);
  } else if (Array.isArray(images)) {
    addKarpathy(collector, images);
  } else if (Array.isArray(json)) {
    for (const one of json) addRecord(collector, one);
  } else if (namesPicture(json)) {
    addRecord(collector, json);
  } else {
    for (const [path, entry] of Object.entries(json)) {
      addEntry(collector, path, entry);
    }
  }
}

/** One of a list, or of lines: a record, a pair, or what may be a whole file. */
function addRecord(collector: CaptionCollector, record: Json): void {
  if (Array.isArray(record)) {
    const [path, ...captions] = record;
    addEntry(collector, path, captions.flat());
  } else if (isObject(record) && !namesPicture(record)) {
    addJson(collector, record);
  } else {
    const fields = Object.entries(record ?? {});
    const [path] = PATH_NAMES.flatMap((name) =>
      fields.flatMap(([field, value]) =>
        foldColumn(field) === name && typeof value === "string" ? [value] : []
      )
    );
    addEntry(collector, path ?? record, record);
  }
}

/** What a record may call its picture's path, without case and signs. */
const PATH_NAMES = ["file", "filename", "path", "image"];

function namesPicture(record: object): boolean {
  return Object.keys(record).some((name) =>
    PATH_NAMES.includes(foldColumn(name))
  );
}

/** Whether a value is an object; a list is one, of entries by number. */
function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** An id, for comparing: as text, since some write 7 and some "7". */
function idOf(value: unknown): string | undefined {
  return ["string", "number"].includes(typeof value) ? `${value}` : undefined;
}

function addCoco(collector: CaptionCollector, json: Json): void {
  const { problems } = collector;
  const licenses = new Map<string | undefined, string>();
  for (const one of Object.values(json.licenses ?? {}) as Json[]) {
    const name = asText(one?.name), url = asText(one?.url);
    licenses.set(idOf(one?.id), `${name} ${url && `(${url})`}`.trim());
  }
  licenses.delete(undefined); // A picture without a licence has none of these.
  const byId = new Map<string, CaptionedPicture>();
  for (const image of Object.values(json.images) as Json[]) {
    const id = idOf(image?.id);
    if (id === undefined) {
      problems.push(`image ${quote(image)} has no id: left out`);
    } else if (byId.has(id)) {
      problems.push(`image ${id} is listed twice: the first one counts`);
    } else {
      const picture = collector.addPicture(image.file_name, {
        url: asText(image.coco_url),
        page: flickrPage(asText(image.flickr_url)),
        license: licenses.get(idOf(image.license)) ?? "",
      });
      if (picture) byId.set(id, picture);
    }
  }
  const known = new Set<string>();
  for (const annotation of Object.values(json.annotations) as Json[]) {
    const id = idOf(annotation?.id), of = idOf(annotation?.image_id);
    const picture = of === undefined ? undefined : byId.get(of);
    // Some number all annotations 0: such ids tell only with the image's.
    const key = `${id} ${of}`;
    if (!picture) {
      problems.push(
        isObject(annotation)
          ? `annotation ${id} is of image ${of}, which is not listed: left out`
          : `annotation ${quote(annotation)} is no record: left out`,
      );
    } else if (id !== undefined && known.has(key)) {
      problems.push(`annotation ${id} is listed twice: the first one counts`);
    } else {
      known.add(key);
      for (const caption of [annotation.caption].flat()) {
        collector.addCaption(picture, caption);
      }
    }
  }
}

function addKarpathy(collector: CaptionCollector, images: Json[]): void {
  for (const image of images) {
    const name = image?.filename ?? image;
    // Only COCO's pictures lie in folders, one a split.
    const folder = asText(image?.filepath);
    const picture = collector.addPicture(folder ? `${folder}/${name}` : name, {
      split: asText(image?.split),
      page: folder ? "" : flickrPage(asText(name)),
    });
    if (!picture) continue;
    if (!Array.isArray(image.sentences)) {
      collector.problems.push(
        `${picture.path}: sentences are ${quote(image.sentences)}, no list: ` +
          "left out",
      );
      continue;
    }
    image.sentences.forEach((one: Json, i: number) => {
      const words = Array.isArray(one?.tokens) && one.tokens.join(" ");
      const text = typeof one === "string" ? one : one?.raw ?? words;
      collector.addCaption(picture, text || one, i + 1);
    });
  }
}

/** A record with captions, a list of captions, or one caption. */
function addEntry(
  collector: CaptionCollector,
  path: unknown,
  entry: Json,
): void {
  const isRecord = isObject(entry) && !Array.isArray(entry);
  const places = isRecord ? placesOf(Object.keys(entry)) : {};
  const value = (field: Field) => Object.values(entry)[places[field] ?? -1];
  const text = (field: Field) => isRecord ? asText(value(field)) : "";
  const file = asText(entry?.flickr_url);
  const [license, terms] = [text("license"), asText(entry?.license_url)];
  const { captions: all } = isRecord ? entry as Json : {};
  const captions = isRecord ? all ?? value("caption") ?? [] : entry;
  collector.addPicture(path, {
    split: asText(entry?.split),
    url: asText(entry?.url) || file,
    page: text("page") || flickrPage(file),
    author: text("author"),
    license: terms && terms !== license ? `${license} (${terms})` : license,
  }, Array.isArray(captions) ? captions : [captions]);
}

/** "1000092795.jpg#0⇥A caption" a line; a picture's captions may lie apart. */
function addTokenLines(collector: CaptionCollector, text: string): void {
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
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

/** A value from outside, short enough for a line. */
function quote(value: unknown): string {
  // JSON has no word for NaN and infinity.
  const text = typeof value === "number"
    ? String(value)
    : (JSON.stringify(value) ?? String(value)).replaceAll(/\p{Cc}/gu, " ");
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
