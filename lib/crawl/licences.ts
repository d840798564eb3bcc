/**
 * Licences by one name each, whatever a site writes.
 *
 * | sites write | name | family |
 * | --- | --- | --- |
 * | CC-BY-SA-4.0, cc by-sa 4.0, https://creativecommons.org/licenses/by-sa/4.0/ | CC BY-SA 4.0 | CC BY-SA |
 * | cc0, CC0-1.0, CC Zero | CC0 1.0 | CC0 |
 * | Public domain, PDM, pd | public domain | public domain |
 *
 * A licence that is none of Creative Commons' keeps the name that it has, and so
 * does what says more than one licence: "CC BY or GFDL", "not CC0".
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
  /** "4.0", or of a country "3.0 DE"; "" if none is named. */
  version: string;
}

/** What Creative Commons asks for: no other combinations are its licences. */
const FAMILIES = ["", "-SA", "-ND", "-NC", "-NC-SA", "-NC-ND"]
  .map((terms) => `CC BY${terms}`);

/** To whose law versions before 4.0 were fitted: "CC BY-SA 3.0 de". */
const PORTS =
  "ar|at|au|az|be|bg|br|ca|ch|cl|cn|co|cr|cz|de|dk|ec|ee|eg|es|fi|" +
  "fr|ge|gr|gt|hk|hr|hu|ie|igo|il|it|jp|kr|lu|mk|mt|mx|my|nl|nz|pe|ph|pl|pr|" +
  "pt|ro|rs|scotland|se|sg|si|th|tr|tw|ua|ug|uk|us|ve|vn|za";

/** "https://creativecommons.org/licenses/by/3.0/de/deed.en": terms, version, port. */
const ADDRESS = new RegExp(
  "(?:https?:)?(?://)?(?:www[.])?creativecommons[.]org/" +
    "(?:licenses|publicdomain)/([a-z+-]+)" +
    `(?:/(\\d[.]\\d)(?:/(${PORTS})(?=[/?#\\s]|$))?)?` +
    "(?:[/?#][\\w./?#=&-]*)?",
  "g",
);

/** Matches whole words, which have one blank between them. */
function words(pattern: string): RegExp {
  return new RegExp(`(?<=^| )(?:${pattern})(?= |$)`, "g");
}

/** Ways to write one thing, and the one that we read. */
const SHORT = Object.entries({
  "creative commons": "cc",
  "cc ?(?:0|zero)": "cc0",
  "attribution": "by",
  "non ?commercial": "nc",
  "no ?deriv(?:ative|ate)?s?(?: works?)?": "nd",
  "share ?alike": "sa",
  "pdm?|cc mark|public ?domain(?: mark)?": "pd",
  "no known copyright(?: restrictions)?": "pd",
  "v(?:ersion)? ?(\\d\\S*)": "$1",
}).map(([long, short]) => [words(long), short] as const);

/** One licence, and its versions: "by sa 3.0 2.5 2.0", "by nc 3.0 de". */
const LICENCE = words(
  `(by(?: (?:nc|nd|sa))*|cc0|pd)(?:((?: [1-4](?:\\.\\d)?)+)(?: (${PORTS}))?)?`,
);

/** What stands beside a licence and changes nothing. */
const NEUTRAL = words(
  "cc|licen[cs]e|international|generic|unported|universal|dedication|deed",
);

/** What was read: a data set has few licences, each many times. */
const known = new Map<string, Licence>();
const MOST_KNOWN = 1000;

function parse(text: string): Licence {
  let licence = known.get(text);
  if (!licence) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, licence = read(text));
  }
  return licence;
}

/**
 * Reads one licence, which may be said twice: "Attribution 2.0 (CC BY 2.0)".
 *
 * Where anything else stands beside it, another licence, "not", "in the United
 * States", the text keeps its own words: what it allows is for people to read.
 */
function read(text: string): Licence {
  const own = { family: text.trim(), version: "" };
  const said: Licence[] = [];
  const rest = inShort(text).replace(
    LICENCE,
    (_, terms, versions = "", port = "") => {
      const [version = ""] = /\d(\.\d)?/.exec(versions) ?? [];
      const whole = version.length === 1 ? `${version}.0` : version;
      said.push({
        family: familyOf(terms),
        version: `${whole} ${port.toUpperCase()}`.trim(),
      });
      return "";
    },
  );
  // CC0 dedicates to the public domain, and often says so.
  const isZero = said.some(({ family }) => family === "CC0");
  const licences = said.filter(({ family }) =>
    !isZero || family !== "public domain"
  );
  const families = new Set(licences.map(({ family }) => family));
  if (families.size !== 1 || rest.replace(NEUTRAL, "").trim() !== "") {
    return own;
  }
  const [family] = families;
  if (family === "public domain") return { family, version: "" };
  if (family === "CC0") return { family, version: "1.0" };
  if (!FAMILIES.includes(family)) return own;
  return {
    family,
    version: licences.find((one) => one.version)?.version ?? "",
  };
}

/** In small letters, a blank between any two words: "by nc sa 4.0". */
function inShort(text: string): string {
  const plain = text.normalize("NFKC").toLowerCase().replaceAll("\u00ad", "")
    .replace(ADDRESS, " cc $1 $2 $3 ")
    .replace(/(\d)_(\d)/g, "$1.$2")
    .replace(/(?<!\d)\.|\.(?!\d)|[^\p{L}\p{M}\p{N}.]/gu, " ")
    .replace(/ +/g, " ").trim();
  return SHORT.reduce(
    (text, [long, short]) => text.replace(long, short),
    plain,
  );
}

/** The family of terms in short: of "by sa nc", CC BY-NC-SA. */
function familyOf(terms: string): string {
  if (terms === "cc0") return "CC0";
  if (terms === "pd") return "public domain";
  const parts = ["nc", "nd", "sa"].filter((part) =>
    terms.split(" ").includes(part)
  );
  return `CC ${["by", ...parts].join("-").toUpperCase()}`;
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

/**
 * Where the licence can be read, or, where no version is named, about all of
 * them; undefined for what is not Creative Commons'.
 */
export function licenceUrl(text: string): string | undefined {
  const { family, version } = parse(text);
  const site = "https://creativecommons.org";
  if (family === "CC0") return `${site}/publicdomain/zero/1.0/`;
  if (!FAMILIES.includes(family)) return undefined;
  if (version === "") return `${site}/share-your-work/cclicenses/`;
  const terms = family.slice("CC ".length);
  const path = `${terms} ${version}`.toLowerCase().replaceAll(" ", "/");
  return `${site}/licenses/${path}/`;
}

/**
 * Whether a licence is one of those wanted.
 *
 * @param license As a site writes it; "" is none of any.
 * @param wanted Families or whole names, in any spelling: "CC BY" takes in every
 *   version of it, and not "CC BY-SA"; "CC BY 3.0" those of countries.
 */
export function isOneOf(license: string, wanted: readonly string[]): boolean {
  if (license.trim() === "") return false;
  const has = parse(license);
  return wanted.some((text) => {
    const { family, version } = parse(text);
    // "CC0" alone is parsed as its only version.
    const any = version === "" || family === "CC0";
    return family.toLowerCase() === has.family.toLowerCase() &&
      (any || has.version === version || has.version.startsWith(`${version} `));
  });
}
