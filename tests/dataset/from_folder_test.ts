import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import sharp from "sharp";
import { captionsBeside } from "#lib/captions/beside.ts";
import { readAccounts } from "#lib/dataset/accounts.ts";
import { readDataset } from "#lib/dataset/dataset.ts";
import { type FolderOptions, prepareFolder } from "#lib/dataset/from_folder.ts";
import { paths } from "#lib/paths.ts";

/** A picture like no other. */
function picture(seed: number): Promise<Uint8Array> {
  const pixels = Uint8Array.from(
    { length: 64 * 64 * 3 },
    (_, i) => (i * i * (seed + 3)) >> 6,
  );
  return sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
    .png().toBuffer();
}

/** Runs `body` with a folder of pictures, and a data set elsewhere. */
async function withPictures(
  names: readonly string[],
  body: (folder: string) => Promise<void>,
) {
  const { dataset, data } = paths;
  const place = await mkdtemp(join(tmpdir(), "folder-"));
  paths.data = join(place, "data");
  paths.dataset = join(paths.data, "dataset");
  const folder = join(place, "mine");
  try {
    for (const [i, name] of names.entries()) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), await picture(i));
    }
    await body(folder);
  } finally {
    Object.assign(paths, { dataset, data });
    await rm(place, { recursive: true });
  }
}

/** Near duplicates are another test's: these pictures are noise. */
const options: FolderOptions = { nearDuplicates: false };

/** [category, term, split] of every picture, sorted. */
async function filed(): Promise<string[]> {
  const { gallery, queries } = await readDataset();
  return [...gallery, ...queries]
    .map(({ category, term, split }) => `${category}/${term} ${split}`)
    .toSorted();
}

/** The sum of every file below a folder. */
async function sums(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {
    recursive: true,
    withFileTypes: true,
  });
  const files = entries.filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name)).sort();
  return Promise.all(
    files.map(async (file) =>
      `${file} ${
        createHash("sha256").update(await readFile(file)).digest("hex")
      }`
    ),
  );
}

Deno.test("prepareFolder() takes the class and category from where a picture lies, at any depth", () =>
  withPictures([
    ...["a/b/birds/owl/1.png", "a/b/birds/owl/2.png", "fox/1.png", "fox/2.png"],
    ...["3.png", "4.png"],
  ], async (folder) => {
    await writeFile(join(folder, "fox", "bad.jpg"), "no picture");
    const before = await sums(folder);
    const { found, counts } = await prepareFolder(folder, {
      ...options,
      split: { test: 1 },
    });
    deepStrictEqual([found, counts.corrupt, counts.test], [7, 1, 3]);
    deepStrictEqual(await filed(), [
      ...["birds/owl test", "birds/owl train", "fox/fox test", "fox/fox train"],
      ...["mine/mine test", "mine/mine train"],
    ]);
    deepStrictEqual(await sums(folder), before, "the folder is only read");
    const lost = (await readAccounts()).filter(({ reason }) => reason !== "");
    deepStrictEqual(lost.map(({ file }) => basename(file!)), ["bad.jpg"]);
  }));

Deno.test("prepareFolder() keeps the split of train/ and test/, and leaves out what lies beside them", () =>
  withPictures([
    ...[
      "train/birds/owl/1.png",
      "train/birds/owl/2.png",
      "test/birds/owl/3.png",
    ],
    "else/4.png",
  ], async (folder) => {
    const { found, remarks } = await prepareFolder(folder, options);
    strictEqual(found, 3);
    deepStrictEqual(remarks, [
      "1 of the pictures lie neither in train/ nor in test/: left out",
    ]);
    deepStrictEqual(await filed(), [
      ...["birds/owl test", "birds/owl train", "birds/owl train"],
    ]);
    // A folder that is called train may hold trains.
    await rename(join(folder, "test"), join(folder, "plane"));
    const lone = await prepareFolder(folder, options);
    match(lone.remarks[0], /^train\/ has no other side: taken as any folder/);
    ok((await filed()).some((one) => one.startsWith("birds/owl")));
  }));

