import fc from "fast-check";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  folded,
  folderNames,
  pathOf,
  possiblePaths,
} from "#lib/dataset/names.ts";

const SUM = "0123456789abcdef".repeat(4);

Deno.test("folderNames() keeps a name that every disk can bear, and marks any other with its sum", () => {
  const kept = ["water bird", "Owl", "cà phê", "猫", "a_b", "-rf", "console"];
  deepStrictEqual(folderNames(kept), kept);
  const marked = [
    ...[
      "a/b",
      "metadata.jsonl",
      "CON",
      "aux.jpg",
      "Com1",
      "owl.",
      "owl ",
      "",
      ".",
    ],
    ...["x".repeat(61), "\u202elwo", "..", "o\u0000wl", "lpt²"],
  ];
  for (const [i, name] of folderNames(marked).entries()) {
    match(name, /^[\p{L}\p{N} _-]+-[0-9a-f]{8}$/u, marked[i]);
  }
  // However its letters are composed.
  deepStrictEqual(folderNames(["café".normalize("NFD")]), ["café"]);
});

Deno.test("folderNames() gives each class a folder of its own on any disk", () => {
  const long = "x".repeat(60);
  const near = [
    ...["Owl", "owl", "OWL", "a/b", "a_b", "a:b", "a_b-c14cddc0"],
    ...[long, long + "y", long + "z", "ß", "ẞ", "ss", "İ", "i̇", "K", "k"],
  ];
  const name = fc.oneof(
    fc.constantFrom(...near),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.string({
      unit: fc.constantFrom("a", "A", "/", "_", ".", " "),
      maxLength: 5,
    }),
  );
  fc.assert(fc.property(
    fc.uniqueArray(name, { selector: (it) => it.normalize("NFC") }),
    (classes) => {
      const names = folderNames(classes);
      strictEqual(new Set(names.map(folded)).size, classes.length);
      ok(!names.includes("metadata.jsonl"));
      // What an earlier run may have called it is known without the others.
      for (const [i, folder] of names.entries()) {
        const picture = { file: "/a/b.jpg", sha256: SUM };
        const path = pathOf("train", folder, picture);
        ok(
          possiblePaths(classes[i], picture).includes(path) ||
            classes.some((other) => other.includes("-c14cddc0")),
        );
      }
    },
  ));
});

Deno.test("pathOf() and folderNames() make names that a disk has room for", () => {
  for (const letter of ["x", "é", "猫", "🦉", "𠀀"]) {
    const long = letter.repeat(300);
    const [folder] = folderNames([long]);
    const file = `/a/${long}-0123456789abcdef.png`;
    const path = pathOf("test", folder, { file, sha256: SUM });
    for (const part of path.split("/")) {
      ok(Buffer.byteLength(part) <= 255, part);
    }
    match(path, /^test\/[^/]+-[0-9a-f]{8}\/[^/]+-0123456789ab\.jpg$/);
  }
});
