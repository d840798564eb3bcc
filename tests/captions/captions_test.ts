import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseCaptions, readCaptions } from "#lib/captions/captions.ts";
import { paths } from "#lib/paths.ts";

/** A COCO file of two pictures, as captions_val2017.json is built. */
function coco() {
  return {
    info: { year: 2017 },
    licenses: [{
      id: 4,
      name: "Attribution License",
      url: "http://cc/by/2.0/",
    }],
    images: [
      {
        license: 4,
        file_name: "000000397133.jpg",
        coco_url: "http://images.example/val2017/000000397133.jpg",
        height: 427,
        width: 640,
        flickr_url: "http://farm7.example/6116/6255196340_da26cf2c9e_z.jpg",
        id: 397133,
      },
      { license: 9, file_name: "000000037777.jpg", id: 37777 },
    ],
    annotations: [
      { image_id: 37777, id: 38, caption: "A small kitchen. " },
      { image_id: 397133, id: 37, caption: "A man cooks." },
      { image_id: 37777, id: 12, caption: "Fruit on a counter." },
    ] as unknown[],
  };
}

const parse = (value: unknown) => parseCaptions(JSON.stringify(value));

Deno.test("readCaptions(): COCO, with licence and page, in the order of the annotations", () => {
  const { pictures, problems } = parse(coco());
  deepEqual(problems, []);
  deepEqual(pictures[0], {
    path: "000000397133.jpg",
    category: "",
    term: "",
    caption: "A man cooks.",
    captions: ["A man cooks."],
    split: "",
    url: "http://images.example/val2017/000000397133.jpg",
    page: "https://www.flickr.com/photo.gne?id=6255196340",
    author: "",
    license: "Attribution License (http://cc/by/2.0/)",
  });
  deepEqual(pictures[1].captions, ["A small kitchen.", "Fruit on a counter."]);
  equal(pictures[1].caption, "A small kitchen.");
  equal(pictures[1].license, ""); // Number 9 is not listed.
});

Deno.test("readCaptions() takes only paths below the folder", () => {
  const below = ["a.jpg", "b/c..d.jpg", ".hidden/e.jpg"];
  const outside = [
    ...["", "/etc/a.jpg", "\\\\host\\a.jpg", "C:\\a.jpg", "c:a.jpg"],
    ...["../a.jpg", "b/../../a.jpg", "b\\..\\..\\a.jpg", "b/..", "a\n.jpg"],
    ...["a\u0000.jpg", 7, null],
  ];
  const { pictures, problems } = parse(
    [...outside, ...below].map((file) => ({ file, captions: ["One."] })),
  );
  deepEqual(pictures.map(({ path }) => path), below);
  equal(problems.length, outside.length);
  for (const problem of problems) match(problem, /is no path of a picture/);
});

Deno.test("readCaptions(): paths come with / and without what leads nowhere", () => {
  const { pictures, problems } = parse({
    "sub\\iris.jpg": "An iris.",
    "./a//b/./c.jpg": "A path.",
    "a/b/c.jpg": "The same path.",
  });
  deepEqual(pictures.map(({ path }) => path), ["sub/iris.jpg", "a/b/c.jpg"]);
  deepEqual(pictures[1].captions, ["A path.", "The same path."]);
  deepEqual(problems, []);
});

Deno.test("readCaptions(): a record a caption is as good as a record a picture", () => {
  const records = ["1.jpg", "2.jpg"].flatMap((file_name) =>
    ["A violin.", "Brown wood.", "Strings."].map((text) => (
      { file_name, text: `${file_name}: ${text}` }
    ))
  );
  const lines = records.map((one) => JSON.stringify(one)).join("\n");
  const pairs = records.map(({ file_name, text }) => [file_name, text]);
  for (const text of [lines, JSON.stringify(records), JSON.stringify(pairs)]) {
    const { pictures, problems } = parseCaptions(text);
    deepEqual(pictures.map(({ captions }) => captions.length), [3, 3]);
    equal(pictures[1].captions[2], "2.jpg: Strings.");
    deepEqual(problems, []);
  }
  // The very same again is no caption more.
  const { pictures, problems } = parseCaptions(`${lines}\n${lines}`);
  equal(pictures[0].captions.length, 3);
  equal(problems.length, 6);
});

