import { deepEqual, equal } from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { OFFLINE_FOLDER } from "#lib/encoders/offline/classifier.ts";
import { runChild } from "../../tasks/child.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import { venvPython } from "../../tasks/python.ts";

const ignore = !offlineEncoderReady();
if (ignore) {
  console.warn("The offline encoder is not set up: a test is skipped");
}

Deno.test({
  name: "set-up notices what a stopped one left",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    for (const name of ["lite0", "minilm"]) await mkdir(join(folder, name));
    const files = [
      "lite0/vision.onnx",
      "lite0/class_looks.npy",
      "minilm/model.onnx",
      "minilm/tokenizer.json",
      "classes.json",
      "name_vectors.npy",
    ];
    for (const file of files) {
      await symlink(join(OFFLINE_FOLDER, file), join(folder, file));
    }
    equal(offlineEncoderReady(folder), false);
    const stamp = join(folder, "stamp.json");
    await copyFile(join(OFFLINE_FOLDER, "stamp.json"), stamp);
    equal(offlineEncoderReady(folder), true);

    const cut = join(folder, "classes.json");
    await rm(cut);
    equal(offlineEncoderReady(folder), false);
    await copyFile(join(OFFLINE_FOLDER, "classes.json"), cut);
    await truncate(cut, 100);
    equal(offlineEncoderReady(folder), false);
    await rm(folder, { recursive: true });
  },
});

Deno.test({
  name: "weights that would run code are refused",
  ignore: !existsSync(venvPython),
  async fn() {
    const script = `
import io, os, pickle, sys
sys.path.insert(0, "tasks")
from torch_weights import WeightsUnpickler, read_weights
class Bad:
    def __reduce__(self):
        return os.system, ("echo harm",)
for read in (read_weights, lambda file: WeightsUnpickler(file).load()):
    try:
        read(io.BytesIO(pickle.dumps(Bad(), protocol=2)))
    except pickle.UnpicklingError as error:
        print(error)
`;
    const { code, output } = await runChild(venvPython, ["-c", script]);
    const refused = "weights may not use posix.system";
    deepEqual({ code, output }, { code: 0, output: `${refused}\n${refused}` });
  },
});
