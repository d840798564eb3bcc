import { deepEqual, equal, ok } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { readGroups } from "#lib/encoders/offline/groups.ts";

const groups = await readGroups();

/** The classes of the only group of this name. */
function classesOf(name: string) {
  const found = groups.filter(({ names }) => names.includes(name));
  equal(found.length, 1, name);
  return new Set(found[0].classes);
}

// Places in the classifier's order.
const [TIGER, MINIVAN] = [292, 656];

Deno.test("there are 853 groups, each with names that people type", () => {
  equal(groups.length, 853);
  for (const { names } of groups) {
    equal(new Set(names).size, names.length);
    // Letters, with single blanks, and no underscores as in WordNet's file.
    for (const name of names) {
      ok(/^[A-Za-z'.-]+( [A-Za-z'.-]+)*$/.test(name), name);
    }
  }
});

Deno.test("a group has 1 to 400 of the thousand classes, each once, rising", () => {
  for (const { names, classes } of groups) {
    ok(classes.length >= 1 && classes.length <= 400, names[0]);
    deepEqual(classes, [...new Set(classes)].sort((a, b) => a - b), names[0]);
    ok(classes.every((number) => Number.isInteger(number)), names[0]);
    ok(classes[0] >= 0 && classes.at(-1)! <= 999, names[0]);
  }
});

Deno.test("groups lie in one another: big cats are felines, carnivores, animals", () => {
  const chain = ["big cat", "feline", "carnivore", "animal"].map(classesOf);
  deepEqual(chain.map(({ size }) => size), [6, 13, 158, 398]);
  ok(chain[0].has(TIGER));
  chain.slice(1).forEach((wider, i) => ok(chain[i].isSubsetOf(wider)));
  // Three stretches of the classifier's order.
  const birds = classesOf("bird");
  for (const number of [7, 24, 80, 100, 127, 146]) ok(birds.has(number));
  for (const number of [6, 25, 79, 101, 126, 147]) ok(!birds.has(number));
  equal(birds.size, 59);
  ok(birds.isSubsetOf(classesOf("animal")));
  ok(birds.isDisjointFrom(classesOf("carnivore")));
});

Deno.test("groups may overlap: a minivan is a van and an automobile", () => {
  const [vans, automobiles] = [classesOf("van"), classesOf("automobile")];
  ok(vans.has(MINIVAN) && automobiles.has(MINIVAN));
  ok(!vans.isSubsetOf(automobiles) && !automobiles.isSubsetOf(vans));
});

Deno.test("what covers nearly everything is no group", () => {
  for (const wide of ["organism", "artifact", "physical entity"]) {
    ok(groups.every(({ names }) => !names.includes(wide)), wide);
  }
});

Deno.test("WordNet's licence lies beside its groups, and says what they are", async () => {
  const file = new URL(
    "../../lib/encoders/offline/WORDNET-LICENCE.txt",
    import.meta.url,
  );
  const licence = await readFile(file, "utf8");
  ok(licence.startsWith("wordnet_groups.tsv, in this folder, is derived from"));
  ok(licence.includes("WordNet 3.0 Copyright 2006 by Princeton University."));
  ok(licence.includes('SOFTWARE AND DATABASE IS PROVIDED "AS IS"'));
});
