import { deepStrictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readResource } from "../../data/sample/rcc.ts";

/** A resource file of version 2: the folder "art" with "ä.webp" and "b.webp". */
function resourceFile(flags: number): Uint8Array {
  const name = (text: string) =>
    Buffer.concat([
      Buffer.from([0, text.length, 0, 0, 0, 0]),
      Buffer.from(text, "utf16le").swap16(),
    ]);
  const content = (text: string) =>
    Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  /** Name's place, flags, and what follows at bytes 6 and 10. */
  const node = (at: number, flags: number, six: number, ten: number) => {
    const bytes = Buffer.alloc(22);
    bytes.writeUInt32BE(at, 0);
    bytes.writeUInt16BE(flags, 4);
    bytes.writeUInt32BE(six, 6);
    bytes.writeUInt32BE(ten, 10);
    return bytes;
  };
  const names = ["art", "ä.webp", "b.webp"].map(name);
  const [second, third] = [
    names[0].length,
    names[0].length + names[1].length,
  ];
  const tree = Buffer.concat([
    ...[node(0, 2, 1, 1), node(0, 2, 2, 2)],
    ...[node(second, 0, 0, 0), node(third, flags, 0, 7)],
  ]);
  const data = Buffer.concat([content("one"), content("other")]);
  const head = Buffer.from("qres" + "\0".repeat(16), "latin1");
  [2, 20, 20 + tree.length, 20 + tree.length + data.length].forEach(
    (value, i) => head.writeUInt32BE(value, 4 + 4 * i),
  );
  return Buffer.concat([head, tree, data, ...names]);
}

Deno.test("readResource() reads a file by its path, whatever letters it has", () => {
  const file = resourceFile(0);
  const textOf = (path: string) =>
    new TextDecoder().decode(readResource(file, path));
  deepStrictEqual(["art/ä.webp", "art/b.webp"].map(textOf), ["one", "other"]);
});

Deno.test("readResource() says what is not there, compressed, or no resource file", () => {
  throws(() => readResource(resourceFile(0), "art/c.webp"), {
    message: "art/c.webp is not there",
  });
  throws(() => readResource(resourceFile(0), "art/b.webp/x"), {
    message: "art/b.webp/x is not there",
  });
  throws(() => readResource(resourceFile(4), "art/b.webp"), {
    message: "art/b.webp is compressed",
  });
  throws(
    () => readResource(new Uint8Array(30), "b.webp"),
    { message: "this is no Qt resource file: looked for b.webp in it" },
  );
});
