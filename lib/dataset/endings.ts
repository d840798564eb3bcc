/**
 * How each picture that was found ends: the accounts, in the order of the source.
 *
 * @module
 */
import { type Account, type Outcome, OUTCOMES } from "./accounts.ts";
import type { ClassCounts } from "./class_counts.ts";
import { type CleanRow, foundOf, type Row } from "./clean_each.ts";
import type { Near, Pictures } from "./distinct.ts";
import type { Layout } from "./layout.ts";
import type { RowFile } from "./row_file.ts";
import type { Sides } from "./sides.ts";

/** What the steps decided. */
export interface Decided {
  sameAs: Pictures["sameAs"];
  dropped: Near["dropped"];
  sides: Sides;
  layout: Layout;
}

/** How a picture ends: its outcome, the stage, the reason. */
type Ending = [Outcome, stage: string, reason: string];

/** How many pictures ended how: of none yet. */
export function noCounts(): Record<Outcome, number> {
  return Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, 0]),
  ) as Record<Outcome, number>;
}

/**
 * The accounts, one at a time.
 *
 * @param tell Counts them: all, and class by class.
 */
export function* accountsOf(
  rows: RowFile<Row>,
  order: Uint32Array,
  decided: Decided,
  tell: { counts: Record<Outcome, number>; classes: ClassCounts },
): Generator<Account> {
  const endingOf = endings(rows, decided);
  const { sameAs, dropped } = decided;
  for (const number of order) {
    const row = rows.read(number);
    const [outcome, stage, reason] = endingOf(number, row);
    const other = sameAs.get(number) ?? dropped.get(number);
    const term = other === undefined ? undefined : rows.read(other).item.term;
    tell.counts[outcome]++;
    tell.classes.add({ term: row.item.term, outcome, stage }, term);
    const file = "file" in row.item ? { file: row.item.file } : {};
    yield { ...foundOf(row.item), ...file, outcome, stage, reason };
  }
}

/** Tells how the picture of a row ends. */
function endings(
  rows: RowFile<Row>,
  { sameAs, dropped, sides, layout }: Decided,
): (number: number, row: Row) => Ending {
  const whyRefused = new Map(
    sides.refused.map(({ term, reason }) => [term.normalize("NFC"), reason]),
  );
  /** What stays for another: by its path, or its file if it went later. */
  const nameOf = (number: number) =>
    layout.pathOf(number) ?? (rows.read(number) as CleanRow).item.file;
  return (number, { item, clean }) => {
    if (!("file" in item)) return ["not downloaded", item.stage, item.reason];
    if ("rejected" in clean!) return [clean.rejected, "clean", clean.reason];
    const [same, like] = [sameAs.get(number), dropped.get(number)];
    if (same !== undefined) {
      return ["duplicate", "compare", `same as ${nameOf(same)}`];
    }
    if (like !== undefined) {
      const reason = `nearly the same as ${nameOf(like)}`;
      return ["near duplicate", "compare", reason];
    }
    const side = sides.of[number];
    if (side) return [side, "", ""];
    const why = whyRefused.get(item.term.normalize("NFC"))!;
    return ["class too small", "split", why];
  };
}
