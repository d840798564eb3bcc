import { strictEqual } from "node:assert/strict";
import { isOneOf, licenceName, licenceUrl } from "#lib/crawl/licences.ts";

const NAMES = {
  "CC BY-SA 4.0": [
    "CC-BY-SA-4.0",
    "cc-by-sa-4.0",
    "CC BY-SA 4.0",
    "by-sa 4.0",
    "BY_SA 4.0",
    "https://creativecommons.org/licenses/by-sa/4.0/",
    "http://creativecommons.org/licenses/by-sa/4.0/deed.de",
    "Creative Commons Attribution-ShareAlike 4.0 International",
  ],
  "CC BY 2.0": [
    "CC BY 2.0",
    "CC-BY-2.0",
    "Attribution 2.0 Generic",
    "https://creativecommons.org/licenses/by/2.0/",
    "by 2.0",
    "CC BY 2.0 (Jane Doe)",
  ],
  "CC BY-NC-ND 2.0": [
    "CC BY-NC-ND 2.0",
    "by-nc-nd 2.0",
    "Attribution-NonCommercial-NoDerivs 2.0",
  ],
  "CC BY": ["by", "CC BY", "cc-by"],
  "CC BY-SA": ["by-sa"],
  "CC0 1.0": [
    "CC0",
    "cc0",
    "CC0 1.0",
    "CC0-1.0",
    "CC Zero",
    "https://creativecommons.org/publicdomain/zero/1.0/",
  ],
  "public domain": [
    "public domain",
    "Public Domain Mark",
    "Public Domain Mark 1.0",
    "pdm",
    "pdm 1.0",
    "PD",
    "https://creativecommons.org/publicdomain/mark/1.0/",
    "No known copyright restrictions",
  ],
  "GPL-2.0-or-later": ["GPL-2.0-or-later"],
  "All rights reserved": ["All rights reserved"],
  "FAL": ["FAL"],
};

Deno.test("a licence has one name, whatever a site writes", () => {
  for (const [name, spellings] of Object.entries(NAMES)) {
    for (const spelling of spellings) {
      strictEqual(licenceName(spelling), name, spelling);
      strictEqual(licenceName(name), name);
    }
  }
});

Deno.test("a wanted licence takes in its versions, and no stricter one", () => {
  const wanted = ["CC0", "CC BY"];
  for (const license of ["CC-BY-4.0", "by 2.0", "cc0", "CC0-1.0", "CC BY"]) {
    strictEqual(isOneOf(license, wanted), true, license);
  }
  const others = [
    "CC BY-SA 4.0",
    "by-nc",
    "public domain",
    "GPL-2.0",
    "",
    " ",
    "used by permission",
    "photo by 2.0 Ltd",
    "all rights by the author",
    "no attribution needed, ask first",
  ];
  for (const license of others) {
    strictEqual(isOneOf(license, wanted), false, license);
  }
  strictEqual(isOneOf("CC BY 2.0", ["CC BY 4.0"]), false);
  strictEqual(isOneOf("GPL-2.0-or-later", ["gpl-2.0-or-later"]), true);
});

Deno.test("a licence's address is that of its version", () => {
  strictEqual(
    licenceUrl("CC-BY-NC-2.0"),
    "https://creativecommons.org/licenses/by-nc/2.0/",
  );
  strictEqual(licenceUrl("GPL-2.0-or-later"), undefined);
});
