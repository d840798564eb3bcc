import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  measureEncoders,
  PUBLISHED,
} from "#lib/evaluate/encoder_comparison.ts";
import { encoderFiles } from "#lib/encoders/encoders.ts";
import { paths } from "#lib/paths.ts";
import { withOwnStore } from "../support/own_store.ts";

const ignore = !encoderFiles("offline").every((file) => existsSync(file));
if (ignore) {
  console.warn("encoder_comparison_test: the offline encoder is not here");
}

Deno.test({
  name: "measureEncoders() measures what is here, and says what is not",
  ignore,
  fn: () =>
    withOwnStore(async () => {
      const [offline, missing] = await measureEncoders(
        paths.sample,
        join(paths.sample, "captions.json"),
        ["offline", "clip-rn50"],
      );
      const { r1, r5, r10, msPerPicture, msPerQuery, megabytes } = offline;
      equal(offline.encoder, "offline");
      equal(offline.source, "measured here");
      ok(0.2 < r1! && r1! < r5! && r5! < r10! && r10! < 1);
      ok(msPerPicture! > 0 && msPerQuery! > 0 && megabytes! > 20);
      if (encoderFiles("clip-rn50").some((file) => !existsSync(file))) {
        deepEqual(missing, {
          encoder: "clip-rn50",
          data: "–",
          source: "not measured: its weights are not here",
        });
      }
    }),
});

Deno.test("PUBLISHED rows say so, and have no times of this machine", () => {
  for (const row of PUBLISHED) {
    equal(row.source, "published");
    equal(row.msPerQuery, undefined);
    ok(row.r1! < row.r5! && row.r5! < row.r10!);
  }
});
