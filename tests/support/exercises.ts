import { match, strictEqual } from "node:assert/strict";
import type { Exercise } from "#lib/exercises/exercises.ts";

/**
 * Holds an exercise to its promise: its own solution passes, and each wrong
 * answer is told what is wrong with it in the words expected.
 *
 * @param wrong Wrong answers, each with what the sentence about it must match.
 * @param names What the solution finds declared in the notebook.
 */
export async function checkExercise<Answer>(
  exercise: Exercise<Answer>,
  wrong: readonly [answer: unknown, fault: RegExp][],
  names: Record<string, unknown> = {},
): Promise<void> {
  const solve = new Function(
    ...Object.keys(names),
    `return (async () => (${exercise.parts.answer}))();`,
  );
  const solution = await solve(...Object.values(names));
  match(`${await exercise.check(solution)}`, /^✓ Right\./);
  strictEqual(`${await exercise.check(undefined)}`, "○ Not answered yet.");
  strictEqual(wrong.length >= 3, true, "expected three wrong answers");
  for (const [answer, fault] of wrong) {
    const said = `${await exercise.check(answer)}`;
    match(said, /^✗ Not yet\. /);
    match(said, fault);
  }
}
