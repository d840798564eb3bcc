/**
 * `task store`: what the store of embeddings holds, and how to make it smaller.
 *
 * @module
 */
import { relative } from "node:path";
import process from "node:process";
import { table } from "../lib/display/table.ts";
import {
  CommandError,
  defineCommand,
  importLater,
  runCommand,
} from "./command.ts";
import { ensureSetup } from "./setup.ts";

const help =
  `Usage: deno task store [compact [ENCODER] | forget ENCODER] [--json]

Lists the encoders whose embeddings of pictures and texts are kept in the data
folder, below 4_embeddings, so that nothing is embedded twice: how many, in how
many files, of which size.

  compact [ENCODER]  puts an encoder's many small files together to few, without
                     what counts no more; all encoders' without ENCODER
  forget ENCODER     deletes an encoder's embeddings; they are made anew when
                     they are asked for
  --json             the list as one line of JSON`;

export const command = defineCommand({
  help,
  positionals: "compact, forget",
  options: { json: { type: "boolean" } },
}, async ({ values: { json }, positionals, signal }) => {
  const [action, encoder] = positionals;
  const fits = positionals.length === 0 ||
    (action === "compact" && positionals.length <= 2) ||
    (action === "forget" && positionals.length === 2);
  if (!fits) {
    throw new CommandError(
      "store: expected nothing, compact [ENCODER] or forget ENCODER, got " +
        positionals.join(" "),
    );
  }
  await ensureSetup(signal);
  const { compactStore, forgetStore, listOldEmbeddings, listStores } =
    await importLater<typeof import("../lib/embeddings/store.ts")>(
      "../lib/embeddings/store.ts",
    );
  if (action === "forget") await forgetStore(encoder);
  if (action === "compact") {
    const all = (await listStores()).map(({ id }) => id);
    for (const id of encoder ? [encoder] : all) await compactStore(id);
  }

  const encoders = await listStores();
  const older = await listOldEmbeddings();
  if (json) {
    console.log(JSON.stringify({ encoders, older }));
    return;
  }
  const rows = encoders.map(({ id, count, dimensions, parts, bytes }) => ({
    encoder: id,
    embeddings: count,
    dimensions,
    files: parts,
    MB: bytes / 1e6,
  }));
  console.log(rows.length ? `${table(rows)}` : "No embeddings are kept.");
  if (older.length > 0) {
    const names = older.map((path) => relative(process.cwd(), path));
    console.log(
      `Of an older layout, not used and left alone: ${names.join(", ")}`,
    );
  }
});

if (import.meta.main) await runCommand(command);
