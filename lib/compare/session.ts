/**
 * onnxruntime as this project runs it: beside other work.
 *
 * By default its threads keep spinning for a while when they have nothing to
 * do, to be there at once for the next layer. That takes the processor from
 * the threads that decode the next pictures: without it a picture from file to
 * vector costs a third less processor time, and where other programs run too
 * the rate goes up by half.
 *
 * ```ts
 * import { openSession } from "#lib/compare/session.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(openSession("gone.onnx"), /gone\.onnx/);
 * ```
 *
 * @module
 */
import { InferenceSession } from "onnxruntime-node";

/** Where a model runs: an execution provider of onnxruntime. */
export type Device = "cuda" | "webgpu" | "cpu";

/**
 * Opens a model.
 *
 * @param model An ONNX file's path, or its bytes.
 * @param device Execution provider; the CPU runs what it cannot.
 * @param graphOptimizationLevel How much the model is made over at opening.
 */
export function openSession(
  model: string | Uint8Array,
  device: Device = "cpu",
  graphOptimizationLevel: "all" | "disabled" = "all",
): Promise<InferenceSession> {
  // Its types want to know beforehand which of the two it is.
  return InferenceSession.create(model as string, {
    executionProviders: [device],
    graphOptimizationLevel,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
}
