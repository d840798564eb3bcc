/**
 * Hits in a terminal: with small pictures where it has 16 million colours, two
 * pixels a character, and as a list of lines everywhere else.
 *
 * Reads the pictures that it draws.
 *
 * ```ts
 * import { drawHits } from "#lib/search_page/terminal.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(await drawHits([], undefined, {}), "no pictures");
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { oneLine } from "../display/display.ts";
import { environment, paths } from "../paths.ts";
import { decodePicture } from "../pictures/pictures.ts";
import type { SearchHit } from "./engine/searcher.ts";

/** Characters a picture takes in width; half as many lines. */
const WIDTH = 24;

/** Draws hits as text. @param folder Where their paths begin; the sample's if left out. */
export async function drawHits(
  hits: readonly SearchHit[],
  folder: string | undefined,
  output: { isTTY?: boolean; columns?: number },
): Promise<string> {
  if (hits.length === 0) return "no pictures";
  const lines = hits.map((hit, i) => {
    const others = (hit.captions?.length ?? 1) - 1;
    const parts = [
      ...[hit.value.toFixed(3), hit.path, hit.caption || hit.title],
      others > 0 ? `(and ${others} more)` : "",
    ];
    const line = parts.filter(Boolean).map(oneLine).join("  ");
    return `${String(i + 1).padStart(3)}  ${line}`;
  });
  const colours = /truecolor|24bit/.test(environment("COLORTERM") ?? "") &&
    !environment("NO_COLOR");
  if (!output.isTTY || !colours) return lines.join("\n");
  const drawn = await Promise.all(
    hits.map(({ path }) => blocks(join(folder ?? paths.sample, path))),
  );
  return lines.map((line, i) => `${drawn[i]}${line}`).join("\n");
}

/** A picture in upper half blocks: ink above, paper below. */
async function blocks(path: string): Promise<string> {
  try {
    const { data, width, height } = await decodePicture(path, {
      longest: WIDTH,
    });
    const colour = (x: number, y: number) => {
      const at = 3 * (Math.min(y, height - 1) * width + x);
      return `${data[at]};${data[at + 1]};${data[at + 2]}`;
    };
    let text = "";
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x++) {
        text += `\x1b[38;2;${colour(x, y)};48;2;${colour(x, y + 1)}m▀`;
      }
      text += "\x1b[0m\n";
    }
    return text;
  } catch {
    return "";
  }
}
