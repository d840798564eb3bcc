/**
 * The folders of a data set with the pictures in each; and how the disk comes to
 * look so, while the earlier data set stays whole as long as it is listed.
 *
 * Memory holds the names of one folder at a time.
 *
 * ```ts
 * import type { CleanRow, Row } from "#lib/dataset/clean_each.ts";
 * import { readDistinct } from "#lib/dataset/distinct.ts";
 * import { Layout } from "#lib/dataset/layout.ts";
 * import { RowFile } from "#lib/dataset/row_file.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync } from "node:fs";
 *
 * const rows = RowFile.open<Row>(`${mkdtempSync("/tmp/layout-")}/rows.jsonl`);
 * const item = { file: "/pictures/snowy.png", term: "owl" } as CleanRow["item"];
 * const clean = { sha256: "ab".repeat(32), width: 90, height: 60, bytes: 5 };
 * const pictures = readDistinct(rows, [rows.append({ item, clean })], false);
 * const layout = new Layout(rows, pictures, { of: ["train"], refused: [] });
 * deepStrictEqual(layout.folders, new Map([["train/owl", [0]]]));
 * deepStrictEqual(layout.pathOf(0), "train/owl/snowy-abababababab.jpg");
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { copyFile, mkdir, opendir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CleanRow, Row } from "./clean_each.ts";
import { type CleanOnce, holds } from "./clean_once.ts";
import { picturePath } from "./dataset.ts";
import { type Pictures, whereIs } from "./distinct.ts";
import { folded, folderNames, pathOf, SPLITS } from "./names.ts";
import type { RowFile } from "./row_file.ts";
import type { Sides } from "./sides.ts";
import { paths } from "../paths.ts";

/** Which picture lies where. */
export class Layout {
  /** Rows by folder, "train/owl", in the order of their paths. */
  readonly folders: ReadonlyMap<string, readonly number[]>;
  readonly #rows: RowFile<Row>;
  readonly #sides: Sides;
  readonly #folderOf: ReadonlyMap<string, string>;

  /** Lays out what has a side. */
  constructor(
    rows: RowFile<Row>,
    { terms, ...pictures }: Pictures,
    sides: Sides,
  ) {
    this.#rows = rows;
    this.#sides = sides;
    const names = folderNames(terms);
    this.#folderOf = new Map(
      terms.map((term, i) => [term.normalize("NFC"), names[i]]),
    );
    const folders = new Map<string, number[]>();
    for (const [number, row] of pictures.rows.entries()) {
      const side = sides.of[row];
      if (!side) continue;
      const folder = `${side}/${names[pictures.classes[number]]}`;
      const its = folders.get(folder);
      if (its) its.push(row);
      else folders.set(folder, [row]);
    }
    this.folders = new Map(
      // As paths are sorted, in which a slash follows.
      [...folders].sort(([a], [b]) => `${a}/` < `${b}/` ? -1 : 1)
        .map(([folder, its]) => [folder, this.#sorted(its)]),
    );
  }

  /** Where the picture of a row lies; undefined if it has no side. */
  pathOf(number: number, row?: CleanRow): string | undefined {
    const side = this.#sides.of[number];
    if (!side) return undefined;
    const { item: { file, term }, clean } = row ?? this.read(number);
    const folder = this.#folderOf.get(term.normalize("NFC"))!;
    return pathOf(side, folder, { file, sha256: clean.sha256 });
  }

  /** A row that has a side. */
  read(number: number): CleanRow {
    return this.#rows.read(number) as CleanRow;
  }

  #sorted(rows: readonly number[]): number[] {
    return rows.map((row) => ({ row, path: this.pathOf(row)! }))
      .sort((a, b) => a.path < b.path ? -1 : 1)
      .map(({ row }) => row);
  }
}

/** Puts each picture to where the data set has it. */
export async function place(
  layout: Layout,
  cleaner: CleanOnce,
): Promise<void> {
  for (const [folder, its] of layout.folders) {
    await mkdir(picturePath({ path: folder }), { recursive: true });
    for (const row of its) {
      const picture = layout.read(row);
      const target = picturePath({ path: layout.pathOf(row, picture)! });
      if (holds(target, picture.clean)) continue;
      const staged = cleaner.stagedPath(picture.clean);
      if (holds(staged, picture.clean)) {
        await rename(staged, target);
        continue;
      }
      // On the other side in the earlier data set, which stays whole until then.
      const temporary = `${staged}.${randomUUID()}`;
      await copyFile(whereIs(picture, cleaner), temporary);
      await rename(temporary, target);
    }
  }
}

/** Removes what an earlier run left and the data set no longer lists. */
export async function removeOthers(layout: Layout): Promise<void> {
  // Folded, since some disks take "Owl" and "owl" for one folder.
  const wanted = new Map(
    [...layout.folders].map(([folder, rows]) => [folded(folder), rows]),
  );
  for (const split of SPLITS) {
    for await (const entry of entriesOf(join(paths.dataset, split))) {
      const rows = wanted.get(folded(`${split}/${entry.name}`));
      if (rows) {
        const ofRows = rows.map((row) => folded(basename(layout.pathOf(row)!)));
        const names = new Set(ofRows);
        for await (const { name, path } of entriesOf(entry.path)) {
          if (!names.has(folded(name))) await remove(path);
        }
      } else if (entry.name !== "metadata.jsonl") await remove(entry.path);
    }
  }
}

/** What lies in a folder; nothing, if the folder is not there. */
async function* entriesOf(
  folder: string,
): AsyncGenerator<{ name: string; path: string }> {
  for await (const { name } of await opendir(folder).catch(() => [])) {
    yield { name, path: join(folder, name) };
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
