import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cosineSimilarity } from "#lib/compare/metrics.ts";
import { openEncoder } from "#lib/encoders/encoders.ts";
import {
  type Files,
  textModel,
  vectorOf,
  visionModel,
  withClip,
} from "../support/tiny_model.ts";

const tokenizer = JSON.parse(
  await readFile(
    join(
      import.meta.dirname!,
      "../fixtures/tiny_clip/transformers/tokenizer.json",
    ),
    "utf8",
  ),
);
const START = 552, END = 553;

/** Tokens of "a" and of "a dog" by the fixture's tokenizer. */
const A = [START, 320, END], DOG = [START, 320, 529, END];
const LONG = "the ".repeat(40), THE = tokenizer.model.vocab["the</w>"];

/** Embeds texts of different lengths together, and compares with what is right. */
async function embedsAs(
  layout: "transformers" | "immich",
  files: Files,
  expected: (ids: number[]) => number[],
  most = 77,
) {
  await withClip(layout, files, async (folder) => {
    const encoder = await openEncoder(folder, { device: "cpu" });
    const texts = ["a", "a dog", LONG];
    const vectors = await encoder.encodeTexts(texts);
    await encoder.close();
    const ids = [
      A,
      DOG,
      [START, ...Array(Math.min(40, most - 2)).fill(THE), END],
    ];
    for (const [i, text] of texts.entries()) {
      const right = vectorOf(expected(ids[i]));
      const agreement = cosineSimilarity(vectors.row(i), right);
      ok(agreement > 0.99999, `${agreement} for "${text.slice(0, 9)}"`);
    }
  });
}

/** As long as that, with an id behind the text. */
const filledWith = (id: number, width: number) => (ids: number[]) => [
  ...ids,
  ...Array(width - ids.length).fill(id),
];

for (const width of [16, 20, 77]) {
  for (
    const [name, pad, files] of [
      ["tokenizer_config.json", 0, {
        "tokenizer_config.json": { pad_token: "!" },
      }],
      ["an object there", END, {
        "tokenizer_config.json": { pad_token: { content: "<|endoftext|>" } },
      }],
      ["special_tokens_map.json", 1, {
        "special_tokens_map.json": { pad_token: '"' },
      }],
      ["nothing, for CLIP's own tokenizer", END, {}],
    ] as const
  ) {
    Deno.test(`Immich: ${width} tokens, and padding by ${name}`, () =>
      embedsAs(
        "immich",
        {
          "textual/model.onnx": textModel({ shape: [1, width], type: "int32" }),
          "config.json": { text_cfg: { context_length: width } },
          ...Object.fromEntries(
            Object.entries(files).map((
              [file, json],
            ) => [`textual/${file}`, json]),
          ),
        },
        filledWith(pad, width),
        width,
      ));
  }
}

Deno.test("Immich: texts are filled up where the model takes any number of tokens", () =>
  embedsAs(
    "immich",
    {
      "textual/model.onnx": textModel(),
      "config.json": { text_cfg: { context_length: 32 } },
    },
    filledWith(END, 32),
    32,
  ));

for (
  const [what, files] of [
    ["tokenizer_config.json", {
      "textual/tokenizer_config.json": { model_max_length: 20 },
    }],
    ["tokenizer.json", {
      "textual/tokenizer.json": {
        ...tokenizer,
        truncation: { max_length: 20, direction: "Right" },
      },
    }],
  ] as const
) {
  Deno.test(`Immich: text_cfg's context length counts, whatever limit ${what} has`, () =>
    embedsAs(
      "immich",
      {
        "textual/model.onnx": textModel(),
        "config.json": { text_cfg: { context_length: 77 } },
        ...files,
      },
      filledWith(END, 77),
    ));
}

Deno.test("Immich: a text is cleaned as text_cfg says", () =>
  withClip("immich", {
    "textual/model.onnx": textModel(),
    "config.json": {
      text_cfg: {
        context_length: 32,
        tokenizer_kwargs: { clean: "canonicalize" },
      },
    },
  }, async (folder) => {
    const encoder = await openEncoder(folder, { device: "cpu" });
    const [vector] = await encoder.encodeTexts([" A_dog!, "]);
    await encoder.close();
    const right = vectorOf(filledWith(END, 32)(DOG));
    ok(cosineSimilarity(vector, right) > 0.99999);
  }));

Deno.test("Transformers.js: texts of several lengths are not padded where no mask hides it", () =>
  embedsAs("transformers", {}, (ids) => ids));

Deno.test("Transformers.js: padding is masked, where the model takes a mask", () =>
  embedsAs(
    "transformers",
    {
      "onnx/text_model.onnx": textModel({
        beside: ["attention_mask"],
        masked: true,
      }),
    },
    (ids) => ids,
  ));

Deno.test("Transformers.js: a text is cut to the fewest tokens that a file names, its end kept", () =>
  embedsAs(
    "transformers",
    {
      "config.json": {
        model_type: "clip",
        text_config: { max_position_embeddings: 32 },
      },
      "tokenizer_config.json": { model_max_length: 16 },
    },
    (ids) => ids,
    16,
  ));

