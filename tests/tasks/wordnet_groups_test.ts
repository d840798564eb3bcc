import { equal } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../tasks/child.ts";
import { venvPython } from "../../tasks/python.ts";

const ignore = !existsSync(venvPython);

/** A noun as WordNet writes it: id, names, parents with their symbols. */
const noun = (id: number, names: string[], parents: [string, number][]) =>
  [
    `${id}`.padStart(8, "0"),
    "05 n",
    names.length.toString(16).padStart(2, "0"),
    ...names.map((name) => `${name} 0`),
    `${parents.length + 1}`.padStart(3, "0"),
    // A part of it, which makes it no kind of it.
    "#p 00000009 n 0000",
    ...parents.map(([symbol, parent]) =>
      `${symbol} ${`${parent}`.padStart(8, "0")} n 0000`
    ),
    "| what it is; @ 00000009 n 0000  ",
  ].join(" ");

/** Runs the script on these nouns, of which those from 1000 on are classes. */
async function makeGroups(nouns: string[], classes: number[]) {
  const folder = await Deno.makeTempDir();
  const [data, wheel, target] = ["data.noun", "wheel", "groups.tsv"]
    .map((name) => join(folder, name));
  await writeFile(data, ["  1 Licence", ...nouns, ""].join("\n"));
  const info = join(folder, "timm/data/_info");
  await mkdir(info, { recursive: true });
  const list = classes.map((id) => `n${`${id}`.padStart(8, "0")}\n`).join("");
  await writeFile(join(info, "imagenet_synsets.txt"), list);
  const zip = ["-m", "zipfile", "-c", wheel, join(folder, "timm")];
  equal((await runChild(venvPython, zip)).code, 0);
  const args = ["tasks/wordnet_groups.py", data, wheel, target];
  const { code, output } = await runChild(venvPython, args);
  const groups = code === 0 ? await readFile(target, "utf8") : undefined;
  await rm(folder, { recursive: true });
  return { code, output: output.replace(data, "data.noun"), groups };
}

/** So many classes that all are things, ids from 1000 on. */
const things = (count: number) =>
  Array.from({ length: count }, (_, i) => i + 1000);

Deno.test({
  name:
    "the script of the groups climbs by every way up, to what is not too wide",
  ignore,
  async fn() {
    const nouns = [
      noun(1, ["entity"], []),
      noun(2, ["big_cat", "Panthera"], [["@", 1]]),
      noun(3, ["star"], [["@i", 2], ["@", 1]]),
      noun(9, ["whole"], []),
      // All are entities; three are big cats too, one of them by way of a star.
      ...things(401).map((id, place) => {
        if (place === 7) return noun(id, ["sun"], [["@i", 3]]);
        const parent = [2, 3].includes(place) ? 2 : 1;
        return noun(id, [`thing_${place}`], [["@", parent]]);
      }),
    ];
    const { code, output, groups } = await makeGroups(nouns, things(401));
    equal(code, 0, output);
    equal(
      groups,
      "n00000002\tbig cat, Panthera\t2 3 7\nn00000003\tstar\t7\n",
    );
    const fewer = await makeGroups(nouns, things(400));
    equal(
      fewer.groups,
      `n00000001\tentity\t${[...Array(400).keys()].join(" ")}\n${groups}`,
    );
  },
});

Deno.test({
  name: "another WordNet than 3.0 ends the script of the groups with one line",
  ignore,
  async fn() {
    const { code, output } = await makeGroups([noun(1, ["entity"], [])], [
      1000,
    ]);
    equal(code, 1);
    equal(
      output.trim(),
      "data.noun has no n00001000, class 0 of ImageNet:" +
        " expected WordNet 3.0, give its data.noun",
    );
  },
});
