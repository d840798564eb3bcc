/**
 * Groups of the classifier's classes: what people say instead of their names.
 *
 * ```text
 * tiger ──▶ big cat ──▶ feline ──▶ carnivore ──▶ animal ──▶ organism …
 * a class   6 classes   13         158           398        left out
 * ```
 *
 * No class is called "bird", but 59 classes are birds. WordNet, a dictionary
 * whose nouns say what they are a kind of, knows which: each noun above a class
 * is a group, 853 of them. Left out is what covers more than 400 classes: a
 * word for nearly everything finds nothing. Groups lie in one another, and some
 * overlap: a minivan is both a car and a van.
 *
 * wordnet_groups.tsv has them; tasks/wordnet_groups.py made it.
 *
 * ```ts
 * import { readGroups } from "#lib/encoders/offline/groups.ts";
 * import { equal } from "node:assert/strict";
 *
 * const groups = await readGroups();
 * const bird = groups.find(({ names }) => names.includes("bird"))!;
 * equal(bird.classes.length, 59);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";

/** A kind of things: "bird", and the classes that are birds. */
export interface Group {
  /** At least one: ["big cat", "cat"]. Groups may share a name. */
  names: string[];
  /** Rising places in the classifier's order, 0 to 999; 1 to 400 of them. */
  classes: number[];
}

/** The 853 groups, in the order of their WordNet ids. */
export async function readGroups(): Promise<Group[]> {
  const file = new URL("./wordnet_groups.tsv", import.meta.url);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines.map((line) => {
    const [, names, classes] = line.split("\t");
    return {
      names: names.split(", "),
      classes: classes.split(" ").map(Number),
    };
  });
}