Deno.test("Transformers.js: a tokenizer.json that fills its texts is obeyed", () =>
  embedsAs(
    "transformers",
    {
      "tokenizer.json": {
        ...tokenizer,
        padding: { strategy: { Fixed: 48 }, direction: "Right", pad_id: 7 },
      },
      "config.json": { model_type: "clip" },
    },
    filledWith(7, 48),
    48,
  ));

Deno.test("Transformers.js: a tokenizer.json may name its padding by the token alone", () =>
  embedsAs(
    "transformers",
    {
      "tokenizer.json": {
        ...tokenizer,
        padding: { strategy: { Fixed: 48 }, pad_token: "!" },
      },
      "config.json": { model_type: "clip" },
    },
    filledWith(0, 48),
    48,
  ));

Deno.test("Transformers.js: a model_type of null is one left out", () =>
  embedsAs(
    "transformers",
    {
      "config.json": {
        model_type: null,
        text_config: { max_position_embeddings: 77 },
      },
    },
    (ids) => ids,
  ));

Deno.test("Transformers.js: config.json's padding counts if its end is the tokenizer's", async () => {
  for (const [eos_token_id, pad] of [[END, 5], [2, END]]) {
    await embedsAs(
      "transformers",
      {
        "onnx/text_model.onnx": textModel({ shape: ["batch", 20] }),
        "config.json": {
          model_type: "clip",
          text_config: {
            max_position_embeddings: 20,
            pad_token_id: 5,
            eos_token_id,
          },
        },
      },
      filledWith(pad, 20),
      20,
    );
  }
});

Deno.test("SigLIP's texts are filled up, and its pooled vectors taken", () =>
  embedsAs(
    "transformers",
    {
      "onnx/text_model.onnx": textModel({ output: "pooler_output" }),
      "config.json": {
        model_type: "siglip",
        text_config: { model_type: "siglip_text_model" },
      },
      "preprocessor_config.json": {
        image_processor_type: "CLIPImageProcessor",
        size: 40,
        crop_size: 40,
      },
      "tokenizer_config.json": { pad_token: "!" },
    },
    filledWith(0, 64),
    64,
  ));

Deno.test("a tokenizer that puts no end behind a text loses none", () =>
  withClip("transformers", {
    "tokenizer.json": { ...tokenizer, post_processor: null },
    "config.json": {
      model_type: "clip",
      text_config: { max_position_embeddings: 4 },
    },
  }, async (folder) => {
    const encoder = await openEncoder(folder, { device: "cpu" });
    const [vector] = await encoder.encodeTexts(["the the the the dog"]);
    await encoder.close();
    ok(cosineSimilarity(vector, vectorOf([THE, THE, THE, THE])) > 0.99999);
  }));

const wordPieces = {
  ...tokenizer,
  added_tokens: [],
  normalizer: { type: "BertNormalizer", lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[PAD]": 0, "[UNK]": 1, a: 2, dog: 3, the: 4 },
  },
};
const masked = textModel({ beside: ["attention_mask"], masked: true });

