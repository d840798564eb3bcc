import { strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import {
  askTerminal,
  findProtocol,
  isLateAnswer,
  protocolFor,
  type Terminal,
  type Variables,
} from "#lib/search_page/terminal/protocol.ts";

/** A terminal that answers so, and notes whether it is raw. */
function terminal(answer?: string, isTTY = true) {
  const input = Object.assign(new EventEmitter(), {
    isTTY,
    raw: false,
    setRawMode(raw: boolean) {
      this.raw = raw;
    },
    waiting: [] as Buffer[],
    read() {
      return this.waiting.shift() ?? null;
    },
    pause() {
      throw new Error("what is paused is not read again");
    },
  });
  const asked: string[] = [];
  const output = {
    isTTY,
    write(text: string) {
      asked.push(text);
      if (answer === undefined) return;
      // As over a slow line: in two pieces.
      const bytes = Buffer.from(answer);
      for (const piece of [bytes.subarray(0, 3), bytes.subarray(3)]) {
        input.waiting.push(piece);
        input.emit("readable");
      }
    },
  };
  return { terminal: { input, output } as unknown as Terminal, input, asked };
}

Deno.test("protocolFor() knows terminals by their variables, but none in a multiplexer", () => {
  const cases: [Variables, string | undefined][] = [
    [{ TERM: "xterm-kitty" }, "kitty"],
    [{ KITTY_WINDOW_ID: "1", TERM: "xterm-256color" }, "kitty"],
    [{ TERM: "xterm-ghostty" }, "kitty"],
    [{ TERM_PROGRAM: "iTerm.app" }, "iterm2"],
    [{ TERM_PROGRAM: "WezTerm" }, "iterm2"],
    [{ TERM_PROGRAM: "mintty" }, "iterm2"],
    [{ KONSOLE_VERSION: "230804" }, "iterm2"],
    [{ KONSOLE_VERSION: "210400" }, undefined],
    [{ TERM: "foot" }, "sixel"],
    [{ TERM: "mlterm" }, "sixel"],
    [{ TERM_PROGRAM: "Apple_Terminal", TERM: "xterm-256color" }, undefined],
    [{ TERM: "tmux-256color", TMUX: "x", KITTY_WINDOW_ID: "1" }, undefined],
  ];
  for (const [variables, protocol] of cases) {
    strictEqual(protocolFor(variables), protocol, JSON.stringify(variables));
  }
});

Deno.test("askTerminal() believes what is answered, waits for no one, and leaves the terminal as it was", async () => {
  const cases: [string | undefined, string | undefined][] = [
    ["\x1b_Gi=31;OK\x1b\\\x1b[?62;4c", "kitty"],
    ["\x1b[?62;4;22c", "sixel"],
    ["\x1b[?62;22;44c", undefined],
    [undefined, undefined],
  ];
  for (const [answer, protocol] of cases) {
    const { terminal: one, input } = terminal(answer);
    const start = performance.now();
    strictEqual(await askTerminal(one), protocol);
    strictEqual(performance.now() - start < 1500, true);
    strictEqual(input.raw, false);
    strictEqual(input.listenerCount("readable"), 0);
  }
});

Deno.test("isLateAnswer() knows what a late answer is taken for, and nothing that is typed", () => {
  for (const late of ["[?62;4c", "[?1;2c", "Gi=31;OK"]) {
    strictEqual(isLateAnswer(late), true, late);
  }
  for (const typed of ["c", "[?", "62;4c", "Gi"]) {
    strictEqual(isLateAnswer(typed), false, typed);
  }
});

Deno.test("findProtocol() shows nothing where there is no terminal or no colour wanted, and asks no simple one", async () => {
  const kitty = { TERM: "xterm-kitty" };
  const none = terminal("", false);
  strictEqual(await findProtocol(kitty, none.terminal), undefined);
  const one = terminal();
  const find = (variables: Variables) => findProtocol(variables, one.terminal);
  strictEqual(await find({ ...kitty, NO_COLOR: "1" }), undefined);
  strictEqual(await find(kitty), "kitty");
  strictEqual(await find({ TERM: "linux", COLORTERM: "truecolor" }), "blocks");
  strictEqual(await find({ TERM: "dumb", COLORTERM: "24bit" }), undefined);
  strictEqual(one.asked.length, 0);
  strictEqual(await find({ TERM: "xterm", COLORTERM: "24bit" }), "blocks");
  strictEqual(one.asked.length, 1);
});
