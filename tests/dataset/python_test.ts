/** What we write, opened by the Python libraries that it is written for. */
import { deepStrictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset } from "#lib/dataset/dataset.ts";
import { prepareFolder } from "#lib/dataset/from_folder.ts";
import { paths } from "#lib/paths.ts";
import sharp from "sharp";

/** A Python that has a package: that of `task bench --peers`, or another. */
function pythonWith(name: string): string | undefined {
  const probe =
    `import importlib.util, sys; sys.exit(not importlib.util.find_spec("${name}"))`;
  const peers = join(paths.root, ".venv-bench", "bin", "python");
  const own = join(paths.venv, "bin", "python");
  return [peers, own, "python3", "python"]
    .find((python) => spawnSync(python, ["-c", probe]).status === 0);
}

/** Names that people give, and what they write. */
const NAMES = [
  'it\'s a "quote"',
  "🦉 Eule",
  "back\\slash",
  "[1] *? #%41 &",
  "café",
];

/** Runs `body` with a data set of two classes. */
async function withDataset(body: (folder: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), "python-"));
  const { dataset } = paths;
  paths.dataset = join(folder, "dataset");
  try {
    let seed = 0;
    const captions: Record<string, object> = {};
    for (const term of ["owl", 'gull\'s "nest" 🪺']) {
      await mkdir(join(folder, "mine", term), { recursive: true });
      for (const name of NAMES) {
        const path = `${term}/${name}.png`;
        const pixels = Uint8Array.from(
          { length: 64 * 64 * 3 },
          (_, i) => (i * i * ++seed) >> 5,
        );
        await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
          .toFile(join(folder, "mine", path));
        captions[path] = { caption: `${name}\n"${term}"`, author: "Ada \\ 🦉" };
      }
    }
    await writeFile(
      join(folder, "mine", "captions.json"),
      JSON.stringify(captions),
    );
    await prepareFolder(join(folder, "mine"), {
      nearDuplicates: false,
      readKnown: () => Promise.resolve(new Map(Object.entries(captions))),
    });
    await body(folder);
  } finally {
    paths.dataset = dataset;
    await rm(folder, { recursive: true });
  }
}

/** What a script prints as JSON. */
function run(python: string, folder: string, script: string) {
  const { status, stdout, stderr } = spawnSync(python, ["-c", script], {
    env: {
      ...Deno.env.toObject(),
      HOME: folder,
      HF_HOME: join(folder, "cache"),
      HF_HUB_OFFLINE: "1",
      DATASET: paths.dataset,
    },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr.slice(-2000));
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

const forDatasets = pythonWith("datasets");
Deno.test({
  name:
    "Hugging Face's datasets opens a data set as an image folder, both splits and all columns (ignored where it is not installed)",
  ignore: !forDatasets,
  fn: () =>
    withDataset(async (folder) => {
      const read = run(
        forDatasets!,
        folder,
        `import json, os
from datasets import load_dataset
loaded = load_dataset("imagefolder", data_dir=os.environ["DATASET"])
print(json.dumps({split: [
    [row["image"].size[0], row["term"], row["caption"], row["author"]]
    for row in rows] for split, rows in loaded.items()}))`,
      );
      const { gallery, queries } = await readDataset();
      const rows = (pictures: typeof gallery) =>
        pictures.map((
          { width, term, caption, author },
        ) => [width, term, caption, author]).toSorted();
      deepStrictEqual(read.train.toSorted(), rows(gallery));
      deepStrictEqual(read.test.toSorted(), rows(queries));
    }),
});

const forFiftyone = pythonWith("fiftyone");
Deno.test({
  name:
    "fiftyone reads train/ as a directory tree of classes (ignored where it is not installed)",
  ignore: !forFiftyone,
  fn: () =>
    withDataset(async (folder) => {
      // Its importer alone: a Dataset needs a running MongoDB.
      const read = run(
        forFiftyone!,
        folder,
        `import json, os
from fiftyone.utils.data.importers import ImageClassificationDirectoryTreeImporter
train = os.path.join(os.environ["DATASET"], "train")
with ImageClassificationDirectoryTreeImporter(train) as importer:
    print(json.dumps([[os.path.relpath(path, train), label.label]
        for path, _, label in importer]))`,
      );
      const { gallery } = await readDataset();
      const expected = gallery.map((
        { path },
      ) => [path.slice("train/".length), path.split("/")[1]]);
      deepStrictEqual(read.toSorted(), expected.toSorted());
    }),
});