Deno.test("prepareFolder() knows training/, val/ and the like in any case, and says which classes lie on one side alone", () =>
  withPictures([
    ...["Train/owl/1.png", "training/owl/2.png", "val/owl/3.png"],
    ...["Test/owl/4.png", "Test/fox/5.png", "Train/hare/6.png"],
  ], async (folder) => {
    const { counts, remarks } = await prepareFolder(folder, {
      ...options,
      split: { test: 5 },
    });
    deepStrictEqual([counts.train, counts.test], [3, 3]);
    deepStrictEqual(remarks.toSorted(), [
      "Only in test, so that their queries find nothing: fox",
      "Only in train, so that no query asks for them: hare",
      "Test/ is taken as test/",
      "The folder's own split is kept: how many queries, seed and groups were " +
      "asked for has no effect",
      "Train/ is taken as train/",
      "training/ is taken as train/",
      "val/ is taken as test/",
    ]);
  }));

Deno.test("prepareFolder() says of a file that cannot be read just that, and not that it is corrupt", () =>
  withPictures(["owl/1.png", "owl/2.png", "owl/3.png"], async (folder) => {
    const { counts } = await prepareFolder(folder, {
      ...options,
      // It goes after the folder is listed.
      readKnown: async () => {
        await rm(join(folder, "owl", "2.png"));
        return new Map();
      },
    });
    deepStrictEqual([counts.corrupt, counts["not downloaded"]], [0, 1]);
    const [, { reason }] = await readAccounts();
    strictEqual(reason, "cannot be read (ENOENT)");
  }));

Deno.test("prepareFolder() takes captions, authors and licences from files beside the pictures", () =>
  withPictures(
    ["owl/1.png", "owl/2.png", "owl/3.png", "owl/4.png"],
    async (folder) => {
      const rows = [
        {
          file_name: "owl/1.png",
          text: "One",
          author: "Ada",
          license: "cc-by-2.0",
        },
        {
          file_name: "owl/2.png",
          caption: "Two",
          page: "https://example.org/2",
        },
        { file_name: "owl/3.png", label: 7, license: "CC0" },
        { file_name: "owl/gone.png", text: "none" },
      ];
      await writeFile(
        join(folder, "metadata.jsonl"),
        rows.map((row) => JSON.stringify(row)).join("\n"),
      );
      const readKnown = async (root: string, found: readonly string[]) =>
        (await captionsBeside(root, found)).captioned;
      await prepareFolder(folder, { ...options, readKnown });
      const { gallery, queries } = await readDataset();
      deepStrictEqual(
        [...gallery, ...queries].map((
          { path, caption, author, license, page },
        ) => [path.at(-18), caption, author, license, page].join("|"))
          .toSorted(),
        [
          "1|One|Ada|CC BY 2.0|",
          "2|Two|||https://example.org/2",
          "3|owl||CC0 1.0|",
          "4|owl|||",
        ],
      );
      const licences = ["CC0", "CC BY"];
      const { counts } = await prepareFolder(folder, {
        ...{ ...options, readKnown, licences, split: { test: 1 } },
      });
      deepStrictEqual([counts.train, counts.test], [1, 1]);
      const refused = (await readAccounts())
        .filter(({ stage }) => stage === "licence");
      deepStrictEqual(refused.map(({ reason }) => reason), [
        "expected one of CC0, CC BY, got no licence",
        "expected one of CC0, CC BY, got no licence",
      ]);
    },
  ));

Deno.test("prepareFolder() leaves the data folder out, and refuses the data set itself", () =>
  withPictures(["owl/1.png", "owl/2.png", "owl/3.png"], async (folder) => {
    await prepareFolder(folder, options);
    const before = await sums(paths.dataset);
    // The data folder lies in the folder that holds them all.
    const { found } = await prepareFolder(dirname(folder), options);
    strictEqual(found, 3);
    deepStrictEqual(
      (await sums(paths.dataset)).length,
      before.length,
    );
    for (const place of [paths.dataset, join(paths.dataset, "train")]) {
      await rejects(
        prepareFolder(place, options),
        /is the data set that is going to be written/,
      );
    }
  }));

Deno.test("prepareFolder() says what is wrong with a folder", () =>
  withPictures(["owl/1.png"], async (folder) => {
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "empty", "x.heic"), "ftypheic");
    await rejects(
      prepareFolder(join(folder, "empty")),
      /empty holds no pictures \(JPEG, .*\); /,
    );
    await rejects(
      prepareFolder(join(folder, "gone")),
      /gone cannot be read \(ENOENT\)/,
    );
    await rejects(
      prepareFolder(join(folder, "owl", "1.png")),
      /1\.png cannot be read \(ENOTDIR\): expected a folder/,
    );
  }));
