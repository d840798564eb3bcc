/**
 * A small assembler for WebAssembly, as much of it as the kernels need.
 *
 * An expression is the bytes that compute it, so expressions nest as they do
 * on paper: `add(get(0), i32(16))` is local 0 plus 16. Numbers of 16 bytes
 * ("vectors") are computed on in lanes: 16 of 8 bits, 8 of 16 bits or 4 of 32.
 * The engine checks the types of everything when it compiles the module.
 *
 * Opcodes: https://webassembly.github.io/spec/core/appendix/index-instructions.html
 *
 * Touches no files.
 *
 * ```ts
 * import { add, assemble, get, i32, set, storeF64, toF64 } from "#lib/pictures/assembler.ts";
 * import { equal } from "node:assert/strict";
 *
 * const module = assemble([{
 *   name: "double",
 *   parameters: 1,
 *   locals: {},
 *   body: storeF64(i32(0), toF64(add(get(0), get(0)))),
 * }]);
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { exports } = await WebAssembly.instantiate(
 *   await WebAssembly.compile(module),
 *   { host: { memory } },
 * );
 * (exports.double as (value: number) => void)(21);
 * equal(new Float64Array(memory.buffer)[0], 42);
 * ```
 *
 * @module
 */

/** Instructions, byte by byte. */
export type Code = number[];

/** A function without result; it works on the memory `host.memory`. */
export interface AssembledFunction {
  /** Its name among the module's exports. */
  name: string;
  /** How many parameters it takes, all i32: locals 0, 1, … */
  parameters: number;
  /** How many locals of each type follow the parameters, in this order. */
  locals: { i32?: number; f64?: number; vectors?: number };
  /** What it does. */
  body: Code;
}

const TYPES = { i32: 0x7f, f64: 0x7c, vectors: 0x7b };

/** A module's bytes, for `WebAssembly.compile`. */
export function assemble(
  functions: readonly AssembledFunction[],
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...list(Array.from({ length: parameters }, () => [TYPES.i32])),
    ...list([]),
  ]);
  const memory = [...text("host"), ...text("memory"), 0x02, 0x00, 0x00];
  const names = functions.map((
    { name },
    i,
  ) => [...text(name), 0x00, ...u32(i)]);
  const bodies = functions.map(({ locals, body }) =>
    sized([
      ...list(
        (["i32", "f64", "vectors"] as const).map((type) => [
          ...u32(locals[type] ?? 0),
          TYPES[type],
        ]),
      ),
      ...body,
      0x0b,
    ])
  );
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(3, functions.map((_, i) => u32(i))),
    ...section(7, names),
    ...section(10, bodies),
  );
}

/** A local's value. */
export const get = (local: number): Code => [0x20, ...u32(local)];
/** Gives a local a value. */
export const set = (
  local: number,
  value: Code,
): Code => [...value, 0x21, ...u32(local)];

/** A whole number. */
export const i32 = (value: number): Code => [0x41, ...s32(value)];
/** Whole numbers: a + b. */
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
/** Whole numbers from 0: the smaller one. */
export const smaller = (a: Code, b: Code): Code => [
  ...[...a, ...b],
  ...[...a, ...b, 0x49],
  0x1b,
];

/** Reads a whole number from the memory. */
export const loadI32: Reading = reading(0x28, 0x02);

/** A whole number as float. */
export const toF64 = (value: Code): Code => [...value, 0xb7];
/** The float 0. */
export const zeroF64: Code = [0x44, 0, 0, 0, 0, 0, 0, 0, 0];
/** Floats: a + b. */
export const addF64 = (a: Code, b: Code): Code => [...a, ...b, 0xa0];
/** Writes a float to the memory. */
export const storeF64 = (
  address: Code,
  value: Code,
  offset = 0,
): Code => [...address, ...value, 0x39, 0x03, ...u32(offset)];

