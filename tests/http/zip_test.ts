import { deepEqual, equal, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  TextReader,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipWriter,
} from "@zip.js/zip.js";
import { Host } from "#lib/http/hosts.ts";
import { openZip } from "#lib/http/zip.ts";

const writer = new ZipWriter(new Uint8ArrayWriter());
await writer.add("pictures/", undefined, { directory: true });
await writer.add("pictures/note.txt", new TextReader("A note."), { level: 0 });
await writer.add("up.txt", new TextReader("Up."));
const noise = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * i >> 7);
await writer.add("noise", new Uint8ArrayReader(noise), { level: 0 });
const archive = await writer.close();

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The archive in a file, with a byte of it changed. */
async function zipFile(changed?: number): Promise<string> {
  const bytes = Uint8Array.from(archive);
  if (changed !== undefined) bytes[changed] ^= 1;
  const path = join(await Deno.makeTempDir(), "a.zip");
  await writeFile(path, bytes);
  return path;
}

Deno.test("openZip() reads a file's members by the names that they have", async () => {
  const { members, close } = await openZip(await zipFile());
  deepEqual([...members.keys()], ["pictures/note.txt", "up.txt", "noise"]);
  equal(text(await members.get("pictures/note.txt")!()), "A note.");
  await close();
});

Deno.test("openZip() names a damaged member, and reads the others", async () => {
  // As text, the time that the archive bears might shift it.
  const inNote = Buffer.from(archive).indexOf("A note.");
  const path = await zipFile(inNote);
  const { members, close } = await openZip(path);
  await rejects(
    members.get("pictures/note.txt")!(),
    ({ message }: Error) =>
      message.startsWith(`pictures/note.txt of ${path} is damaged (`),
  );
  equal(text(await members.get("up.txt")!()), "Up.");
  await close();
});

Deno.test("openZip() reads from afar, and says what went wrong on the way", async () => {
  let version = 1, longest = 0;
  const answers: number[] = [];
  const server = createServer(({ headers }, response) => {
    const status = answers.shift();
    if (status) return response.writeHead(status).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range!)!;
    longest = Math.max(longest, Number(to) - Number(from) + 1);
    response.writeHead(206, {
      etag: `"${version}"`,
      "content-range": `bytes ${from}-${to}/${archive.length}`,
    }).end(archive.subarray(Number(from), Number(to) + 1));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/a.zip`;
  const open = () =>
    openZip(address, new Host("h", { backoffMs: 1 }), {
      allowedHosts: [new URL(address).host],
    });
  try {
    answers.push(500, 503);
    const { members, close } = await open();
    const read = members.get("pictures/note.txt")!;
    answers.push(408);
    equal(text(await read()), "A note.");
    // Each range is whole before it is handed on: none is large.
    deepEqual(await members.get("noise")!(), noise);
    equal(longest, 2 ** 20);
    answers.push(404);
    await rejects(read(), { message: `${address}: 404 Not Found` });
    // Half of one archive and half of another would be neither.
    version = 2;
    await rejects(read(), /note\.txt of http.* is damaged \(/);
    await close();
    answers.push(200);
    await rejects(open(), {
      message: `${address}: its server knows no ranges`,
    });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});
