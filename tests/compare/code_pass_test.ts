import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { Control } from "#lib/compare/code_blocks.ts";
import { CodeMemory, LARGEST_NUMBER } from "#lib/compare/code_pass.ts";
import { paths } from "#lib/paths.ts";

Deno.test("CodeMemory's products are exact for all that codes and numbers may be", () => {
  const codes = (length: number) =>
    fc.int8Array({ min: -127, minLength: length, maxLength: length });
  const number = fc.integer({ min: -LARGEST_NUMBER, max: LARGEST_NUMBER });
  const memories = fc.integer({ min: 1, max: 70 }).chain((length) =>
    fc.tuple(
      fc.array(codes(length), { minLength: 1, maxLength: 9 }),
      fc.array(number, { minLength: length, maxLength: length }),
    )
  );
  fc.assert(fc.property(memories, ([rows, query]) => {
    const memory = new CodeMemory(rows.length, query.length);
    rows.forEach((row, index) => memory.set(index, row, 1));
    deepStrictEqual(
      [...memory.products(query, rows.length)],
      rows.map((row) => query.reduce((sum, x, i) => sum + x * row[i], 0)),
    );
  }));
});

Deno.test("CodeMemory's longest row does not overflow", () => {
  const length = 2 ** 19;
  const memory = new CodeMemory(2, length);
  memory.set(0, new Int8Array(length).fill(127), 1);
  memory.set(1, new Int8Array(length).fill(-127), 1);
  const query = new Int16Array(length).fill(LARGEST_NUMBER);
  const most = 127 * LARGEST_NUMBER * length;
  deepStrictEqual([...memory.products(query, 2)], [most, -most]);
  query.fill(-LARGEST_NUMBER);
  deepStrictEqual([...memory.products(query, 2)], [-most, most]);
});

Deno.test("CodeMemory forgets the query before, of whichever kind", () => {
  const memory = new CodeMemory(1, 5);
  memory.set(0, Int8Array.of(1, 1, 1, 1, 1), 2);
  strictEqual(memory.differences([9, 9, 9, 9, 9], 1)[0], 35);
  strictEqual(memory.products([1, 2, 3, 4, 5], 1)[0], 15);
  strictEqual(memory.differences([2, 2, 2, 2, 3], 1)[0], 1);
});

Deno.test("CodeMemory refuses more than 4 GB, and rows too long", () => {
  throws(() => new CodeMemory(9e6, 512), /4 GB.*got 9000000 vectors of 512/s);
  throws(() => new CodeMemory(1, 2 ** 19 + 1), /524288 numbers.*524289/s);
});

Deno.test("CodeMemory does a block itself whose thread dies, and does without threads then", () => {
  const { postMessage } = Worker.prototype;
  let told = 0;
  // Takes a block, and never has it done.
  Worker.prototype.postMessage = ({ buffer }: WebAssembly.Memory) => {
    told++;
    Atomics.sub(new Int32Array(buffer), Control.LEFT, 1);
  };
  try {
    const memory = new CodeMemory(100_000, 64);
    const ones = new Int8Array(64).fill(1);
    for (let row = 0; row < 100_000; row++) memory.set(row, ones, 1);
    for (let turn = 0; turn < 3; turn++) {
      const sums = memory.products(ones, 100_000);
      strictEqual(sums.every((sum) => sum === 64), true);
      memory.set(0, ones, 1);
    }
    strictEqual(told <= availableParallelism() - 1, true, `${told}`);
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
});

Deno.test("a program that compared by several threads ends, and so does one that may start none", async () => {
  const file = join(paths.root, "lib/compare/code_pass.ts");
  const program = `
    import { CodeMemory } from "${pathToFileURL(file)}";
    const memory = new CodeMemory(100_000, 64);
    memory.set(99_999, new Int8Array(64).fill(3), 1);
    for (let i = 0; i <= 100; i++) {
      const last = memory.products(new Int8Array(64).fill(i), 100_000)[99_999];
      if (last !== 64 * 3 * i) throw new Error(\`\${i}: \${last}\`);
      await new Promise((resolve) => setTimeout(resolve, i % 10 ? 0 : 5));
    }
    console.log("compared");`;
  const folder = await Deno.makeTempDir();
  try {
    const script = join(folder, "program.ts");
    await Deno.writeTextFile(script, program);
    const kernels = join(paths.root, "lib/compare/code_sums.wasm");
    for (const permission of ["--allow-read", `--allow-read=${kernels}`]) {
      const { stdout } = await promisify(execFile)(
        Deno.execPath(),
        ["run", "--no-prompt", permission, script],
        { timeout: 60_000 },
      );
      strictEqual(stdout, "compared\n", permission);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
