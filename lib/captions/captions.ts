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
import {
  CaptionCollector,
  type CaptionedPicture,
  type CaptionFile,
  type PictureFacts,
  quote,
} from "./collector.ts";

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
  const content = text.replace(/^\uFEFF/, "").trim();
  if (/^[[{]/.test(content)) {
    addJson(collector, parseJson(content));
  } else {
    addTokenLines(collector, content);
  }
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

// deno-lint-ignore no-explicit-any -- whatever a file from outside holds
type Json = any;

function addJson(collector: CaptionCollector, json: Json): void {
  if (Array.isArray(json?.annotations) && Array.isArray(json.images)) {
    addCoco(collector, json);
  } else if (Array.isArray(json?.images)) {
    addKarpathy(collector, json.images);
  } else if (Array.isArray(json)) {
    addList(collector, json);
  } else {
    addPlain(collector, json);
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
  const seen = new Set<unknown>();
  for (const annotation of json.annotations) {
    const picture = byId.get(annotation?.image_id);
    const name = `annotation ${annotation?.id}`;
    if (annotation?.id !== undefined && seen.has(annotation.id)) {
      collector.problems.push(`${name} is listed twice: the first one counts`);
    } else if (!picture) {
      collector.problems.push(
        `${name} is of image ${annotation?.image_id}, which is not listed: ` +
          "left out",
      );
    } else {
      const place = picture.captions.length + 1;
      collector.addCaption(picture, annotation.caption, place);
    }
    seen.add(annotation?.id);
  }
}

function addKarpathy(collector: CaptionCollector, images: Json[]): void {
  for (const image of images) {
    const name = asText(image?.filename);
    // Only COCO's pictures lie in folders, one a split.
    const folder = asText(image?.filepath);
    const picture = collector.addPicture(folder ? `${folder}/${name}` : name, {
      split: asText(image?.split),
      // Flickr30k's files are named after their number on Flickr.
      page: /^\d+\.jpg$/.test(name) && !folder
        ? photoPage(name.slice(0, -4))
        : "",
    });
    const sentences: Json[] = image?.sentences ?? [];
    if (picture) {
      collector.addCaptions(picture, sentences.map((one) => one?.raw));
    }
  }
}

function addList(collector: CaptionCollector, entries: Json[]): void {
  for (const entry of entries) {
    const path = entry?.file ?? entry?.file_name ?? entry?.path;
    const picture = collector.addPicture(path, {
      ...factsOf(entry),
      url: asText(entry?.url ?? entry?.flickr_url),
      page: asText(entry?.page) || flickrPage(asText(entry?.flickr_url)),
    });
    if (picture) collector.addCaptions(picture, captionsOf(entry));
  }
}

function addPlain(collector: CaptionCollector, entries: Json): void {
  for (const [path, entry] of Object.entries<Json>(entries)) {
    const picture = collector.addPicture(path, factsOf(entry));
    if (picture) collector.addCaptions(picture, captionsOf(entry));
  }
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
      collector.addPicture(name, {
        page: /^\d+\.jpg$/.test(name) ? photoPage(name.slice(0, -4)) : "",
      });
    if (picture) {
      collector.addCaption(picture, caption, picture.captions.length + 1);
    }
  });
}

function captionsOf(entry: Json): unknown[] {
  const captions = entry?.captions ?? entry?.caption ?? entry;
  return Array.isArray(captions) ? captions : [captions];
}

function factsOf(entry: Json): PictureFacts {
  const license = asText(entry?.license);
  const terms = asText(entry?.license_url);
  return {
    split: asText(entry?.split),
    url: asText(entry?.url),
    page: asText(entry?.page),
    author: asText(entry?.author),
    license: terms ? `${license} (${terms})`.trim() : license,
  };
}

/** The page of a picture file on Flickr: …/6116/6255196340_da26cf2c9e_z.jpg. */
function flickrPage(fileAddress: string): string {
  const [, number] = fileAddress.match(/\/(\d+)_[0-9a-f]+(_\w)?\.jpg$/) ?? [];
  return number ? photoPage(number) : fileAddress;
}

/** Flickr leads from here to the photo's page, whoever its author is. */
function photoPage(number: string): string {
  return `https://www.flickr.com/photo.gne?id=${number}`;
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
