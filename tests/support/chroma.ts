/** Tests against a Chroma server of their own; skipped where it is not installed. */
import { existsSync } from "node:fs";
import { type Chroma, startChroma } from "#lib/engines/chroma/chroma.ts";
import { paths } from "#lib/paths.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`Chroma's tests skipped: no ${paths.venv}`);

/** Runs `body` against a server over an empty folder. */
export function testWithChroma(
  name: string,
  body: (chroma: Chroma, folder: string) => Promise<void>,
) {
  Deno.test(name, { ignore }, async () => {
    const folder = await Deno.makeTempDir();
    const chroma = await startChroma({ folder });
    try {
      await body(chroma, folder);
    } finally {
      await chroma.stop();
    }
  });
}
