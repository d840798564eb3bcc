/**
 * How a terminal shows pictures: by one of three protocols, by half blocks in
 * colours, or not at all.
 *
 * ```text
 * kitty   PNG files in pieces       Kitty, Ghostty
 * iterm2  whole files               iTerm2, WezTerm, Konsole, mintty
 * sixel   columns of six dots       foot, mlterm, and who says so when asked
 * blocks  two dots a character      whoever has 16 million colours
 * ```
 *
 * Most terminals tell by their variables which they are. The others are asked,
 * and have a moment to answer.
 *
 * ```ts
 * import { protocolFor } from "#lib/search_page/terminal/protocol.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(protocolFor({ TERM: "xterm-kitty" }), "kitty");
 * strictEqual(protocolFor({ TERM: "xterm", COLORTERM: "truecolor" }), undefined);
 * ```
 *
 * @module
 */

import process from "node:process";

/** The ways, best first. */
export const PROTOCOLS = ["kitty", "iterm2", "sixel", "blocks"] as const;

/** A way to show pictures. */
export type Protocol = typeof PROTOCOLS[number];

/** A terminal's variables: TERM, COLORTERM and the like. */
export type Variables = Record<string, string | undefined>;

/** How long a terminal has to answer, in milliseconds: over a slow line, too. */
const PATIENCE_MS = 1000;

/** Asks for the smallest picture to be taken, then what the terminal is. */
const QUESTION = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c";

/**
 * What a terminal's variables tell.
 *
 * @returns Undefined if they do not tell; a multiplexer's terminal is never the
 *   one that its variables name.
 */
export function protocolFor(variables: Variables): Protocol | undefined {
  const { TERM = "", TERM_PROGRAM = "", TMUX, STY } = variables;
  if (TMUX || STY) return undefined;
  if (
    variables.KITTY_WINDOW_ID || /kitty|ghostty/.test(TERM) ||
    TERM_PROGRAM === "ghostty"
  ) return "kitty";
  const konsole = Number(variables.KONSOLE_VERSION ?? 0);
  if (/^(iTerm\.app|WezTerm|mintty)$/.test(TERM_PROGRAM) || konsole >= 220400) {
    return "iterm2";
  }
  if (/^(foot|mlterm|yaft)|sixel/.test(TERM)) return "sixel";
  return undefined;
}

/** The two ends of a terminal. */
export interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/**
 * The best way that a terminal has.
 *
 * @returns Undefined where pictures cannot be shown, or NO_COLOR is set.
 */
export async function findProtocol(
  variables: Variables,
  terminal: Terminal,
): Promise<Protocol | undefined> {
  const { TERM = "", COLORTERM = "", NO_COLOR } = variables;
  if (!terminal.output.isTTY || NO_COLOR) return undefined;
  const told = protocolFor(variables);
  if (told) return told;
  if (TERM === "dumb") return undefined;
  // These print what they do not know.
  const isSimple = /^(|linux|vt\d+)$/.test(TERM);
  const asked = isSimple ? undefined : await askTerminal(terminal);
  return asked ?? (/truecolor|24bit/.test(COLORTERM) ? "blocks" : undefined);
}

/**
 * What a terminal answers; undefined if it answers nothing of pictures. Its input
 * is open from then on: a program that has asked ends by process.exit().
 */
export async function askTerminal(
  { input, output }: Terminal,
): Promise<Protocol | undefined> {
  if (!input.isTTY) return undefined;
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    // Never paused: a terminal's reading that was paused while nothing came goes
    // on for nobody, in Deno. Nor is it left flowing, for whoever reads next.
    const read = () => {
      for (let bytes = input.read(); bytes !== null; bytes = input.read()) {
        text += bytes.toString();
      }
      if (ATTRIBUTES.test(text)) end();
      // In raw mode Ctrl-C is a character.
      if (text.includes("\x03")) process.kill(process.pid, "SIGINT");
    };
    const end = () => {
      clearTimeout(timer);
      input.off("readable", read);
      input.setRawMode(false);
      resolve(text);
    };
    const timer = setTimeout(end, PATIENCE_MS);
    input.setRawMode(true);
    input.on("readable", read);
    output.write(QUESTION);
  });
  if (answer.includes("\x1b_Gi=31;OK")) return "kitty";
  const attributes = answer.match(ATTRIBUTES)?.[1].split(";") ?? [];
  return attributes.includes("4") ? "sixel" : undefined;
}

/** Whether something typed is what is left of a late answer, as Ink has it. */
export function isLateAnswer(typed: string): boolean {
  return /^(\[\?[\d;]*c|Gi=31;.*)$/.test(typed);
}

/** "\x1b[?62;4;22c": of the attributes, 4 is Sixel. */
// deno-lint-ignore no-control-regex -- a terminal's answer begins with one
const ATTRIBUTES = /\x1b\[\?([\d;]*)c/;
