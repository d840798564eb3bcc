/**
 * A store of embeddings for one test: the project's own is left alone.
 */
import { paths } from "#lib/paths.ts";

/** Runs with an empty store in a folder of its own. */
export async function withOwnStore<Result>(
  run: (folder: string) => Promise<Result>,
): Promise<Result> {
  const { embeddings } = paths;
  paths.embeddings = await Deno.makeTempDir();
  try {
    return await run(paths.embeddings);
  } finally {
    await Deno.remove(paths.embeddings, { recursive: true });
    paths.embeddings = embeddings;
  }
}
