import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readQueryWords } from "../../tasks/query_words.ts";

const read = (words: string, options = {}) => {
  const { typed: _, line: __, ...query } = readQueryWords(
    words.split(" "),
    options,
  );
  return query;
};

Deno.test("readQueryWords() adds up what stands between the signs", () => {
  deepStrictEqual(read("a cat + night sky - people"), {
    ...{ text: "a cat", plus: ["night sky"], minus: ["people"], pictures: [] },
  });
  deepStrictEqual(read("2:cat + 0.5:dog"), {
    ...{ text: "", plus: ["2:cat", "0.5:dog"], minus: [], pictures: [] },
  });
  deepStrictEqual(read("well-known c++ -x"), {
    ...{ text: "well-known c++ -x", plus: [], minus: [], pictures: [] },
  });
  deepStrictEqual(read("cat", { add: ["a b"], subtract: ["c"] }), {
    ...{ text: "cat", plus: ["a b"], minus: ["c"], pictures: [] },
  });
  strictEqual(
    readQueryWords(["a"], { add: ["b"], subtract: ["c"] }).typed,
    "a + b - c",
  );
});

Deno.test("readQueryWords() takes for a picture what begins as a path or an address", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "cat.jpg");
  await writeFile(file, "");
  try {
    const { pictures, text } = read(`${file} at night + 2:${file} - ${file}`);
    strictEqual(text, "at night");
    deepStrictEqual(
      pictures,
      [1, 2, -1].map((weight) => ({
        source: file,
        weight,
      })),
    );
    strictEqual(read(pathToFileURL(file).href).pictures[0].source, file);
    const address = "https://example.org/cat.jpg";
    deepStrictEqual(read(`3:${address}`).pictures, [
      { source: address, weight: 3 },
    ]);
    // As in rclip, a name alone is a word.
    strictEqual(read("cat.jpg").text, "cat.jpg");
    strictEqual(read("x", { image: file }).pictures.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readQueryWords() gives a line to go on with, in which a path is one word", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "my cat.jpg");
  await writeFile(file, "");
  try {
    const { line } = readQueryWords(["a dog", "-", file], { image: file });
    const escaped = file.replaceAll(" ", "\\ ");
    strictEqual(line, `${escaped} a dog - ${escaped}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readQueryWords() says what is missing", () => {
  throws(
    () => read("cat +"),
    /expected words or a picture after \+, got nothing$/,
  );
  throws(() => read("cat - + dog"), /a picture after -, got nothing$/);
  throws(
    () => read("./gone.jpg"),
    /search: expected a file, \.\/gone\.jpg is not/,
  );
  for (const typed of ["0:cat", "101:cat", "-2:cat", "2:", "0:./cat.jpg"]) {
    throws(() => read(typed), {
      name: "CommandError",
      message: /^search: expected a weight above 0 .*, got /,
    }, typed);
  }
  throws(() => read("a - 0:dog"), / got 0:dog$/);
  throws(() => read("x", { add: [""] }), /^CommandError: --add: .*, got ""$/);
  throws(() => read("x", { subtract: [" "] }), /--subtract: .*, got " "$/);
  for (const address of ["file://host/x.jpg", "file:///x%zz.jpg"]) {
    throws(() => read(address), {
      name: "CommandError",
      message: /^search: expected the address of a file on this machine/,
    }, address);
  }
  throws(() => read("x", { image: "gone" }), /^CommandError: --image: /);
});
