/**
 * An encoder as the embedding function of Chroma's own client: a collection's
 * configuration names it, so that whoever opens the collection elsewhere asks it
 * in words by `collection.query({ queryTexts })`.
 *
 * The client builds one several times whenever a collection is opened; the
 * encoder itself is opened when there is something to encode, once a program.
 *
 * Touches no files but an encoder's.
 *
 * ```ts
 * import { EncoderFunction } from "#lib/engines/chroma/encoder_function.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const stored = { encoder: "offline-2", dimensions: 984 };
 * deepStrictEqual(EncoderFunction.buildFromConfig(stored).getConfig(), stored);
 * ```
 *
 * @module
 */
import {
  type EmbeddingFunction,
  type EmbeddingFunctionSpace,
  knownEmbeddingFunctions,
  registerEmbeddingFunction,
} from "chromadb";
import type { Matrix } from "../../compare/matrix.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import { ENCODER_NAMES, openEncoder } from "../../encoders/encoders.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { asStored, type Space } from "./spaces.ts";

/** Under which name collections' configurations know it. */
export const ENCODER_FUNCTION = "contact-sheet-encoder";

/** What a collection's configuration says of its encoder. */
export interface EncoderConfig {
  /** The encoder's id: "offline-2", "clip-vit-b32/fp32". */
  encoder: string;
  /** Length of every vector. */
  dimensions: number;
  /** "correlation" where vectors are centred; left out where they are as they are. */
  space?: Space;
}

/** Encoders in use, by id: those handed over, and those opened here. */
const handedOver = new Map<string, Encoder>();
const openedHere = new Map<string, Promise<Encoder>>();

/** Turns texts and pictures into vectors of the encoder that a collection has. */
export class EncoderFunction implements EmbeddingFunction {
  readonly name: string = ENCODER_FUNCTION;
  readonly config: EncoderConfig;

  /** @param encoder Where left out, it is opened when it is needed. */
  constructor(config: EncoderConfig, encoder?: Encoder) {
    this.config = config;
    if (encoder) handedOver.set(encoder.id, encoder);
  }

  static buildFromConfig(config: Record<string, unknown>): EncoderFunction {
    return new EncoderFunction(config as unknown as EncoderConfig);
  }

  getConfig(): Record<string, unknown> {
    return { ...this.config };
  }

  /** @throws {RangeError} If it is another encoder's. */
  validateConfigUpdate(config: Record<string, unknown>): void {
    if (config.encoder === this.config.encoder) return;
    throw new RangeError(
      `expected encoder ${this.config.encoder}, whose vectors the collection ` +
        `holds, got ${config.encoder}: make another collection for it`,
    );
  }

  defaultSpace(): EmbeddingFunctionSpace {
    return "cosine";
  }

  supportedSpaces(): EmbeddingFunctionSpace[] {
    return ["cosine", "l2", "ip"];
  }

  /** Embeds texts, a vector each. */
  async generate(texts: string[]): Promise<number[][]> {
    const encoder = await this.#encoder();
    return this.#toLists(await encoder.encodeTexts(texts));
  }

  /**
   * Embeds pictures, a vector each.
   *
   * @throws {Error} If one cannot be decoded: names it.
   */
  async generateForPictures(pictures: ImageSource[]): Promise<number[][]> {
    const encoder = await this.#encoder();
    return this.#toLists(await encoder.encodeImages(pictures));
  }

  #toLists(vectors: Matrix): number[][] {
    const { space = "cosine" } = this.config;
    return Array.from(vectors, (row) => Array.from(asStored(space, row)));
  }

  async #encoder(): Promise<Encoder> {
    const { encoder: id } = this.config;
    const given = handedOver.get(id);
    if (given) return given;
    const opening = openedHere.get(id) ?? openById(id);
    openedHere.set(id, opening);
    try {
      return await opening;
    } catch (error) {
      openedHere.delete(id); // It may be there the next time.
      throw error;
    }
  }
}

/**
 * Lets go of the encoder of this id: closes it if it was opened here. Opened
 * again where it is needed again.
 */
export async function closeEncoder(id: string): Promise<void> {
  handedOver.delete(id);
  const opening = openedHere.get(id);
  openedHere.delete(id);
  await (await opening)?.close();
}

/** Opens the encoder that has this id. */
async function openById(id: string): Promise<Encoder> {
  // Its recipe's number, or its precision, comes after the name.
  const [, name, precision] = id.match(/^(.+?)(?:-\d+|\/(fp32|fp16|q8))$/) ??
    [];
  if (!ENCODER_NAMES.includes(name)) {
    throw new Error(
      `the collection's encoder is ${id}, which has no name to open it by: ` +
        `hand it over, openPictureCollection(chroma, { name, encoder })`,
    );
  }
  const encoder = await openEncoder(name, {
    ...(precision && { precision: precision as "fp32" }),
    log: () => {},
  });
  if (encoder.id === id) return encoder;
  await encoder.close();
  throw new Error(
    `the collection holds vectors of encoder ${id}, got ${encoder.id} as ` +
      `${name}: fill another collection with it`,
  );
}

// Loaded twice, as a package and as source, it is known already.
if (!knownEmbeddingFunctions.has(ENCODER_FUNCTION)) {
  registerEmbeddingFunction(ENCODER_FUNCTION, EncoderFunction);
}