Deno.test("readCaptions(): ids meet as text, long ones by every digit", () => {
  const of = (images: string, annotations: string) =>
    parseCaptions(`{"images": [${images}], "annotations": [${annotations}]}`);
  const { pictures, problems } = of(
    `{"id": "1", "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"},
     {"id": 9007199254740993, "file_name": "c.jpg"},
     {"id": 9007199254740994, "file_name": "d.jpg"}`,
    `{"id": 1, "image_id": 1, "caption": "A."},
     {"id": 2, "image_id": "2", "caption": "B."},
     {"id": 3, "image_id": "9007199254740993", "caption": "C."},
     {"id": 4, "image_id": 9007199254740994, "caption": "D."}`,
  );
  deepEqual(problems, []);
  deepEqual(pictures.map(({ caption }) => caption), ["A.", "B.", "C.", "D."]);
  // A number for all annotations tells nothing; theirs is the picture's.
  const zeros = of(
    `{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"},
     {"file_name": "c.jpg"}`,
    `{"id": 0, "image_id": 1, "caption": "A."},
     {"id": 0, "image_id": 2, "caption": ["B.", "C."]}, {"caption": "D."}`,
  );
  deepEqual(zeros.pictures.map(({ captions }) => captions), [
    ["A."],
    ["B.", "C."],
  ]);
  deepEqual(zeros.problems, [
    'image {"file_name":"c.jpg"} has no id: left out',
    "annotation undefined is of image undefined, which is not listed: left out",
  ]);
});

Deno.test("readCaptions(): one bad part is left out, never the file", () => {
  const good = coco();
  for (const licenses of [null, 7, "CC", [null, 7, {}], { 0: { id: 4 } }]) {
    equal(parse({ ...good, licenses }).pictures.length, 2);
  }
  const numbered = parse({
    images: { ...good.images },
    annotations: { ...good.annotations },
  });
  equal(numbered.pictures.length, 2);
  const { pictures, problems } = parse({
    ...good,
    images: [null, 7, ...good.images],
  });
  equal(pictures.length, 2);
  deepEqual(problems, [
    "image null has no id: left out",
    "image 7 has no id: left out",
  ]);
  const karpathy = parse({
    images: [
      ...[null, 7, "x", undefined].map((sentences, i) => (
        { filename: `${i}.jpg`, sentences }
      )),
      { filename: "4.jpg", sentences: [null, { tokens: ["a", "saw"] }, "An"] },
      null,
    ],
  });
  deepEqual(karpathy.pictures[4].captions, ["a saw", "An"]);
  deepEqual(karpathy.problems, [
    "0.jpg: sentences are null, no list: left out",
    "1.jpg: sentences are 7, no list: left out",
    '2.jpg: sentences are "x", no list: left out',
    "3.jpg: sentences are undefined, no list: left out",
    "4.jpg: caption 1 is null, no text: left out",
    "null is no path of a picture below its folder: left out",
  ]);
});

Deno.test("readCaptions(): records, pairs and maps, a line each", () => {
  const { pictures, problems } = parseCaptions(
    '{"file_name": "a.jpg", "text": "A saw.", "score": NaN}\r\n' +
      '{"file_name": "b.jpg", "text": "A b\n' +
      '["c.jpg", "A bus.", "A red bus."]\n{"d.jpg": "An iris."}\n' +
      '{"file_name": "e.jpg", "text": NaN}\n{"file_name": null}\n',
  );
  deepEqual(pictures.map(({ path, captions }) => [path, captions]), [
    ["a.jpg", ["A saw."]],
    ["c.jpg", ["A bus.", "A red bus."]],
    ["d.jpg", ["An iris."]],
    ["e.jpg", []],
  ]);
  deepEqual(problems, [
    "line 2 is cut off: left out",
    "e.jpg: caption 1 is NaN, no text: left out",
    '{"file_name":null} is no path of a picture below its folder: left out',
  ]);
});

