/**
 * Titles from the names of files and folders: the words that a person gave, and
 * none where a camera, a phone or a browser named it. Such a name says nothing
 * of the picture, and would only draw equal pictures apart.
 *
 * There is no end of such names, so that they are not listed but told by what
 * they are made of: numbers, dates, ids, the eight characters that the standard
 * of cameras asks for (DCF, JEITA CP-3461), and few words. What is left then,
 * if anything, was written by a person.
 *
 * ```ts
 * import { nameOf } from "#lib/search_page/index/titles.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(nameOf("birds/king-penguin_2.jpg"), "king penguin 2");
 * equal(nameOf("birds/IMG_20200101_120000.jpg"), "");
 * ```
 *
 * @module
 */

/** A file's name as words; "" for names that only a device would give. */
export function nameOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
  return tellsSomething(name)
    ? name.normalize("NFC").replaceAll(/[-_.\s]+/g, " ").trim()
    : "";
}

/** Whether a person wrote a name: of a file, without its ending, or of a folder. */
export function tellsSomething(name: string): boolean {
  const text = name.normalize("NFC");
  if (text.length >= SHORTEST_STAMP && STAMP.test(text)) return false;
  // A device's names differ in their digits alone, and a folder has thousands.
  const key = text.replaceAll(/\d/g, "0");
  const known = judged.get(key);
  if (known !== undefined) return known;
  const isLong = text.length >= UUID_LENGTH;
  const letters = (isLong ? text.replaceAll(UUID, " ") : text)
    .replaceAll(DCF, " ")
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((part) => !isId(part))
    .join(" ").replaceAll(/\p{N}+/gu, " ").toLowerCase();
  const isNumbered = /\p{N}{3}/u.test(text);
  const left = letters.replaceAll(OF_DEVICES, " ");
  const isOne = WORD.test(
    isNumbered ? left.replaceAll(IF_NUMBERED, " ") : left,
  );
  if (judged.size >= MOST_JUDGED) judged.clear();
  judged.set(key, isOne);
  return isOne;
}

/** What was said of names before, whatever their digits. */
const judged = new Map<string, boolean>();
const MOST_JUDGED = 1000;

/** 20200101120000; a UUID has 36 characters. */
const SHORTEST_STAMP = 14;
const UUID_LENGTH = 36;

/**
 * A date and a time of day to the second, as no person would type them:
 * 20200101_120000, 2020-01-01 at 12.00.00.
 */
const STAMP = new RegExp(
  /(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d/u.source +
    /([-_T\s]{0,3}|\s\p{L}[\p{L}\s]{0,6}\.?\s?)/u.source +
    /([0-2]\d[0-5]\d[0-5]\d|[0-2]?\d[-_.:h][0-5]\d[-_.:m][0-5]\d)/u.source,
  "u",
);

const UUID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/gi;

/** Of a file: four characters and a number; of its folder: a number and five. */
const DCF =
  /(?<![\p{L}\p{N}_])([\dA-Z_]{4}\d{4}|\d{3}[\dA-Z_]{5})(?![\p{L}\p{N}])/gu;

/** Letters and digits in turn, as in hashes and in addresses of files. */
function isId(part: string): boolean {
  if (part.length < 8) return false;
  return /\d\p{L}+\d+\p{L}|\p{L}\d+\p{L}+\d/u.test(part) ||
    /^(?=.*\d)[\da-f]+$/i.test(part);
}

/**
 * Three Latin letters, two of another script's, or one sign that is a word by
 * itself: "AM" and "WA" are none, "ёж" and "猫" are.
 */
const WORD =
  /(\p{Script=Latin}\p{M}*){3}|[^\P{L}\p{Script=Latin}][\p{L}\p{M}]|[\p{Script=Han}\p{Script=Hangul}]/u;

/** What cameras, phones, browsers and copying write. */
const OF_DEVICES = anyOf(
  "img|imgp|dsc|dscn|dscf|cimg|pxl|mvimg|vid|gopr|dji|dcim|camera ?roll",
  "images?|pictures?|photos?|pics?|fotos?|bild|bilder|videos?|scan|scanned",
  "screen ?shots?|screen ?capture|capture|bildschirmfotos?|écran|schermata",
  "captura|pantalla|tela|ecrã|снимок|экрана|スクリーンショット|스크린샷",
  "屏幕截图|屏幕快照|截屏|截图|微信图片|图片|照片|写真|画像|фото|사진",
  "whatsapp|snapchat|received|downloads?|unnamed|untitled|unbenannt|未命名",
  "copy|kopie|copie|copia|from|von|edit|edited|jpe?g|png|webp|gif|heic",
  "mmexport|wx camera|line album|telegram cloud photo size|full ?size ?render",
  "temp ?image ?for ?save|original|camscanner|chatgpt|gemini generated|dscpdc",
);

/** What they write beside a long number, and people of a picture else. */
const IF_NUMBERED = anyOf(
  "signal|burst|hdr|pano|thumb|tmp|zoom",
  "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
);

/** Any of these words, in lower case, as whole words. */
function anyOf(...words: string[]): RegExp {
  return new RegExp(`(?<!\\p{L})(${words.join("|")})(?!\\p{L})`, "gu");
}
