/**
 * A collection whose vectors a test chooses, so that it knows each similarity.
 */
import { Matrix } from "#lib/compare/matrix.ts";
import { l2Normalize } from "#lib/compare/metrics.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { EVERYDAY_WORDS } from "#lib/search_page/engine/everyday_words.ts";
import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import type { SourcePicture } from "#lib/search_page/index/collection.ts";

/** A picture; what it does not say is "". */
export interface KnownPicture extends Partial<SourcePicture> {
  /** Its embedding. */
  vector: number[];
  /** The embedding of what is written about it. */
  text?: number[];
}

/**
 * Makes the space.
 *
 * @param embed A text's embedding, as a query.
 * @param keepsVectors Whether its collection keeps them; else they wait for an
 *   index.
 */
export function vectorSpace(
  pictures: KnownPicture[],
  embed: (text: string) => number[] = () => pictures[0].vector,
  keepsVectors = true,
): EncoderSpace {
  const dimensions = pictures[0].vector.length;
  const refuse = () => Promise.reject(new Error("no pictures are embedded"));
  const encoder: Encoder = {
    id: "known-1",
    name: "known",
    dimensions,
    describe: () => "known: vectors of a test",
    decodeImage: refuse,
    encodeDecoded: refuse,
    encodeImages: refuse,
    encodeTexts: (texts) =>
      Promise.resolve(
        Matrix.of(texts.map((text) => l2Normalize(embed(text))), dimensions),
      ),
    close: () => Promise.resolve(),
  };
  const space = new EncoderSpace(encoder, undefined, keepsVectors);
  // Not from disk: each test's words are its own.
  space.everydayWords = () => encoder.encodeTexts([...EVERYDAY_WORDS]);
  pictures.forEach(({ vector, text, ...known }, i) => {
    const picture: SourcePicture = {
      ...{ path: `${i}`, source: "", title: text ? `title ${i}` : "" },
      ...{ caption: "", term: "", category: "", author: "", license: "" },
      ...{ url: "", page: "" },
      ...known,
    };
    space.collection.add(
      picture,
      l2Normalize(vector),
      text && l2Normalize(text),
    );
  });
  return space;
}
