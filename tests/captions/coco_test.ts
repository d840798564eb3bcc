import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  TextReader,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipWriter,
} from "@zip.js/zip.js";
import { type CocoSplit, downloadCoco } from "#lib/captions/coco.ts";
import { Host } from "#lib/http/hosts.ts";
import { openZip } from "#lib/http/zip.ts";
import { colourPicture } from "../support/colour_picture.ts";

/** Three pictures as COCO has them, in both archives and one by one. */
const names = ["000000000139.jpg", "000000000285.jpg", "000000000632.jpg"];
const pictures = await Promise.all(
  names.map((_, i) => colourPicture([1, 0, 0], i)),
);

async function zipOf(members: Record<string, string | Uint8Array>) {
  const zip = new ZipWriter(new Uint8ArrayWriter());
  for (const [name, content] of Object.entries(members)) {
    const reader = typeof content === "string"
      ? new TextReader(content)
      : new Uint8ArrayReader(content);
    await zip.add(name, reader);
  }
  return await zip.close();
}

/** A stand-in for images.cocodataset.org: HTTP with ranges, faults on request. */
async function startCoco() {
  const faults = { cutOff: 0, unavailable: 0, noRanges: 0, gone: "" };
  const requests: string[] = [];
  const happens = (fault: "cutOff" | "unavailable" | "noRanges") =>
    faults[fault] > 0 && faults[fault]-- > 0;
  const files: Record<string, Uint8Array> = {};
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      const range = request.headers.get("range");
      requests.push(`${pathname} ${range ?? ""}`.trim());
      const content = files[pathname];
      if (happens("unavailable")) return new Response("", { status: 503 });
      if (!content || pathname === faults.gone) {
        return new Response("", { status: 404 });
      }
      let from = 0, to = content.length;
      const partial = range !== null && !happens("noRanges");
      if (partial) {
        const [, first, last] = range.match(/^bytes=(\d+)-(\d*)$/)!;
        from = Number(first);
        to = Math.min(to, last ? Number(last) + 1 : to);
      }
      const part = Uint8Array.from(content.subarray(from, to));
      const body = happens("cutOff") ? halfOf(part) : part;
      return new Response(body, {
        status: partial ? 206 : 200,
        headers: {
          "content-type": pathname.endsWith(".jpg")
            ? "image/jpeg"
            : "application/zip",
          "content-length": `${part.length}`,
          "content-range": `bytes ${from}-${to - 1}/${content.length}`,
        },
      });
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const captions = {
    licenses: [{ id: 4, name: "Attribution License", url: "http://cc/by" }],
    images: names.map((name, id) => ({
      ...{ id, file_name: name, license: 4 },
      coco_url: `${origin}/val2017/${name}`,
      flickr_url: `http://farm1.example/1/${1000 + id}_0a1b_z.jpg`,
    })),
    annotations: names.flatMap((_, id) => [
      { id: 2 * id, image_id: id, caption: `Picture ${id}.` },
      { id: 2 * id + 1, image_id: id, caption: `It is red, ${id}.` },
    ]),
  };
  files["/annotations/annotations_trainval2017.zip"] = await zipOf({
    "annotations/instances_val2017.json": " ".repeat(3_000_000),
    "annotations/captions_val2017.json": JSON.stringify(captions),
  });
  files["/zips/val2017.zip"] = await zipOf(
    Object.fromEntries(
      names.map((name, i) => [`val2017/${name}`, pictures[i]]),
    ),
  );
  names.forEach((name, i) => files[`/val2017/${name}`] = pictures[i]);
  const archive = files["/zips/val2017.zip"];
  const split: CocoSplit = {
    name: "val2017",
    pictures: {
      address: `${origin}/zips/val2017.zip`,
      bytes: archive.length,
      md5: createHash("md5").update(archive).digest("hex"),
    },
    annotations: `${origin}/annotations/annotations_trainval2017.zip`,
  };
  return {
    split,
    /** Lets downloads ask this machine. */
    own: { allowedHosts: [new URL(origin).host] },
    files,
    faults,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A body that breaks off in the middle. */
function halfOf(bytes: Uint8Array) {
  let sent = false;
  return new ReadableStream({
    async pull(controller) {
      if (sent) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return controller.error(new Error("cut off"));
      }
      sent = true;
      controller.enqueue(bytes.subarray(0, bytes.length >> 1));
    },
  });
}

const fast = { intervalMs: 0, backoffMs: 10 };

/** Downloads into a folder of its own. */
async function setUp() {
  const coco = await startCoco();
  const folder = await Deno.makeTempDir();
  return {
    ...coco,
    folder,
    download: (count: number, options = {}) =>
      downloadCoco(coco.split, count, {
        ...fast,
        ...coco.own,
        folder,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await coco[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("downloadCoco() brings the captions and the first pictures, and no more", async () => {
  await using coco = await setUp();
  const first = await coco.download(2);
  deepEqual(first.problems, []);
  deepEqual(first.pictures.map(({ path }) => path), names.slice(0, 2));
  deepEqual(first.pictures[1].captions, ["Picture 1.", "It is red, 1."]);
  equal(first.pictures[0].license, "Attribution License (http://cc/by)");
  equal(first.pictures[0].page, "https://www.flickr.com/photo.gne?id=1000");
  deepEqual(
    await readFile(join(first.folder, names[0])),
    Buffer.from(pictures[0]),
  );
  equal(existsSync(join(first.folder, names[2])), false);

  const before = coco.requests.length;
  equal(coco.requests.some((request) => request.includes("/zips/")), false);
  await coco.download(3);
  deepEqual(coco.requests.slice(before), [`/val2017/${names[2]}`]);
});

Deno.test("downloadCoco() takes all pictures from the archive, and removes it", async () => {
  await using coco = await setUp();
  const stages = new Set<string>();
  const all = await coco.download(Infinity, {
    onProgress: (stage: string) => stages.add(stage),
  });
  deepEqual(all.pictures.map(({ path }) => path), names);
  deepEqual([...stages], ["Downloading, bytes", "Unpacking"]);
  deepEqual((await readdir(coco.folder)).toSorted(), [
    "annotations",
    "val2017",
  ]);
  deepEqual(
    await readFile(join(all.folder, names[2])),
    Buffer.from(pictures[2]),
  );
});

Deno.test("downloadCoco() goes on with an archive where it broke off", async () => {
  await using coco = await setUp();
  await coco.download(1);
  coco.faults.cutOff = 1;
  const { problems } = await coco.download(Infinity);
  deepEqual(problems, []);
  const archive = coco.requests.filter((request) => request.includes("/zips/"));
  equal(archive.length, 2);
  match(archive[1], /bytes=[1-9]\d*-$/);
});

Deno.test("downloadCoco() survives a moment's unavailability, and a broken connection", async () => {
  await using coco = await setUp();
  coco.faults.unavailable = 2;
  coco.faults.cutOff = 1;
  equal((await coco.download(1)).pictures.length, 1);
});

Deno.test("downloadCoco() leaves out what is gone, and asks again next time", async () => {
  await using coco = await setUp();
  coco.faults.gone = `/val2017/${names[1]}`;
  const { pictures, problems } = await coco.download(3);
  deepEqual(pictures.map(({ path }) => path), [names[0], names[2]]);
  deepEqual(problems, [`${names[1]} is not here: 404 Not Found`]);
  coco.faults.gone = "";
  equal((await coco.download(3)).pictures.length, 3);
});

Deno.test("downloadCoco() accepts no archive with a wrong checksum", async () => {
  await using coco = await setUp();
  coco.files["/zips/val2017.zip"][100] ^= 1;
  await rejects(
    coco.download(Infinity),
    /val2017\.zip cannot be had \(.*wrong checksum\): .* put val2017\.zip into/,
  );
  deepEqual(await readdir(coco.folder), ["annotations"]);
});

Deno.test("downloadCoco() uses archives that were put there by hand", async () => {
  await using coco = await setUp();
  for (
    const name of [
      "/annotations/annotations_trainval2017.zip",
      "/zips/val2017.zip",
    ]
  ) {
    await writeFile(join(coco.folder, name.split("/")[2]), coco.files[name]);
  }
  equal((await coco.download(Infinity)).pictures.length, 3);
  deepEqual(coco.requests, []);
});

Deno.test("downloadCoco() names a truncated archive, and a damaged member", async () => {
  await using coco = await setUp();
  await coco.download(1);
  const archive = coco.files["/zips/val2017.zip"];
  const byHand = join(coco.folder, "val2017.zip");
  await writeFile(byHand, archive.subarray(0, archive.length - 100));
  await rejects(
    coco.download(Infinity),
    /val2017\.zip is no whole ZIP archive \(.*\): delete it and run again/,
  );
  const damaged = Uint8Array.from(archive);
  // In the midst of the second picture.
  damaged[(archive.length / 2) | 0] ^= 1;
  await writeFile(byHand, damaged);
  const { pictures, problems } = await coco.download(Infinity);
  deepEqual(pictures.map(({ path }) => path), [names[0], names[2]]);
  match(problems[0], /^000000000285\.jpg is not here: .* is damaged/);
});

Deno.test("downloadCoco() says what to do where the captions cannot be had", async () => {
  await using coco = await setUp();
  coco.faults.noRanges = 10;
  await rejects(
    coco.download(1),
    /captions cannot be had \(.*knows no ranges\): run again, or put annotations_trainval2017\.zip into/,
  );
  coco.faults.noRanges = 0;
  coco.faults.gone = "/annotations/annotations_trainval2017.zip";
  await rejects(coco.download(1), /captions cannot be had \(.*404 Not Found\)/);
  await rejects(
    coco.download(0),
    /expected 1 picture or more, or Infinity, got 0/,
  );
});

Deno.test("downloadCoco() stops when asked, and goes on later", async () => {
  await using coco = await setUp();
  await coco.download(1);
  const abort = new AbortController();
  await rejects(
    coco.download(3, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error("enough")),
    }),
    /enough/,
  );
  equal((await coco.download(3)).pictures.length, 3);
});

Deno.test("openZip() fetches a member of a distant archive, and little else", async () => {
  await using coco = await setUp();
  // Random bytes do not shrink: the archive is large, the member small.
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const large = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`noise/${i}`, noise]),
  );
  coco.files["/large.zip"] = await zipOf({ ...large, "note.txt": "A note." });
  const address = `${new URL(coco.split.annotations).origin}/large.zip`;
  const before = coco.requests.length;
  const { members, close } = await openZip(
    address,
    new Host("COCO"),
    coco.own,
  );
  const read = members.get("note.txt")!;
  equal(new TextDecoder().decode(await read()), "A note.");
  await close();
  const fetched = coco.requests.slice(before).reduce((sum, request) => {
    const [, from, to] = request.match(/bytes=(\d+)-(\d+)$/)!;
    return sum + Number(to) - Number(from) + 1;
  }, 0);
  equal(
    fetched < coco.files["/large.zip"].length / 2,
    true,
    `${fetched} bytes`,
  );
});
