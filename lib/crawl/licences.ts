/**
 * Licences by one name each, whatever a site writes.
 *
 * | sites write | name | family |
 * | --- | --- | --- |
 * | CC-BY-SA-4.0, cc by-sa 4.0, https://creativecommons.org/licenses/by-sa/4.0/ | CC BY-SA 4.0 | CC BY-SA |
 * | cc0, CC0-1.0, CC Zero | CC0 1.0 | CC0 |
 * | Public domain, PDM, pd | public domain | public domain |
 *
 * A licence that is none of Creative Commons' keeps the name that it has.
 *
 * ```ts
 * import { isOneOf, licenceName, licenceUrl } from "#lib/crawl/licences.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(licenceName("cc-by-sa-4.0"), "CC BY-SA 4.0");
 * strictEqual(licenceUrl("CC0"), "https://creativecommons.org/publicdomain/zero/1.0/");
 * strictEqual(isOneOf("CC BY 2.0", ["CC0", "CC BY"]), true);
 * strictEqual(isOneOf("CC BY-NC 2.0", ["CC0", "CC BY"]), false);
 * ```
 *
 * @module
 */

/** A licence by its parts. */
interface Licence {
  /** "CC BY-SA", "CC0", "public domain", or what the site writes. */
  family: string;
  /** "4.0"; "" if none is named. */
  version: string;
}

/**
 * "by-nc-sa" alone, or after "CC" or an address of Creative Commons: a sentence
 * may have the word "by" for other reasons ("used by permission").
 */
const ATTRIBUTION =
  /(?:^|\bcc[\s_-]*|creativecommons\.org\/licenses\/)by((?:[\s_-]+(?:nc|nd|sa))*)(?=$|[\s_/-]*(?:$|\d|deed))/i;

/** The same in whole words: "Attribution-NonCommercial 2.0 Generic". */
const IN_WORDS: [RegExp, string][] = [
  [/non-?commercial/i, "NC"],
  [/no-?deriv\w*/i, "ND"],
  [/share-?alike/i, "SA"],
];

const ZERO = /\bcc[\s_-]?(?:0|zero)\b|publicdomain\/zero/i;
const PUBLIC_DOMAIN =
  /public[\s_-]?domain|publicdomain\/mark|^pdm?\b|no known copyright/i;

function parse(text: string): Licence {
  const version = /\b\d\.\d\b/.exec(text)?.[0] ?? "";
  if (ZERO.test(text)) return { family: "CC0", version: version || "1.0" };
  if (PUBLIC_DOMAIN.test(text)) return { family: "public domain", version: "" };
  if (/^(creative commons )?attribution\b/i.test(text.trim())) {
    const parts = IN_WORDS.filter(([pattern]) => pattern.test(text));
    const terms = ["BY", ...parts.map(([, part]) => part)];
    return { family: `CC ${terms.join("-")}`, version };
  }
  const found = ATTRIBUTION.exec(text.trim());
  if (!found) return { family: text.trim(), version: "" };
  const terms = ["BY", ...found[1].toUpperCase().match(/NC|ND|SA/g) ?? []];
  return { family: `CC ${terms.join("-")}`, version };
}

/** "CC BY-SA 4.0"; what is no licence of Creative Commons stays as it is. */
export function licenceName(text: string): string {
  const { family, version } = parse(text);
  return version ? `${family} ${version}` : family;
}

/** The name without its version: "CC BY-SA". */
export function licenceFamily(text: string): string {
  return parse(text).family;
}

/** Where the licence can be read; undefined for what is not Creative Commons'. */
export function licenceUrl(text: string): string | undefined {
  const { family, version } = parse(text);
  const site = "https://creativecommons.org";
  if (family === "CC0") return `${site}/publicdomain/zero/1.0/`;
  const [, terms] = /^CC (BY.*)$/.exec(family) ?? [];
  if (!terms) return undefined;
  return `${site}/licenses/${terms.toLowerCase()}/${version || "4.0"}/`;
}

/**
 * Whether a licence is one of those wanted.
 *
 * @param license As a site writes it; "" is none of any.
 * @param wanted Families or whole names, in any spelling: "CC BY" takes in every
 *   version of it, and not "CC BY-SA".
 */
export function isOneOf(license: string, wanted: readonly string[]): boolean {
  if (license.trim() === "") return false;
  const has = parse(license);
  return wanted.some((text) => {
    const { family, version } = parse(text);
    // "CC0" alone is parsed as its only version.
    const any = version === "" || family === "CC0";
    return family.toLowerCase() === has.family.toLowerCase() &&
      (any || version === has.version);
  });
}
