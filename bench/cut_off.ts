/**
 * What the search page says fits a query, and whether it does.
 *
 * Words as queries are names of what is in a collection, names of what is not,
 * and nonsense:
 *
 * - in a folder of classes, each class's name; relevant is its pictures;
 * - in one with captions, each of THINGS and of the everyday words that a caption
 *   of two pictures or more has; relevant are those pictures;
 * - what is not there: THINGS that no class, title or caption has. Some are kin to
 *   what is there, as a giraffe is to antelopes.
 *
 * Pictures as queries are all of a folder of classes, and of one with captions,
 * where nobody says which are relevant: each searches among the others.
 *
 * `deno task bench cut_off` measures on the sample. With folders,
 *
 *     deno run -A bench/cut_off.ts DIR…
 *
 * measures on each of them and on the sample.
 *
 * @module
 */
import { resolve } from "node:path";
import process from "node:process";
import { table } from "../lib/display/table.ts";
import { openOffline } from "../lib/encoders/offline/offline.ts";
import type { SearchHit } from "../lib/search_page/engine/search_result.ts";
import { Searcher } from "../lib/search_page/engine/searcher.ts";
import type { SearchQuery } from "../lib/search_page/engine/query.ts";
import { EncoderSpace } from "../lib/search_page/engine/spaces.ts";
import { indexPictures } from "../lib/search_page/index/indexing.ts";
import {
  folderSource,
  type PictureSource,
  sampleSource,
} from "../lib/search_page/index/sources.ts";
import type { SourcePicture } from "../lib/search_page/index/collection.ts";
import { EVERYDAY_WORDS } from "../lib/search_page/engine/everyday_words.ts";
import { NO_FOLDING } from "../lib/search_page/web/query.js";
import { type Bench, row } from "./harness.ts";

/** Things that photographs show, none of them one of EVERYDAY_WORDS. */
const THINGS = `
  pizza banana broccoli carrot sandwich donut oven refrigerator microwave toaster
  sink toilet sofa pillow blanket curtain rug vase teddy skateboard surfboard
  snowboard skis kite frisbee racket laptop keyboard mouse backpack suitcase tie
  bench hydrant giraffe zebra bear sheep donkey rabbit squirrel penguin parrot
  dolphin whale shark octopus crab lobster snail scorpion bee ant
  violin trumpet saxophone accordion harp rocket helicopter submarine tractor
  ambulance tank castle lighthouse windmill pyramid statue fountain stadium
  volcano waterfall glacier cactus bonsai sunflower rose tulip palm corn
  strawberry pineapple lemon pumpkin spaghetti sushi hamburger
  microscope telescope anchor tent ladder wheelchair crown sword helmet`
  .match(/\w+/g)!;

/**
 * Means nothing. The offline encoder adds to a text the names of the concepts
 * nearest to it: where none is near, these are a little of all concepts, and such
 * a mixture lies near every picture. So nonsense reaches more than a word that
 * means another thing.
 */
const NONSENSE = `
  asdfghjkl, qwx zzk vbn, blorptangle, xkcdq, zzzzzz, fnord wug,
  grumbly flibber, 1q2w3e4r, lorem ipsum dolor, vrrmpt, jjkk llmm, snarfblat,
  pqpqpq, wibble wobbleton, mxyzptlk, uiop, trzsk, blah blah blah, qqq, hghghg`
  .split(",").map((text) => text.trim());

/** A larger share of a collection is more than a stray result. */
const MORE_THAN_A_FEW = 0.01;

/** A collection that can be searched, and what is in it. */
interface Collection {
  name: string;
  searcher: Searcher;
  pictures: SourcePicture[];
  /** Names of what is there, and whose pictures they are. */
  present: Map<string, Set<string>>;
  absent: string[];
}

/** What is measured of a collection in a mode. */
interface Scores {
  /** Of queries that show something, and of all queries: means. */
  precision: number;
  recall: number;
  f1: number;
  /** Shares of queries. */
  "absent keeps > 1 %": number;
  "nonsense keeps any": number;
  "present shows none": number;
  "pictures show none": number;
  /** Undefined where nobody says which pictures are relevant to which. */
  "pictures' precision": number | undefined;
}

/** Measures on the sample. */
export const bench: Bench = async ({ log }) => {
  const rows = await measureAll([await sampleSource()], log);
  return rows.flatMap(({ mode, collection: _, ...scores }) =>
    Object.entries(scores).map(([what, value]) =>
      row(`${mode}: ${what}`, "share", value as number, "", undefined)
    )
  );
};

