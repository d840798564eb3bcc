import { deepEqual, equal, match } from "node:assert/strict";
import {
  findMachinePath,
  formatFaults,
  lintFaults,
  type Notebook,
  readNotebook,
  shapeFaults,
  typeFaults,
} from "../../tasks/check_notebooks.ts";
import { listNotebooks } from "../../tasks/execute.ts";

const notebooks = await Promise.all((await listNotebooks()).map(readNotebook));

Deno.test("notebooks are numbered from 1 without a gap, appendices lettered from A", () => {
  const marks = notebooks.map(({ name }) => name.split("_")[0]);
  const numbers = marks.filter((mark) => /^\d/.test(mark));
  deepEqual(marks, [
    ...numbers.map((_, index) => `${index + 1}`),
    ...[..."ABCDEFGH"].slice(0, marks.length - numbers.length),
  ]);
});

for (const notebook of notebooks) {
  Deno.test(`${notebook.name} has the shape of a committed notebook`, () => {
    equal(shapeFaults(notebook).join("\n"), "");
  });
}

Deno.test("all notebooks' cells are formatted", async () => {
  equal((await formatFaults(notebooks)).join("\n"), "");
});

Deno.test("all notebooks' cells pass deno lint", async () => {
  equal((await lintFaults(notebooks)).join("\n"), "");
});

Deno.test("all notebooks' cells pass deno check", async () => {
  equal((await typeFaults(notebooks)).join("\n"), "");
});

Deno.test("shapeFaults() accepts a sound notebook", () => {
  deepEqual(shapeFaults(sound()), []);
});

Deno.test("shapeFaults() names notebook, cell and what is wrong", () => {
  const cases: [(notebook: Notebook) => void, RegExp][] = [
    [(it) => it.cells[1].id = "Cell_1", /^1_a, cell Cell_1: expected an id/],
    [(it) => it.cells[1].id = "title", /^1_a, cell title: id used twice/],
    [
      (it) => it.cells.splice(2, 0, { ...it.cells[1], id: "next" }),
      /without prose/,
    ],
    [(it) => it.cells[1].source = Array(26).fill("1;\n"), /26 lines, at most/],
    [
      (it) => it.cells.forEach((cell) => cell.source = Array(9).fill("1;\n")),
      /half of its code cells have 9 lines or more, expected 8/,
    ],
    [(it) => it.cells.at(-1)!.id = "end", /expected a cell report/],
    [(it) => it.cells[1].execution_count = 7, /count 7, expected 1/],
    [(it) => it.cells[1].execution_count = null, /count null, expected 1/],
    [(it) => it.cells[1].outputs = [{ output_type: "error" }], /an error/],
    [(it) => it.cells[1].metadata.collapsed = true, /metadata collapsed/],
    [(it) => it.metadata.widgets = {}, /^1_a: stray metadata widgets/],
    [(it) => it.cells[0].source = ["Text"], /begin with a title/],
    [(it) => it.text = "x".repeat(300_001), /300001 bytes, at most 300000/],
    [(it) => it.text = "Saved to /home/ada/x.png", /\/home\/ada/],
    [(it) => it.text = "\\u001b[31mred", /escape codes/],
  ];
  for (const [damage, fault] of cases) {
    const notebook = sound();
    damage(notebook);
    match(shapeFaults(notebook)[0] ?? "no fault", fault);
  }
});

Deno.test("findMachinePath() passes addresses and relative paths", () => {
  for (const text of ["../root/x", "https://a.org/home/x", "data/tmp/x"]) {
    equal(findMachinePath(text), undefined);
  }
});

Deno.test("typeFaults() names the cell and its line, also of a name that two declare", async () => {
  const wrong = sound();
  wrong.cells[1].source = ["const a = 1;\n", "a.length;"];
  const twice = { ...sound(), name: "2_b" };
  const [title, code] = twice.cells;
  twice.cells.push({ ...title, id: "more" }, { ...code, id: "again" });
  const faults = await typeFaults([wrong, twice, { ...sound(), name: "3_c" }]);
  equal(faults.length, 3);
  equal(
    faults[0],
    "1_a, cell sum, line 2: TS2339 [ERROR]: Property 'length' does not exist on type '1'.",
  );
  match(faults[1], /^2_b, cell sum, line 1: TS2451 .*redeclare.*'sum'/);
  match(faults[2], /^2_b, cell again, line 1: /);
});

Deno.test("lintFaults() names the cell and its line", async () => {
  const notebook = sound();
  notebook.cells[1].source = ["1;\n", "var a = 1;\n", "a;"];
  deepEqual(await lintFaults([{ ...sound(), name: "0_0" }, notebook]), [
    "1_a, cell sum, line 2: `var` keyword is not allowed. (no-var)",
  ]);
});

Deno.test("formatFaults() names the cell", async () => {
  const { cells, metadata } = sound();
  const text = (source: string[]) =>
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata,
      cells: [cells[0], { ...cells[1], source }],
    });
  const notebook = {
    ...sound(),
    cells: cells.slice(0, 2),
    text: text(cells[1].source),
  };
  deepEqual(await formatFaults([notebook]), []);
  notebook.text = text(["const  sum=1"]);
  notebook.cells[1].source = ["const  sum=1"];
  deepEqual(await formatFaults([notebook]), ["1_a, cell sum: not formatted"]);
});

function sound(): Notebook {
  return {
    name: "1_a",
    text: "{}",
    metadata: { kernelspec: {}, language_info: { name: "typescript" } },
    cells: [
      {
        cell_type: "markdown",
        id: "title",
        metadata: {},
        source: ["# 1 · Title\n", "\n", "Prose."],
      },
      {
        cell_type: "code",
        id: "sum",
        metadata: { tags: ["timing"] },
        source: ["const sum = 1 + 1;\n", "sum;"],
        execution_count: 1,
        outputs: [{ output_type: "execute_result" }],
      },
      // Prose cells, to be short: what is looked for is their ids.
      ...["before", "watch", "exercise-1", "exercise-2", "exercise-3", "report"]
        .map((id): Notebook["cells"][number] => (
          { cell_type: "markdown", id, metadata: {}, source: ["Prose."] }
        )),
    ],
  };
}
