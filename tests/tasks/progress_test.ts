import { deepEqual, deepStrictEqual, equal } from "node:assert/strict";
import process from "node:process";
import { progressOn } from "../../tasks/progress.ts";

// Whatever the tests are run in.
process.env.TERM = "xterm";

/** An output, and what was written to it. */
function makeOutput(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

Deno.test("progress in a terminal: a passing line is replaced by the next", () => {
  const output = makeOutput(true);
  const { line, passing } = progressOn(output);
  passing("one ".repeat(30));
  line("done");
  const [first, second] = output.written;
  equal(first, `\r\x1b[K${"one ".repeat(30).slice(0, 78)}`);
  equal(second, "\r\x1b[Kdone\n");
});

Deno.test("progress in a simple terminal has nothing that it would print", () => {
  process.env.TERM = "dumb";
  try {
    const output = makeOutput(true);
    const { line, passing } = progressOn(output);
    passing("one");
    line("done");
    deepStrictEqual(output.written, ["done\n"]);
  } finally {
    process.env.TERM = "xterm";
  }
});

Deno.test("progress in a log: passing lines at most every ten seconds", () => {
  const output = makeOutput(false);
  const now = Date.now;
  let time = now();
  Date.now = () => time;
  try {
    const { line, passing } = progressOn(output);
    passing("soon");
    time += 10_000;
    passing("later");
    passing("at once");
    time += 9_999;
    line("said");
    time += 9_999;
    passing("too soon after a line");
    time += 1;
    passing("again");
  } finally {
    Date.now = now;
  }
  deepEqual(output.written, ["later\n", "said\n", "again\n"]);
});

Deno.test("remarks() says the first ones, and how many there are besides", () => {
  const say = (count: number) => {
    const output = makeOutput(false);
    const lines = Array.from({ length: count }, (_, i) => `${i}`);
    progressOn(output).remarks(lines, 2);
    return output.written;
  };
  const output = makeOutput(false);
  progressOn(output).remarks(["  a\u001b[31m\nb\u202e"], 1);
  deepEqual(output.written, ["  a [31m b \n"]);
  deepEqual(say(0), []);
  deepEqual(say(2), ["0\n", "1\n"]);
  deepEqual(say(5), ["0\n", "1\n", "… and 3 more like these\n"]);
});

Deno.test("waiting() says each second how long it has been, until it is stopped", async () => {
  const output = makeOutput(true);
  const stop = progressOn(output).waiting("Looking");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  stop();
  const said = ["\r\x1b[KLooking … (1 s)"];
  deepStrictEqual(output.written, said);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  deepStrictEqual(output.written, said);
});
