/**
 * A server of pictures for bench/download.ts, as its own process: from memory,
 * without limits, faster than whoever asks it. Any path is a picture's.
 *
 * Prints its port when it listens.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { photographs } from "./harness.ts";

const files = await photographs(96);
const pictures = await Promise.all(files.map((file) => readFile(file)));

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, ({ url }) => {
  const number = Number(/\d+(?=\.jpg$)/.exec(url)?.[0] ?? 0);
  const headers = { "content-type": "image/jpeg" };
  return new Response(pictures[number % pictures.length], { headers });
});