for (
  const [what, files, message] of [
    [
      "no context length",
      { "config.json": {} },
      /config\.json: text_config\.max_position_embeddings left out is not supported/,
    ],
    [
      "a context length that is no number",
      { "config.json": { text_config: { max_position_embeddings: "77" } } },
      /config\.json: text_config\.max_position_embeddings "77" is not supported/,
    ],
    [
      "another context length than its model's",
      { "onnx/text_model.onnx": textModel({ shape: ["batch", 20] }) },
      /config\.json: text_config\.max_position_embeddings 77 .*: expected 20, the tokens/,
    ],
    [
      "padding that the tokenizer does not know",
      {
        "onnx/text_model.onnx": masked,
        "tokenizer_config.json": { pad_token: "[PAD]" },
      },
      /tokenizer_config\.json: pad_token "\[PAD\]" .*: expected a token of tokenizer\.json/,
    ],
    [
      "a number for its padding's text",
      {
        "onnx/text_model.onnx": masked,
        "tokenizer_config.json": { pad_token: 0 },
      },
      /tokenizer_config\.json: pad_token 0 .*: expected a token's text/,
    ],
    [
      "a number there in another file",
      {
        "onnx/text_model.onnx": masked,
        "special_tokens_map.json": { pad_token: 5 },
      },
      /special_tokens_map\.json: pad_token 5 .*: expected a token's text/,
    ],
    [
      "a text for its padding's number",
      {
        "onnx/text_model.onnx": masked,
        "tokenizer.json": { ...tokenizer, padding: { pad_id: "0" } },
      },
      /\/tokenizer\.json: padding\.pad_id "0" .*: expected a token's number/,
    ],
    [
      "a text for that number in config.json",
      {
        "onnx/text_model.onnx": masked,
        "config.json": {
          text_config: { max_position_embeddings: 77, pad_token_id: "0" },
        },
      },
      /\/config\.json: text_config\.pad_token_id "0" .*: expected a token's num/,
    ],
    [
      "widths that are multiples",
      {
        "tokenizer.json": { ...tokenizer, padding: { pad_to_multiple_of: 8 } },
      },
      /tokenizer\.json: padding\.pad_to_multiple_of 8 .*: expected null/,
    ],
    [
      "a padding that is no object",
      { "tokenizer.json": { ...tokenizer, padding: 5 } },
      /tokenizer\.json: padding 5 .*: expected a JSON object/,
    ],
    [
      "a text_config that is no object",
      { "config.json": { text_config: 5 } },
      /config\.json: text_config 5 .*: expected a JSON object/,
    ],
    [
      "a number for its type",
      { "config.json": { model_type: 5 } },
      /config\.json: model_type 5 .*: expected a text, as in "clip"/,
    ],
    [
      "a list for its type",
      { "config.json": { model_type: ["clip"] } },
      /config\.json: model_type \["clip"\] .*: expected a text/,
    ],
    ...[0, 1, 2].map((width) =>
      [
        `texts of ${width} tokens`,
        { "onnx/text_model.onnx": textModel({ shape: ["batch", width] }) },
        /text_model\.onnx: input input_ids .*: expected 3 tokens or more/,
      ] as const
    ),
    [
      "no padding, and another tokenizer than CLIP's",
      { "onnx/text_model.onnx": masked, "tokenizer.json": wordPieces },
      /tokenizer_config\.json: pad_token left out .*: expected the token that fills/,
    ],
    [
      "padding before the text",
      { "tokenizer_config.json": { padding_side: "left" } },
      /tokenizer_config\.json: padding_side "left"/,
    ],
    [
      "letters lowered in one file and not in another",
      {
        "tokenizer.json": wordPieces,
        "tokenizer_config.json": {
          tokenizer_class: "BertTokenizer",
          do_lower_case: false,
        },
      },
      /tokenizer_config\.json: do_lower_case false/,
    ],
    [
      "an unknown kind of tokenizer",
      { "tokenizer.json": { ...tokenizer, normalizer: { type: "Unheard" } } },
      /tokenizer\.json: .*Unheard/,
    ],
    [
      "inputs that nobody fills",
      { "onnx/text_model.onnx": textModel({ beside: ["pixel_values"] }) },
      /text_model\.onnx: input input_ids int64 .*pixel_values.*: expected/,
    ],
    [
      "vectors that are not of the common space",
      { "onnx/text_model.onnx": textModel({ output: "pooler_output" }) },
      /text_model\.onnx: outputs pooler_output: expected image_embeds or text_embeds/,
    ],
    [
      "towers of different width",
      { "onnx/text_model.onnx": textModel({ dimensions: 2 }) },
      /vision_model\.onnx makes vectors of 3 numbers, and \S+text_model\.onnx of 2/,
    ],
    [
      "batches of a fixed size",
      { "onnx/vision_model.onnx": visionModel({ shape: [4, 3, 40, 40] }) },
      /vision_model\.onnx: batches of 4: expected 1, or any number/,
    ],
  ] as const
) {
  Deno.test(`a model with ${what} is refused by name`, () =>
    withClip(
      "transformers",
      files,
      (folder) =>
        rejects(openEncoder(folder, { device: "cpu" }), (error: Error) => {
          ok(message.test(error.message), error.message);
          ok(error.message.includes(folder));
          equal(error.message.split("\n").length, 1);
          return true;
        }),
    ));
}

for (
  const [text_cfg, message] of [
    [5, /config\.json: text_cfg 5 .*: expected a JSON object/],
    [
      { tokenizer_kwargs: 5 },
      /config\.json: text_cfg\.tokenizer_kwargs 5 .*: expected a JSON object/,
    ],
  ] as const
) {
  Deno.test(`OpenCLIP's text_cfg ${JSON.stringify(text_cfg)} is refused by name`, () =>
    withClip(
      "immich",
      { "config.json": { text_cfg } },
      (folder) => rejects(openEncoder(folder, { device: "cpu" }), message),
    ));
}

Deno.test("OpenCLIP's context length must be its model's", () =>
  withClip("immich", {
    "textual/model.onnx": textModel({ shape: [1, 32] }),
    "config.json": { text_cfg: { context_length: 77 } },
  }, (folder) =>
    rejects(
      openEncoder(folder, { device: "cpu" }),
      /config\.json: text_cfg\.context_length 77 .*: expected 32/,
    )));

Deno.test("only CLIP's own tokenizer makes a folder one that knows English only", async () => {
  const languages: unknown[] = [];
  const other: Files = {
    "tokenizer.json": wordPieces,
    "tokenizer_config.json": { pad_token: "[PAD]" },
  };
  for (const files of [{}, other]) {
    await withClip("transformers", files, async (folder) => {
      const encoder = await openEncoder(folder, { device: "cpu" });
      languages.push(encoder.languages);
      await encoder.close();
    });
  }
  deepEqual(languages, [["en"], undefined]);
});
