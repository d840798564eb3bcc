/**
 * The two sites that bench/download.ts asks, in a process of their own, so that
 * their time is nobody's. Any path with a number is a picture's.
 *
 * The first answers from memory, without limits. Of `/small/`, the pictures have
 * 600 bytes. The second allows so many requests a second, refuses the others
 * (429), and meets some addresses' first request with a fault.
 *
 * Prints their ports and, for each line that it reads, what the second has seen.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import sharp from "sharp";
import { photographs } from "../harness.ts";

const perSecond = Number(process.argv[2]);
const files = await photographs(96);
const large = await Promise.all(files.map((file) => readFile(file)));
const small = await sharp({
  create: { width: 60, height: 60, channels: 3, background: "#406080" },
}).jpeg().toBuffer();
const headers = { "content-type": "image/jpeg" };

/** Each is another picture: one number of its quantization differs. */
function pictureOf(number: number): Uint8Array {
  const picture = Uint8Array.from(large[number % large.length]);
  const table = Buffer.from(picture.buffer).indexOf("ffdb0043", "hex");
  const variant = Math.floor(number / large.length);
  // Of the slow waves, which are still there when it is shrunk, but not the mean.
  picture[table + 6 + variant % 12] += 1 + Math.floor(variant / 12);
  return picture;
}

/** The number in a path. */
const numberOf = (path: string) => Number(/(\d+)\.jpg$/.exec(path)?.[1] ?? 0);

// Of what answers fastest here; node:http would take a core of the two.
const fast = Deno.serve({
  port: 0,
  hostname: "0.0.0.0",
  onListen() {},
}, ({ url }) => {
  const picture = url.includes("/small/") ? small : pictureOf(numberOf(url));
  return new Response(picture as Uint8Array<ArrayBuffer>, { headers });
});

const seen = { requests: 0, refused: 0, faults: 0 };
const met = new Set<number>();
/** A bucket of tokens: some at once, then as many as flow in. */
const BURST = 10;
let tokens = BURST, filled = Date.now();

const limited = createServer((request, response) => {
  seen.requests++;
  tokens = Math.min(BURST, tokens + (Date.now() - filled) * perSecond / 1000);
  filled = Date.now();
  if (tokens < 1) {
    seen.refused++;
    return response.writeHead(429, { "retry-after": "1" }).end();
  }
  tokens--;
  const number = numberOf(request.url!);
  const fault = met.has(number) ? undefined : FAULTS[number % 100];
  met.add(number);
  if (fault) seen.faults++;
  if (fault === "500") return response.writeHead(500).end();
  const picture = large[number % large.length];
  response.writeHead(200, { ...headers, "content-length": picture.length });
  if (!fault) return response.end(picture);
  response.write(picture.subarray(0, 10_000), () => {
    if (fault === "cut") response.destroy();
  });
});

/** What the first request for some addresses meets: 5, 2 and 2 of 100. */
const FAULTS: Record<number, "500" | "cut" | "stall"> = {
  ...{ 10: "500", 11: "500", 30: "500", 50: "500", 51: "500" },
  ...{ 20: "cut", 70: "cut", 40: "stall", 90: "stall" },
};

limited.listen(0, "127.0.0.1", () => {
  const { port } = limited.address() as AddressInfo;
  console.log(JSON.stringify([(fast.addr as Deno.NetAddr).port, port]));
});
createInterface({ input: process.stdin })
  .on("line", () => console.log(JSON.stringify(seen)))
  .on("close", () => process.exit());
