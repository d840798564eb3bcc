/**
 * Pictures that are nearly the same: found by their perceptual hashes, confirmed
 * by an encoder, and left out but for one.
 *
 * @module
 */

/** How near duplicates are found, and which one stays. */
export interface NearOptions {
  /** Which one stays; of equally large ones, the earlier. @default "larger" */
  keep?: "larger" | "earlier";
  /** Addresses or files that stay whatever the rule says. */
  spare?: readonly string[];
  /**
   * Embeddings of files, a row of unit length each: asked for what the hashes
   * find, and that alone. Without it, the hash decides.
   */
  embed?: (files: string[]) => Promise<Iterable<ArrayLike<number>>>;
  /** Most bits that hashes of near duplicates differ in. */
  maxHashDistance?: number;
  /** Least cosine similarity of near duplicates. */
  minSimilarity?: number;
}

/** Two pictures that are nearly the same, by their files. */
export interface NearPair {
  /** The file that stays in the data set. */
  kept: string;
  /** The file that was left out for it; spare it, and it stays. */
  dropped: string;
  /** In how many bits their hashes differ. */
  hashDistance: number;
  /** Cosine similarity of their embeddings, where there is an encoder. */
  similarity?: number;
  /** Whether they are of two classes, or on both sides of a given split. */
  across: boolean;
}
