/**
 * Which pictures are searched for (test) and which are searched (train).
 *
 * @module
 */
import type { FoundPicture } from "../records.ts";

/** How to split. */
export interface SplitOptions {
  /**
   * Pictures of each class that become queries: a whole number, or, between 0
   * and 1, a fraction of the class.
   * @default 2
   */
  test?: number;
  /** Which ones: by chance, the same for the same seed; absent, the first. */
  seed?: number;
  /** Pictures of the same group, whatever its name, lie on one side. */
  groupBy?: (picture: FoundPicture) => string | undefined;
}