Deno.test("where nothing is left, the error says what was wrong with the parts", () => {
  const lines = Array.from({ length: 5 }, (_, i) => `a.jpg,caption ${i}`);
  throws(() => parseCaptions(lines.join("\n")), {
    message:
      /^holds no captions: .*; line 1: expected .*"a.jpg,caption 0": left out; line 2: .*; line 3: .*; and 2 more$/,
  });
  throws(() => parse([null]), {
    message: /^holds no captions: .*; null is no path of a picture .*left out$/,
  });
});

Deno.test("readCaptions() remarks on more than 1,000 characters, and keeps them", () => {
  const long = (length: number) => "x".repeat(length);
  const { pictures, problems } = parse({ "a.jpg": [long(1000), long(1001)] });
  deepEqual(pictures[0].captions.map(({ length }) => length), [1000, 1001]);
  deepEqual(problems, [
    "a.jpg: caption 2 has 1001 characters: encoders read its beginning",
  ]);
});

Deno.test("readCaptions() trims captions, and remarks on those without Latin letters", () => {
  const { pictures, problems } = parse({
    "a.jpg": ["\t An owl \u00a0\n", " 猫 ", "Ein Käuzchen", "ひ".repeat(70)],
  });
  deepEqual(pictures[0].captions.slice(0, 3), ["An owl", "猫", "Ein Käuzchen"]);
  deepEqual(problems, [
    'a.jpg: caption 2 has no Latin letters ("猫"): encoders of English make ' +
    "little of it",
    `a.jpg: caption 4 has no Latin letters ("${"ひ".repeat(59)}…): encoders ` +
    "of English make little of it",
  ]);
});

Deno.test("readCaptions(): COCO with everything that can be wrong, a line each", () => {
  const file = coco();
  file.images.push({ ...file.images[1], file_name: "twice.jpg" });
  file.images.push({ license: 4, file_name: "../secret.jpg", id: 1 });
  file.annotations.push(
    { image_id: 37777, id: 12, caption: "The same annotation again." },
    { image_id: 5, id: 13, caption: "Of a picture that is missing." },
    { image_id: 37777, id: 14, caption: "  " },
    { image_id: 37777, id: 15, caption: null },
    { image_id: 37777, id: 16, caption: "厨房里的水果" },
    { image_id: 37777, id: 17, caption: "fruit ".repeat(2000) },
    null,
  );
  const { pictures, problems } = parse(file);
  deepEqual(problems, [
    "image 37777 is listed twice: the first one counts",
    '"../secret.jpg" is no path of a picture below its folder: left out',
    "annotation 12 is listed twice: the first one counts",
    "annotation 13 is of image 5, which is not listed: left out",
    "000000037777.jpg: caption 3 is empty: left out",
    "000000037777.jpg: caption 3 is null, no text: left out",
    '000000037777.jpg: caption 3 has no Latin letters ("厨房里的水果"): ' +
    "encoders of English make little of it",
    "000000037777.jpg: caption 4 has 11999 characters: encoders read its " +
    "beginning",
    "annotation null is no record: left out",
  ]);
  equal(pictures.length, 2);
  equal(pictures[1].captions.length, 4);
});

Deno.test("readCaptions(): Flickr30k as Karpathy split it", () => {
  const { pictures } = parse({
    dataset: "flickr30k",
    images: [{
      sentids: [0, 1],
      imgid: 0,
      split: "test",
      filename: "1000092795.jpg",
      sentences: [
        { tokens: ["two"], raw: "Two young men.", imgid: 0, sentid: 0 },
        { tokens: ["a"], raw: "A garden.", imgid: 0, sentid: 1 },
      ],
    }],
  });
  deepEqual(pictures[0].captions, ["Two young men.", "A garden."]);
  equal(pictures[0].split, "test");
  equal(pictures[0].page, "https://www.flickr.com/photo.gne?id=1000092795");
  // COCO as Karpathy split it: pictures lie in folders.
  const { pictures: [coco] } = parse({
    images: [{ filepath: "val2014", filename: "391895.jpg", sentences: [] }],
  });
  deepEqual([coco.path, coco.page], ["val2014/391895.jpg", ""]);
});