/** Reads 16 bytes from the memory. */
export const load: Reading = reading(0xfd, 0x00, 0x04);
/** Reads 4 bytes, and repeats them in all 32-bit lanes. */
export const loadRepeated32: Reading = reading(0xfd, 0x09, 0x02);
/** Writes 16 bytes to the memory. */
export const store = (address: Code, vector: Code, offset = 0): Code => [
  ...address,
  ...vector,
  ...[0xfd, 0x0b, 0x04],
  ...u32(offset),
];
/** Writes one of 16 8-bit lanes to the memory. */
export const storeLane8 = (
  address: Code,
  vector: Code,
  lane: number,
  offset = 0,
): Code => [
  ...address,
  ...vector,
  ...[0xfd, 0x58, 0x00],
  ...u32(offset),
  lane,
];
/** 16 bytes picked out of 32: 0 to 15 are those of `a`, 16 to 31 of `b`. */
export const pick8 = (a: Code, b: Code, places: readonly number[]): Code => [
  ...a,
  ...b,
  ...[0xfd, 0x0d],
  ...places,
];
/** 16 bytes of 0. */
export const zeroVector: Code = [0xfd, 0x0c, ...new Array(16).fill(0)];
/** 8-bit lanes: a − b, or 0 where that is negative. */
export const subtractToZero8: VectorOperation = vectorOperation(0x73);
/** All bits: a or b. */
export const or: VectorOperation = vectorOperation(0x50);
/** The first 8 of 16 8-bit lanes, as 16-bit lanes. */
export const firstHalf8: VectorOperation = vectorOperation(0x89);
/** The last 8 of 16 8-bit lanes, as 16-bit lanes. */
export const lastHalf8: VectorOperation = vectorOperation(0x8a);
/** Sums of neighbouring 8-bit lanes, as 16-bit lanes. */
export const addPairs8: VectorOperation = vectorOperation(0x7d);
/** Sums of neighbouring 16-bit lanes, as 32-bit lanes. */
export const addPairs16: VectorOperation = vectorOperation(0x7f);
/** 16-bit lanes: a + b. */
export const add16: VectorOperation = vectorOperation(0x8e);
/** 16-bit lanes: products, neighbours added up as 32-bit lanes. */
export const dotPairs16: VectorOperation = vectorOperation(0xba);
/** 32-bit lanes: a + b. */
export const add32: VectorOperation = vectorOperation(0xae);
/** A whole number in all 32-bit lanes. */
export const repeated32: VectorOperation = vectorOperation(0x11);
/** 32-bit lanes: multiplied by 2 to the power of a whole number. */
export const shiftLeft32: VectorOperation = vectorOperation(0xab);
/** 32-bit lanes: divided by 2 to the power of a whole number, rounded down. */
export const shiftRight32: VectorOperation = vectorOperation(0xac);
/** Two vectors of 32-bit lanes as 16-bit lanes, the nearest there are. */
export const narrow32: VectorOperation = vectorOperation(0x85);
/** Two vectors of 16-bit lanes as bytes, 0 to 255, the nearest there are. */
export const narrow16: VectorOperation = vectorOperation(0x66);
/** 32-bit lanes: the smaller. */
export const smaller32: VectorOperation = vectorOperation(0xb6);
/** 32-bit lanes: the larger. */
export const larger32: VectorOperation = vectorOperation(0xb8);
/** 32-bit lanes as floats. */
export const toF32: VectorOperation = vectorOperation(0xfa);
/** Lanes of 32-bit floats: a × b. */
export const multiplyF32: VectorOperation = vectorOperation(0xe6);
/** Lanes of 32-bit floats: a + b. */
export const addF32: VectorOperation = vectorOperation(0xe4);
/** The sum of 4 32-bit lanes; `vector` is computed four times, so a local. */
export const addLanes32 = (vector: Code): Code => {
  const lane = (index: number) => [...vector, 0xfd, 0x1b, index];
  return add(add(lane(0), lane(1)), add(lane(2), lane(3)));
};

/** Repeats `body` while the local is below `end`; at least once. */
export const repeatWhileBelow = (
  local: number,
  end: Code,
  body: Code,
): Code => [0x03, 0x40, ...body, ...get(local), ...end, 0x49, 0x0d, 0x00, 0x0b];

/** The next `count` locals from `first` on. */
export function locals(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

type Reading = (address: Code, offset?: number) => Code;

function reading(...opcode: Code): Reading {
  return (address, offset = 0) => [...address, ...opcode, ...u32(offset)];
}

type VectorOperation = (...operands: Code[]) => Code;

function vectorOperation(opcode: number): VectorOperation {
  return (...operands) => [...operands.flat(), 0xfd, ...u32(opcode)];
}

function section(id: number, items: Code[]): Code {
  return [id, ...sized(list(items))];
}

function list(items: Code[]): Code {
  return [...u32(items.length), ...items.flat()];
}

function sized(code: Code): Code {
  return [...u32(code.length), ...code];
}

function text(ascii: string): Code {
  return list(Array.from(ascii, (letter) => [letter.charCodeAt(0)]));
}

/** A number from 0, 7 bits a byte, lowest first (LEB128). */
function u32(value: number): Code {
  return value < 128 ? [value] : [value & 127 | 128, ...u32(value >>> 7)];
}

/** A number with sign, likewise; the last byte's bit 6 is the sign. */
function s32(value: number): Code {
  return value >= -64 && value < 64
    ? [value & 127]
    : [value & 127 | 128, ...s32(value >> 7)];
}
