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
    "Creative Commons Attribution Share Alike 4.0 International License.",
    "CC_BY_SA_4_0",
    "CC BY-SA v4.0",
    "CC BY\u2011SA 4.0",
    "CC BY\u2013SA\u00a04.0",
  ],
  "CC BY 2.0": [
    "CC BY 2.0",
    "CC-BY-2.0",
    "Attribution 2.0 Generic",
    "https://creativecommons.org/licenses/by/2.0/",
    "by 2.0",
    "Attribution 2.0 Generic (CC BY 2.0)",
    "https://creativecommons.org/licenses/by/2.0/?ref=chooser-v1",
  ],
  "CC BY-NC-ND 2.0": [
    "CC BY-NC-ND 2.0",
    "by-nc-nd 2.0",
    "Attribution-NonCommercial-NoDerivs 2.0",
    "Creative Commons - Attribution - Non Commercial - No Derivs - 2.0",
    "Attribution Non Commercial No Derivative Works 2.0",
  ],
  "CC BY": ["by", "CC BY", "cc-by"],
  "CC BY-SA 3.0 DE": [
    "https://creativecommons.org/licenses/by-sa/3.0/de/",
    "http://creativecommons.org/licenses/by-sa/3.0/de/deed.en",
    "cc-by-sa-3.0-de",
  ],
  "CC BY-SA": ["by-sa"],
  "CC BY-NC": [
    "CC BY\u2011NC",
    "cc by\u2013nc",
    "CC BY\u2212NC",
    "Ｃ\uff23 BY-NC",
  ],
  "CC BY-NC 2.0": ["Attribution Non Commercial 2.0", "CC BY / NC 2.0"],
  "CC BY-SA 3.0": [
    "Attribution Share Alike 3.0",
    "CC-BY-SA 3.0,2.5,2.0,1.0",
    "CC BY-SA 3.0-2.5-2.0-1.0",
    "CC BY-SA 3",
  ],
  "CC BY-ND 4.0": ["Creative Commons Attribution No Derivatives 4.0"],
  "CC BY-NC-ND 3.0": [
    "Creative Commons Attribution - Non Commercial - No Derivs 3.0",
  ],
  "CC BY-NC-SA 2.0": [
    "Attribution-NonCommercial-ShareAlike 2.0 Generic (CC BY-NC-SA 2.0)",
    "CC BY-SA-NC 2.0",
  ],
  "CC BY 2.0 DE": ["CC BY 2.0 de", "by 2.0 DE"],
  "CC BY-NC-SA 3.0 IGO": ["cc-by-nc-sa-3.0-igo"],
  "CC0 1.0": [
    "CC0",
    "cc0",
    "CC0 1.0",
    "CC0-1.0",
    "CC Zero",
    "Creative Commons Zero v1.0 Universal",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication",
    "https://creativecommons.org/publicdomain/zero/1.0/",
  ],
  "public domain": [
    "public domain",
    "Public Domain Mark",
    "Public Domain Mark 1.0",
    "pdm",
    "pdm 1.0",
    "PD",
    "CC PDM 1.0",
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

Deno.test("what says more than one licence keeps its own words, and is what is wanted only by these", () => {
  const texts = [
    "Not in the public domain",
    "public domain outside the US; CC BY-NC elsewhere",
    "Public domain in the United States",
    "PDM-owner",
    "CC BY 4.0 / CC BY-NC 4.0",
    "https://creativecommons.org/licenses/by/4.0/ https://creativecommons.org/licenses/by-nc/4.0/",
    "CC BY-SA 3.0, GFDL",
    "GFDL or CC BY 3.0",
    "CC BY 4.0, non-commercial",
    "CC BY 4.0 except logos",
    "CC BY 2.0 (not for commercial use)",
    "CC BY 2.0 (Jane Doe)",
    "CC BY 2.0 (Jane by 4.0)",
    "CC BY-ND-SA 4.0",
    "no-cc0",
    "non CC0",
    "CC0 / CC BY",
    "CC SA 1.0",
    "CC BY 7.5",
    "Mark",
    "Zero",
    "Creative Commons",
    "nc",
    "https://creativecommons.org.example/licenses/by/4.0/",
    "https://example.org/creativecommons.org/licenses/by/4.0/",
    "https://creativecommons.org/licenses/sampling+/1.0/",
  ];
  const families = ["CC BY", "CC BY-SA", "CC BY-NC", "CC0", "public domain"];
  for (const text of texts) {
    strictEqual(licenceName(` ${text}`), text);
    strictEqual(licenceUrl(text), undefined, text);
    strictEqual(isOneOf(text, families), false, text);
    strictEqual(isOneOf(text, [text.toUpperCase()]), true, text);
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
  strictEqual(isOneOf("CC BY 3.0 DE", ["CC BY 3.0"]), true);
  strictEqual(isOneOf("CC BY 3.0", ["CC BY 3.0 DE"]), false);
  strictEqual(isOneOf("GPL-2.0-or-later", ["gpl-2.0-or-later"]), true);
});

Deno.test("a licence's address is that of its version, and of none that nobody named", () => {
  strictEqual(
    licenceUrl("CC-BY-NC-2.0"),
    "https://creativecommons.org/licenses/by-nc/2.0/",
  );
  strictEqual(
    licenceUrl("CC BY-SA 3.0 DE"),
    "https://creativecommons.org/licenses/by-sa/3.0/de/",
  );
  strictEqual(
    licenceUrl("CC BY"),
    "https://creativecommons.org/share-your-work/cclicenses/",
  );
  strictEqual(licenceUrl("GPL-2.0-or-later"), undefined);
});