async function measureAll(
  sources: readonly PictureSource[],
  log: (line: string) => void,
) {
  const encoder = await openOffline();
  const rows = [];
  try {
    for (const source of sources) {
      const space = new EncoderSpace(encoder);
      await indexPictures(source, space);
      const { pictures } = space.collection;
      const classes = classesOf(pictures);
      const words = new Set(pictures.flatMap(wordsOf));
      const collection = {
        name: source.name,
        searcher: new Searcher([space]),
        pictures,
        present: classes.size > 1 ? classes : thingsIn(pictures),
        absent: THINGS.filter((name) => !words.has(wordsIn(name)[0])),
      };
      for (const mode of ["visual", "smart"] as const) {
        const scores = await measure(collection, mode);
        rows.push({ collection: source.name, mode, ...scores });
      }
      const { present, absent } = collection;
      log(
        `${source.name}: ${pictures.length} pictures, ${present.size} names of ` +
          `what is there, ${absent.length} of what is not`,
      );
    }
  } finally {
    await encoder.close();
  }
  return rows;
}

async function measure(
  { searcher, pictures, present, absent }: Collection,
  mode: "visual" | "smart",
): Promise<Scores> {
  const kept = (query: Partial<SearchQuery>) =>
    allThatFit(searcher, { ...query, mode });
  const ofNames = await Promise.all(
    [...present].map(async ([text, relevant]) =>
      score(await kept({ text }), relevant)
    ),
  );
  const sizes = async (texts: readonly string[]) =>
    await Promise.all(texts.map(async (text) => (await kept({ text })).length));
  const few = MORE_THAN_A_FEW * pictures.length;
  const classes = classesOf(pictures);
  const ofPictures = [];
  for (const { path, term } of pictures) {
    const relevant = new Set(classes.get(nameOf(term)));
    relevant.delete(path);
    ofPictures.push(score(await kept({ like: [path] }), relevant));
  }
  const precision = (all: ReturnType<typeof score>[]) =>
    mean(
      all.filter(({ count }) => count > 0).map(({ precision }) => precision),
    );
  const none = (all: ReturnType<typeof score>[]) =>
    mean(all.map(({ count }) => Number(count === 0)));
  return {
    precision: precision(ofNames),
    recall: mean(ofNames.map(({ recall }) => recall)),
    f1: mean(ofNames.map(({ f1 }) => f1)),
    "absent keeps > 1 %": mean(
      (await sizes(absent)).map((size) => Number(size > few)),
    ),
    "nonsense keeps any": mean(
      (await sizes(NONSENSE)).map((size) => Number(size > 0)),
    ),
    "present shows none": none(ofNames),
    "pictures show none": none(ofPictures),
    "pictures' precision": classes.size > 1 ? precision(ofPictures) : undefined,
  };
}

/** Every result above the line. */
async function allThatFit(
  searcher: Searcher,
  query: Partial<SearchQuery>,
): Promise<SearchHit[]> {
  const all: SearchHit[] = [];
  while (true) {
    const page = { from: all.length, k: 200, fold: NO_FOLDING };
    const { hits, more } = await searcher.search({ ...query, ...page });
    const fitting = hits.filter(({ fits }) => fits);
    all.push(...fitting);
    if (fitting.length < hits.length || !more) return all;
  }
}

function score(hits: readonly SearchHit[], relevant: ReadonlySet<string>) {
  const count = hits.length;
  const right = hits.filter(({ path }) => relevant.has(path)).length;
  const precision = count === 0 ? 0 : right / count;
  const recall = right / (relevant.size || 1);
  const f1 = right === 0 ? 0 : 2 * right / (count + relevant.size);
  return { count, precision, recall, f1 };
}

/** Pictures' paths by the name of their class. */
function classesOf(pictures: readonly SourcePicture[]) {
  const filed = pictures.filter(({ term }) => term !== "");
  return pathsBy(filed.map(({ path, term }) => [nameOf(term), path]));
}

/** Pictures' paths by the things that their captions name. */
function thingsIn(pictures: readonly SourcePicture[]) {
  const named = pathsBy(pictures.flatMap((picture) => {
    const words = new Set(wordsOf(picture));
    return [...THINGS, ...EVERYDAY_WORDS]
      .filter((thing) => words.has(wordsIn(thing)[0]))
      .map((thing): [string, string] => [thing, picture.path]);
  }));
  return new Map([...named].filter(([, paths]) => paths.size > 1));
}

function pathsBy(pairs: readonly [name: string, path: string][]) {
  const all = new Map<string, Set<string>>();
  for (const [name, path] of pairs) {
    if (!all.has(name)) all.set(name, new Set());
    all.get(name)!.add(path);
  }
  return all;
}

/** "grand_piano" as a reader types it. */
function nameOf(term: string): string {
  return term.replaceAll("_", " ");
}

/** All that is written about a picture, word by word. */
function wordsOf(
  { term, title, caption, captions = [caption] }: SourcePicture,
): string[] {
  return wordsIn([nameOf(term), title, ...captions].join(" "));
}

/** Words in the singular, as far as an ending tells. */
function wordsIn(text: string): string[] {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.map((word) => word.replace(/(?<=..)s$/, ""));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

if (import.meta.main) {
  const folders = process.argv.slice(2).map((folder) => resolve(folder));
  const sources = [
    await sampleSource(),
    ...await Promise.all(folders.map((folder) => folderSource(folder))),
  ];
  const rows = await measureAll(sources, console.error);
  console.log(`${table(rows, { caption: "What fits" })}`);
}
