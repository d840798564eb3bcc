/**
 * What CLIP is trained to make small. Of N pictures with their captions, each
 * picture should choose its own caption among the N, and each caption its own
 * picture: two questions a pair, each with N answers.
 *
 * Sources: van den Oord, Li, Vinyals, "Representation Learning with Contrastive
 * Predictive Coding", 2018, equation 4 (InfoNCE: one direction); Radford et al.,
 * "Learning Transferable Visual Models From Natural Language Supervision", 2021,
 * figure 3 (both directions, and the scale).
 *
 * Touches no files.
 *
 * ```ts
 * import { contrastiveLoss } from "#lib/encoders/contrastive_loss.ts";
 * import { ok } from "node:assert/strict";
 *
 * const right = [[0.3, 0.1], [0.2, 0.4]], wrong = [[0.1, 0.3], [0.4, 0.2]];
 * ok(contrastiveLoss(right) < contrastiveLoss(wrong));
 * const guessing = contrastiveLoss([[0.2, 0.2], [0.2, 0.2]]);
 * ok(Math.abs(guessing - Math.log(2)) < 1e-12);
 * ```
 *
 * @module
 */

/** CLIP learns its scale as well, and is held at 100, which it reaches. */
export const CLIP_LOGIT_SCALE = 100;

/**
 * The symmetric contrastive loss: the mean cross entropy of the rows and of the
 * columns, whose right answers lie on the diagonal.
 *
 * @param cosines N × N: row i is a picture, column j a caption; pair i is at i, i.
 * @param logitScale What cosines are multiplied by before softmax: one over the
 *   temperature.
 * @returns 0 or more, in nats; ln N where all cosines are the same.
 * @throws {RangeError} If the matrix is empty or not square.
 */
export function contrastiveLoss(
  cosines: readonly (readonly number[])[],
  logitScale: number = CLIP_LOGIT_SCALE,
): number {
  const count = cosines.length;
  const odd = cosines.find((row) => row.length !== count);
  if (count === 0 || odd) {
    throw new RangeError(
      `contrastiveLoss: expected N rows of N cosines, got ${count} rows` +
        (odd ? `, one of ${odd.length}` : ""),
    );
  }
  const rows = cosines.map((row) => row.map((cosine) => logitScale * cosine));
  const columns = rows.map((_, j) => rows.map((row) => row[j]));
  const meanOf = (questions: number[][]) =>
    questions.reduce((sum, logits, i) => sum + crossEntropy(logits, i), 0) /
    count;
  return (meanOf(rows) + meanOf(columns)) / 2;
}

/** −ln of the right answer's share after softmax. */
function crossEntropy(logits: number[], right: number): number {
  // exp() of a logit above 709 is infinite; of what is left of it, never.
  const most = Math.max(...logits);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  return most + Math.log(sum) - logits[right];
}
