/**
 * Where each stage reads and writes, and every environment variable.
 *
 * All that the project writes lies under one data folder: `data/` beside this
 * library, or the folder that `CONTACT_SHEET_DATA` names. The sample pictures
 * come with the project and are only read.
 *
 * As an npm package, which `task package` builds, the library writes nothing
 * beside itself: its data folder is `contact-sheet-data` where the program was
 * started, or the one that `CONTACT_SHEET_DATA` names. If that is the project's
 * `data/`, the sample, the models and the browser are found in it.
 *
 * Touches no files.
 *
 * ```ts
 * import { paths } from "#lib/paths.ts";
 * import { ok } from "node:assert/strict";
 *
 * ok(paths.imageUrls.startsWith(paths.data));
 * ```
 *
 * @module
 */
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** An environment variable's value; undefined where it is unset or empty. */
export function environment(name: EnvironmentVariable): string | undefined {
  return process.env[name] || undefined;
}

/** The environment variables that the project reads. */
export type EnvironmentVariable =
  /** Folder for everything written, in place of `data/`. */
  | "CONTACT_SHEET_DATA"
  /** A mail address or URL, told to the sites that are asked for pictures. */
  | "CONTACT_SHEET_CONTACT"
  /** A key of Flickr's programming interface. */
  | "FLICKR_API_KEY"
  /** Name or folder of the encoder that `openEncoder("auto")` opens. */
  | "CONTACT_SHEET_ENCODER"
  /** A Chrome or Chromium executable. */
  | "CHROME_PATH"
  /** A running Chroma server, and the key, tenant and database for a hosted one. */
  | "CHROMA_URL"
  | "CHROMA_API_KEY"
  | "CHROMA_TENANT"
  | "CHROMA_DATABASE"
  /** A mirror of the model hub, and a token for private models. */
  | "HF_ENDPOINT"
  | "HF_TOKEN";

/** The package's modules are .js: Node takes no .ts from node_modules. */
const isPackage = import.meta.url.endsWith(".js");
const root = isPackage
  ? process.cwd()
  : fileURLToPath(new URL("..", import.meta.url));
const ownData = join(root, isPackage ? "contact-sheet-data" : "data");
const data = resolve(root, environment("CONTACT_SHEET_DATA") ?? ownData);
/** What a checkout keeps once, whichever data folder is in use. */
const shared = isPackage ? data : ownData;

/** Absolute paths, stage by stage in the order of the notebooks. */
export const paths = {
  /** The project's folder; the package's is where the program was started. */
  root,
  /** Everything that the notebooks and commands write. */
  data,
  /** The bundled pictures, read only: category/term/name.jpg and captions.json. */
  sample: join(shared, "sample"),
  /** Encoders' files, shared by all data folders. */
  models: join(shared, "models"),
  /** The npm package's Chromium, unpacked, for machines that have none. */
  chromium: join(shared, "chromium"),
  /** Python's virtual environment: JupyterLab and the Chroma server. */
  venv: join(root, ".venv"),

  /** 1 crawler: `{category: {term: [url, …]}}`. */
  imageUrls: join(data, "1_crawl", "image_urls.json"),
  /** 1 crawler: the fuller record of each picture, JSON Lines. */
  crawled: join(data, "1_crawl", "images.jsonl"),
  /** 2 preprocessing: pictures as downloaded, before cleaning. */
  downloads: join(data, "2_downloads"),
  /** 2 preprocessing: train/, test/ and lists of their pictures. */
  dataset: join(data, "2_dataset"),
  /** 3, 4 and 7: what each method scored, for the tables that compare them. */
  results: join(data, "results.json"),
  /** Embeddings of whatever pictures and texts, one folder an encoder. */
  embeddings: join(data, "4_embeddings"),
  /** 5 vector database: the Chroma server's files. */
  chroma: join(data, "5_chroma"),
  /** 6 interactive search: thumbnails and queries. */
  search: join(data, "6_search"),
  /** 7 caption search: COCO as downloaded. */
  coco: join(data, "7_coco"),
};

/**
 * What to do about a file that set-up makes and that is not there: the end of an
 * error's message.
 *
 * @param options Of the command: "--large".
 */
export function runSetup(options = ""): string {
  const command = `npx deno@2.8.1 task setup ${options}`.trim();
  return isPackage
    ? `run \`${command}\` in the course's folder, and set CONTACT_SHEET_DATA to its data folder`
    : `run \`${command}\``;
}
