import {
  deepEqual,
  equal,
  match,
  notEqual,
  ok,
  rejects,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { transformersLayout } from "#lib/encoders/clip.ts";
import { OFFLINE_FOLDER } from "#lib/encoders/offline/classifier.ts";
import {
  ENCODER_NAMES,
  openEncoder,
  type OpenEncoderOptions,
} from "#lib/encoders/encoders.ts";
import { immichLayout } from "#lib/encoders/immich.ts";
import { type HubKind, startHub } from "../support/stand_in_hub.ts";
import { textModel, visionModel, withClip } from "../support/tiny_model.ts";

const fixture = join(import.meta.dirname!, "..", "fixtures", "tiny_clip");
const offlineIsHere = existsSync(join(OFFLINE_FOLDER, "lite0"));
if (!offlineIsHere) {
  console.warn("the offline encoder is not set up: falling back is untested");
}

/** Serves a fixture as a hub's repository; models go to a temporary folder. */
async function withHub(
  repository: string,
  layout: typeof transformersLayout,
  folder: string,
  run: (
    hub: ReturnType<typeof startHub>,
    options: OpenEncoderOptions,
    lines: string[],
  ) => Promise<void>,
  kind: HubKind = {},
) {
  const files: Record<string, Uint8Array> = {};
  for (const name of layout.files("fp32")) {
    files[name] = await readFile(join(fixture, folder, name));
  }
  const hub = startHub(repository, files, kind);
  const models = await Deno.makeTempDir();
  const lines: string[] = [];
  Deno.env.set("HF_ENDPOINT", hub.endpoint);
  try {
    const log = (line: string) => lines.push(line);
    await run(hub, { models, log, device: "cpu", retryDelayMs: 1 }, lines);
  } finally {
    Deno.env.delete("HF_ENDPOINT");
    await hub.close();
    await Deno.remove(models, { recursive: true });
  }
}

const CLIP = "Xenova/clip-vit-base-patch32";

Deno.test("openEncoder() downloads CLIP once, with progress", () =>
  withHub(CLIP, transformersLayout, "transformers", async (hub, options) => {
    let received = 0;
    const encoder = await openEncoder("clip-vit-b32", {
      ...options,
      onProgress: (progress) => received = progress.received,
    });
    equal(encoder.id, "clip-vit-b32/fp32");
    ok(received > 100_000);
    ok(existsSync(join(options.models!, CLIP, "onnx", "text_model.onnx")));
    await encoder.close();
    const requests = hub.requests.length;
    await (await openEncoder("clip-vit-b32", options)).close();
    equal(hub.requests.length, requests);
  }));

Deno.test("openEncoder() says how far the download is, in lines", () =>
  withHub(
    CLIP,
    transformersLayout,
    "transformers",
    async (_, options, lines) => {
      await (await openEncoder("clip-vit-b32", options)).close();
      match(
        lines[0],
        /^Downloading Xenova\/clip-vit-base-patch32 \(fp32\) from/,
      );
      ok(lines.length > 2 && lines.length <= 11, lines.join("\n"));
      equal(lines.at(-1), "  100 % of 1 MB");
    },
  ));

Deno.test("openEncoder() opens OpenCLIP in the Immich layout", () =>
  withHub(
    "immich-app/ViT-B-32__laion2b-s34b-b79k",
    immichLayout,
    "immich",
    async (_, options, lines) => {
      const encoder = await openEncoder("openclip-vit-b32", options);
      equal(encoder.id, "openclip-vit-b32/fp32");
      match(
        lines[0],
        /^Downloading immich-app\/.* \(fp32\) from http:.* once$/,
      );
      await encoder.close();
      await rejects(
        openEncoder("openclip-vit-b32", { ...options, precision: "q8" }),
        /openclip-vit-b32: expected precision fp32, got "q8"/,
      );
    },
  ));

Deno.test("openEncoder() says what to do where the repository lacks a precision", () =>
  withHub(CLIP, transformersLayout, "transformers", async (_, options) => {
    await rejects(
      openEncoder("clip-vit-b32", { ...options, precision: "fp16" }),
      /Xenova\/clip.* 404 Not Found .*vision_model_fp16\.onnx/,
    );
  }));

Deno.test('"auto" takes CLIP where the hub answers, and says so in one line', () =>
  withHub(
    CLIP,
    transformersLayout,
    "transformers",
    async (_, options, lines) => {
      const encoder = await openEncoder("auto", options);
      equal(encoder.id, "clip-vit-b32/fp32");
      deepEqual(lines.slice(1).filter((line) => !/ % of /.test(line)), [
        "Encoder clip-vit-b32/fp32: CLIP, 12 dimensions, CPU",
      ]);
      await encoder.close();
    },
  ));

Deno.test('"auto" takes CLIP from disk without asking the hub', () =>
  withHub(CLIP, transformersLayout, "transformers", async (hub, options) => {
    const folder = join(options.models!, ...CLIP.split("/"));
    await cp(join(fixture, "transformers"), folder, { recursive: true });
    const encoder = await openEncoder("auto", options);
    equal(encoder.id, "clip-vit-b32/fp32");
    deepEqual(hub.requests, []);
    await encoder.close();
  }));

Deno.test({
  name: '"auto" falls back to offline within 3 s, and says so in one line',
  ignore: !offlineIsHere,
  async fn() {
    // Takes connections and never answers.
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr;
    const models = await Deno.makeTempDir();
    const lines: string[] = [];
    Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${port}`);
    try {
      const start = performance.now();
      const encoder = await openEncoder("auto", {
        models,
        log: (line) => lines.push(line),
      });
      equal(encoder.id, "offline-2");
      ok(performance.now() - start < 6000);
      equal(lines.length, 1);
      match(
        lines[0],
        /^Encoder offline: .* \(clip-vit-b32 is not here, and the hub at http:.* did not answer within 3 s\)$/,
      );
      await encoder.close();
    } finally {
      Deno.env.delete("HF_ENDPOINT");
      silent.close();
      await Deno.remove(models, { recursive: true });
    }
  },
});

for (
  const [what, faults, reason] of [
    ["404", {}, /the hub at \S+ cannot be used: 404 Not Found \(http\S+\)/],
    ["503", { unavailable: 9 }, /the hub at \S+ cannot be used: 503 Service/],
    ["a web page", { page: 9 }, /cannot be used: expected a file, got a web/],
  ] as const
) {
  Deno.test({
    name: `"auto" falls back to offline where the hub answers ${what}`,
    ignore: !offlineIsHere,
    fn: () =>
      withHub(
        "someone/else",
        transformersLayout,
        "transformers",
        async (hub, options, lines) => {
          Object.assign(hub.faults, faults);
          const encoder = await openEncoder("auto", options);
          equal(encoder.id, "offline-2");
          equal(hub.requests.length, 1);
          equal(lines.length, 1);
          match(
            lines[0],
            /^Encoder offline: .*\(clip-vit-b32 is not here, and /,
          );
          match(lines[0], reason);
          await encoder.close();
        },
      ),
  });
}

Deno.test({
  name: '"auto" falls back to offline where the hub wants a token',
  ignore: !offlineIsHere,
  fn: () =>
    withHub(
      CLIP,
      transformersLayout,
      "transformers",
      async (_, options, lines) => {
        const encoder = await openEncoder("auto", options);
        equal(encoder.id, "offline-2");
        equal(lines.length, 1);
        match(
          lines[0],
          /cannot be used: 401 Unauthorized: .*HF_TOKEN must hold/,
        );
        await encoder.close();
      },
      { token: "hf_secret" },
    ),
});

Deno.test({
  name: 'a cached model cut short is named, and left aside by "auto"',
  ignore: !offlineIsHere,
  fn: () =>
    withHub(
      CLIP,
      transformersLayout,
      "transformers",
      async (hub, options, lines) => {
        const folder = join(options.models!, ...CLIP.split("/"));
        await cp(join(fixture, "transformers"), folder, { recursive: true });
        const model = join(folder, "onnx/text_model.onnx");
        await truncate(model, 5000);
        await rejects(openEncoder("clip-vit-b32", options), ({ message }) => {
          ok(message.startsWith(`${model} (5000 bytes) cannot be opened: `));
          match(message, / Put it there again, or delete it and run again$/);
          equal(message.split("\n").length, 1);
          return true;
        });
        const encoder = await openEncoder("auto", options);
        equal(encoder.id, "offline-2");
        equal(lines.length, 1);
        match(
          lines[0],
          /^Encoder offline: .* \(\S+Xenova\S+text_model\.onnx \(5000 bytes\) cannot be opened: .*\)$/,
        );
        await encoder.close();
        await rm(model);
        await (await openEncoder("clip-vit-b32", options)).close();
        ok(hub.requests.length > 0);

        await truncate(join(folder, "tokenizer.json"), 5000);
        await rejects(
          openEncoder("clip-vit-b32", options),
          /tokenizer\.json: expected JSON, got .* \(5000 bytes\)/,
        );
      },
    ),
});

Deno.test("each precision has its own files", () => {
  deepEqual(
    (["fp32", "fp16", "q8"] as const).map((precision) =>
      transformersLayout.files(precision).slice(0, 2)
    ),
    ["", "_fp16", "_quantized"].map((suffix) => [
      `onnx/vision_model${suffix}.onnx`,
      `onnx/text_model${suffix}.onnx`,
    ]),
  );
  deepEqual(immichLayout.files("fp32").slice(0, 2), [
    "visual/model.onnx",
    "textual/model.onnx",
  ]);
});

Deno.test({
  name: '"auto" falls back to offline where the download fails',
  ignore: !offlineIsHere,
  fn: () =>
    withHub(
      CLIP,
      transformersLayout,
      "transformers",
      async (hub, options, lines) => {
        hub.faults.corrupt = 100;
        const encoder = await openEncoder("auto", options);
        equal(encoder.id, "offline-2");
        match(lines.at(-1)!, /^Encoder offline: .* wrong checksum/);
        await encoder.close();
      },
    ),
});

Deno.test('CONTACT_SHEET_ENCODER decides what "auto" is', async () => {
  const lines: string[] = [];
  Deno.env.set("CONTACT_SHEET_ENCODER", join(fixture, "immich"));
  try {
    const encoder = await openEncoder("auto", {
      device: "cpu",
      log: (line) => lines.push(line),
    });
    match(encoder.id, /^immich-[0-9a-f]{8}\/fp32$/);
    deepEqual(lines, [
      `Encoder ${encoder.describe()} (chosen by CONTACT_SHEET_ENCODER)`,
    ]);
    await encoder.close();
  } finally {
    Deno.env.delete("CONTACT_SHEET_ENCODER");
  }
});

Deno.test("openEncoder() opens a folder of either layout, each under its own id", async () => {
  const ids = new Set<string>();
  for (const folder of ["transformers", "immich"]) {
    const encoder = await openEncoder(join(fixture, folder), { device: "cpu" });
    ids.add(encoder.id);
    await encoder.close();
  }
  equal(ids.size, 2);
});

Deno.test("a folder's id changes with its weights", async () => {
  const folder = join(await Deno.makeTempDir(), "my-clip");
  await cp(join(fixture, "transformers"), folder, { recursive: true });
  const model = join(folder, "onnx/vision_model.onnx");
  const idOf = async () => {
    const encoder = await openEncoder(folder, { device: "cpu" });
    await encoder.close();
    return encoder.id;
  };
  const before = await idOf();
  equal(await idOf(), before);
  const content = await readFile(model);
  content[content.length >> 1] ^= 1; // a bit of a weight
  await Deno.writeFile(model, content);
  notEqual(await idOf(), before);
  await Deno.remove(join(folder, ".."), { recursive: true });
});

for (
  const [what, file, contents] of [
    [
      "what its texts are filled with",
      "tokenizer_config.json",
      [{ pad_token: "!" }, { pad_token: '"' }],
    ],
    [
      "weights beside its models",
      "onnx/vision_model.onnx_data",
      ["some", "others"],
    ],
  ] as const
) {
  Deno.test(`a folder's id changes with ${what}`, async () => {
    const ids: string[] = [];
    for (const content of contents) {
      await withClip("transformers", { [file]: content }, async (folder) => {
        const encoder = await openEncoder(folder, { device: "cpu" });
        ids.push(encoder.id);
        await encoder.close();
      });
    }
    notEqual(ids[0], ids[1]);
  });
}

for (
  const [layout, vision, text, precision] of [
    ["transformers", "onnx/vision_model", "onnx/text_model", "fp16"],
    ["transformers", "onnx/vision_model", "onnx/text_model", "quantized"],
    ["transformers", "onnx/vision_model", "onnx/text_model", "q8"],
    ["transformers", "onnx/vision_model", "onnx/text_model", "int8"],
    ["transformers", "onnx/vision_model", "onnx/text_model", "uint8"],
    ["immich", "visual/model", "textual/model", "quantized"],
  ] as const
) {
  Deno.test(`a folder that holds only ${vision}_${precision}.onnx is opened, and says so`, () =>
    withClip(layout, {
      [`${vision}.onnx`]: null,
      [`${text}.onnx`]: null,
      [`${vision}_${precision}.onnx`]: visionModel(),
      [`${text}_${precision}.onnx`]: textModel({ shape: ["batch", 77] }),
    }, async (folder) => {
      const lines: string[] = [];
      const log = (line: string) => lines.push(line);
      const encoder = await openEncoder(folder, { device: "cpu", log });
      await encoder.close();
      const is = precision === "fp16" ? "fp16" : "q8";
      match(encoder.id, new RegExp(`^my-clip-[0-9a-f]{8}/${is}$`));
      deepEqual(lines, [
        `${folder} lacks fp32: opened in ${is} (${vision}_${precision}.onnx)`,
      ]);
      await (await openEncoder(folder, { precision: is, log })).close();
      equal(lines.length, 1);
      await rejects(openEncoder(folder, { precision: "fp32" }), {
        name: "RangeError",
        message: `${folder} holds its model in ${is}, got precision "fp32"`,
      });
    }));
}

Deno.test("a folder's precisions have ids of their own", () =>
  withClip("transformers", {
    "onnx/vision_model_int8.onnx": visionModel(),
    "onnx/text_model_int8.onnx": textModel(),
  }, async (folder) => {
    const ids = new Set<string>();
    for (const precision of [undefined, "q8"] as const) {
      const encoder = await openEncoder(folder, { device: "cpu", precision });
      ids.add(encoder.id);
      await encoder.close();
    }
    equal(ids.size, 2);
  }));

Deno.test("a folder that is no model says what it holds and what was expected", () =>
  withClip("transformers", {
    "onnx/text_model.onnx": null,
    "model.safetensors": "weights",
  }, async (folder) => {
    await rejects(openEncoder(folder), ({ name, message }: Error) => {
      equal(name, "RangeError");
      ok(
        message.startsWith(
          `${folder} holds no CLIP model: found config.json, `,
        ),
      );
      match(message, /model\.safetensors, onnx\/vision_model\.onnx, /);
      match(message, /expected onnx\/vision_model\.onnx, .* \(layout of Tran/);
      match(message, / or visual\/model\.onnx, .* \(layout of Immich\)$/);
      return true;
    });
    const file = join(folder, "config.json");
    await rejects(openEncoder(file), {
      message: `${file} is a file: expected a folder that holds a CLIP model`,
    });
  }));

for (
  const [vision, text, message] of [
    [
      "_quantized",
      "",
      "the vision model as vision_model_quantized.onnx (q8), and the text model as text_model.onnx (fp32): expected both in one precision",
    ],
    [
      "_int8",
      "_quantized",
      "the vision model as vision_model_int8.onnx (q8), and the text model as text_model_quantized.onnx (q8): expected both in one precision (fp32, fp16, q8), and of one ending",
    ],
    [
      "_q4",
      "_q4",
      "the vision model as vision_model_q4.onnx (q4, not supported), and the text model as text_model_q4.onnx (q4, not supported): expected",
    ],
    ["_bnb4", "", "vision_model_bnb4.onnx (bnb4, not supported), and"],
  ]
) {
  Deno.test(`a folder of vision_model${vision} and text_model${text} says which is in what`, () =>
    withClip(
      "transformers",
      {
        "onnx/vision_model.onnx": null,
        "onnx/text_model.onnx": null,
        [`onnx/vision_model${vision}.onnx`]: visionModel(),
        [`onnx/text_model${text}.onnx`]: textModel(),
      },
      (folder) =>
        rejects(openEncoder(folder), ({ name, message: got }: Error) => {
          equal(name, "RangeError");
          ok(got.startsWith(`${folder} holds the vision model as `), got);
          ok(got.includes(message), got);
          return true;
        }),
    ));
}

for (
  const [what, content, message] of [
    ["an empty file", "", /model\.onnx is empty\. Put it there again/],
    [
      "a file that is no model",
      new Uint8Array([8, 8]),
      /model\.onnx \(2 bytes\) cannot be opened: [^/]*(\/\S*my-clip\/\S* failed: )?[^/]*\. Put it/,
    ],
  ] as const
) {
  Deno.test(`${what} in a model's place is named, without onnxruntime's own source`, () =>
    withClip(
      "transformers",
      { "onnx/text_model.onnx": content },
      (folder) =>
        rejects(
          openEncoder(folder, { device: "cpu" }),
          ({ message: got }: Error) => {
            match(got, message);
            ok(!/onnxruntime_src|::|\.\./.test(got), got);
            return true;
          },
        ),
    ));
}

Deno.test("a folder that lacks a file beside its models names it", () =>
  withClip("immich", { "textual/tokenizer.json": null }, (folder) =>
    rejects(
      openEncoder(folder),
      /my-clip\/textual\/tokenizer\.json not found: expected it beside the models, in the layout of Immich/,
    )));

Deno.test("openEncoder() quotes what it does not know, and lists the names", async () => {
  await rejects(openEncoder("clip-vit-b64"), ({ name, message }: Error) => {
    equal(name, "RangeError");
    match(message, /^unknown encoder "clip-vit-b64": expected /);
    for (const known of ENCODER_NAMES) ok(message.includes(known), known);
    return true;
  });
  await rejects(
    openEncoder("offline", { precision: "int8" as "q8" }),
    /^RangeError: expected precision fp32, fp16, q8, got "int8"$/,
  );
});
