/**
 * Exercises that check themselves: the reader's answer goes to `check`, and
 * `hint` and `solution` help when it will not come.
 *
 * The folder's other files have the exercises of one notebook each. A check
 * tries properties and counterexamples instead of comparing with one value, so
 * that any right answer passes and a wrong one learns what is wrong with it.
 *
 * ```ts
 * import { Exercise } from "#lib/exercises/exercises.ts";
 * import { match } from "node:assert/strict";
 *
 * const even = new Exercise({
 *   hint: "What is left of an even number, divided by 2?",
 *   answer: "(n) => n % 2 === 0",
 *   findFault: (isEven: (n: number) => boolean) =>
 *     isEven(3) ? "3 is odd, and your function calls it even." : undefined,
 * });
 * match(`${await even.check(undefined)}`, /Not answered yet/);
 * match(`${await even.check((n: number) => n > 2)}`, /Not yet\. 3 is odd/);
 * match(`${await even.check((n: number) => n % 2 === 0)}`, /Right/);
 * ```
 *
 * @module
 */
import {
  type Displayable,
  displayable,
  escapeHtml,
} from "../display/display.ts";

/** What an exercise is made of. All texts are plain text. */
export interface ExerciseParts<Answer> {
  /** What goes in and comes out, where the answer is a function: "(n) => root". */
  signature?: string;
  /** A push in the right direction, without the answer. */
  hint: string;
  /**
   * The answer as a JavaScript expression, as the reader may type it in place
   * of `undefined`; names that the notebook has declared are in reach.
   */
  answer: string;
  /**
   * What is wrong with an answer, as one sentence or two for its author;
   * undefined where nothing is. What it throws is shown as the answer's fault.
   */
  findFault(answer: Answer): string | undefined | Promise<string | undefined>;
  /** What a right answer shows, said after "Right.". */
  lesson?: string;
}

/** One exercise. */
export class Exercise<Answer> {
  /** What it is made of. */
  readonly parts: ExerciseParts<Answer>;

  constructor(parts: ExerciseParts<Answer>) {
    this.parts = parts;
  }

  /**
   * Checks an answer.
   *
   * @param answer Undefined as long as the cell is as it was.
   * @returns What to show: right, not yet and why, or not answered yet. It
   *   never throws, so that Run All goes on.
   */
  async check(answer: unknown): Promise<Displayable> {
    if (answer === undefined) return verdict("○", "Not answered yet.");
    const fault = await this.#faultOf(answer);
    if (fault !== undefined) return verdict("✗", "Not yet.", fault);
    return verdict("✓", "Right.", this.parts.lesson);
  }

  /** Shows the hint. */
  hint(): Displayable {
    return verdict("○", "Hint.", this.parts.hint);
  }

  /** Shows one answer; there may be others. */
  solution(): Displayable {
    const { answer } = this.parts;
    return displayable({
      "text/plain": `○ One solution:\n${answer}`,
      "text/html": `<p><b>○ One solution:</b></p>\n<pre>${
        // Line by line: escapeHtml takes line breaks for control characters.
        answer.split("\n").map(escapeHtml).join("\n")}</pre>`,
    });
  }

  async #faultOf(answer: unknown): Promise<string | undefined> {
    const { signature } = this.parts;
    if (signature && typeof answer !== "function") {
      return `Expected a function ${signature}, got ${quoteAnswer(answer)}.`;
    }
    try {
      return await this.parts.findFault(answer as Answer);
    } catch (error) {
      const message = error instanceof Error ? error.message : `${error}`;
      return `Your answer threw an error: ${message}`;
    }
  }
}

/**
 * What an answer is, shortly, for a sentence about its fault: `"owl"`, `[1, 2]`,
 * `a function`, `a promise`.
 */
export function quoteAnswer(answer: unknown): string {
  if (typeof answer === "function") return "a function";
  if (answer instanceof Promise) return "a promise";
  const view = ArrayBuffer.isView(answer)
    ? Array.from(answer as unknown as ArrayLike<number>)
    : answer;
  const text = typeof view === "number" ? `${view}` : JSON.stringify(view);
  if (text === undefined) return `${view}`;
  return text.length <= 60 ? text : text.slice(0, 59) + "…";
}

function verdict(sign: string, word: string, text = ""): Displayable {
  return displayable({
    "text/plain": `${sign} ${word} ${text}`.trimEnd(),
    "text/html": `<p><b>${sign} ${word}</b> ${escapeHtml(text)}</p>`,
  });
}