Deno.test("readCaptions(): Flickr30k's lines", () => {
  const { pictures, problems } = parseCaptions(
    "\uFEFF1.jpg#0\tA dog .\r\n2.jpg#0\tA cat .\n1.jpg#1\tA brown dog .\n" +
      "A fox .\n3.jpg#0 A hen .\n",
  );
  deepEqual(pictures.map(({ path, captions }) => [path, captions]), [
    ["1.jpg", ["A dog .", "A brown dog ."]],
    ["2.jpg", ["A cat ."]],
  ]);
  deepEqual(problems, [
    'line 4: expected NAME.jpg#0, a tab and a caption, got "A fox .": left out',
    "line 5: expected NAME.jpg#0, a tab and a caption, got " +
    '"3.jpg#0 A hen .": left out',
  ]);
});

Deno.test("readCaptions(): picture → caption, captions, or a record", () => {
  const { pictures, problems } = parse({
    "a.jpg": "One.",
    "b/c.jpg": [" ", "One.", "Two."],
    "d.jpg": { caption: "One.", author: "Ada", license: "CC0" },
    "e.jpg": [],
    "f.jpg": 7,
  });
  deepEqual(pictures.map(({ captions }) => captions.length), [1, 2, 1, 0, 0]);
  equal(pictures[2].author, "Ada");
  equal(pictures[2].license, "CC0");
  deepEqual(pictures.map(({ caption }) => caption), [
    ...["One.", "One.", "One.", "", ""],
  ]);
  deepEqual(problems, [
    "b/c.jpg: caption 1 is empty: left out",
    "f.jpg: caption 1 is 7, no text: left out",
  ]);
});

Deno.test("readCaptions(): a list of records", () => {
  const address = "http://farm3.example/2784/4119513504_1a9094f2a0_z.jpg";
  const { pictures, problems } = parse([{
    file: "images/1.jpg",
    captions: ["A dog."],
    license: "Attribution License",
    license_url: "http://cc/by/2.0/",
    flickr_url: address,
  }, {
    path: "2.jpg",
    caption: "A cat.",
    url: "http://here/2.jpg",
    page: "http://here/2",
    split: "val",
  }, {
    path: "2.jpg",
    caption: "Another cat.",
  }, {
    file_name: "3.jpg",
    captions: [],
    flickr_url: "http://flickr/photos/ada/3",
  }]);
  equal(pictures[0].license, "Attribution License (http://cc/by/2.0/)");
  equal(pictures[0].url, address);
  equal(pictures[0].page, "https://www.flickr.com/photo.gne?id=4119513504");
  const { url, page, split, captions } = pictures[1];
  deepEqual([url, page, split], ["http://here/2.jpg", "http://here/2", "val"]);
  deepEqual(captions, ["A cat.", "Another cat."]);
  equal(pictures[2].page, "http://flickr/photos/ada/3");
  deepEqual(problems, []);
});

Deno.test("readCaptions(): the sample's own", async () => {
  const { pictures, problems } = await readCaptions(
    join(paths.sample, "captions.json"),
  );
  deepEqual(problems, []);
  ok(pictures.length > 100);
  ok(
    pictures.every(({ path, captions, license }) =>
      existsSync(join(paths.sample, path)) && captions.length === 2 && license
    ),
  );
});

Deno.test("readCaptions() names a file that is cut off, or no such file", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "captions.json");
  await Deno.writeTextFile(file, JSON.stringify(coco()).slice(0, 300));
  await rejects(
    readCaptions(file),
    /captions\.json: is cut off at line 1, column 301: download it again/,
  );
  throws(
    () => parseCaptions("Dear reader,\n"),
    /holds no captions: expected COCO/,
  );
  throws(() => parseCaptions("{}"), /holds no captions/);
  await rejects(
    readCaptions(join(folder, "none")),
    /none cannot be read \(ENOENT\)$/,
  );
  await Deno.remove(folder, { recursive: true });
});
