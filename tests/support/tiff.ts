/** Values of a picture, as a TIFF file without compression holds them. */
type Values =
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array;

/** A TIFF file of these values, `channels` a pixel, row by row. */
export function tiff(
  values: Values,
  width: number,
  channels: 1 | 3 | 4 | 5,
  whiteIsLeast = false,
) {
  const height = values.length / channels / width;
  const bits = 8 * values.BYTES_PER_ELEMENT;
  const kind = values instanceof Float32Array
    ? 3
    : values instanceof Int16Array || values instanceof Int32Array
    ? 2
    : 1;
  const same = (value: number) => Array<number>(channels).fill(value);
  // Tags that a reader must find, in the order of their numbers.
  const tags: [tag: number, values: number[]][] = [
    [256, [width]],
    [257, [height]],
    [258, same(bits)],
    [259, [1]],
    [262, [channels === 1 ? whiteIsLeast ? 0 : 1 : 2]],
    [273, [0]], // where the values begin: set below
    [277, [channels]],
    [278, [height]],
    [279, [values.byteLength]],
    ...channels === 4 ? [[338, [2]] as [number, number[]]] : [],
    ...channels === 5 ? [[338, [0, 0]] as [number, number[]]] : [],
    [339, same(kind)],
  ];
  const start = 8 + 2 + 12 * tags.length + 4;
  const long = tags.filter(([, { length }]) => length > 2);
  const data = start + long.length * 16;
  const bytes = new Uint8Array(data + values.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  view.setUint16(8, tags.length, true);
  let at = 10, aside = start;
  for (const [tag, numbers] of tags) {
    const isLong = numbers.length > 2;
    const [value, second = 0] = numbers;
    view.setUint16(at, tag, true);
    // Two short numbers, or one long one, stand in the tag itself.
    view.setUint16(at + 2, numbers.length > 1 ? 3 : 4, true);
    view.setUint32(at + 4, numbers.length, true);
    view.setUint32(
      at + 8,
      isLong ? aside : tag === 273 ? data : value + second * 2 ** 16,
      true,
    );
    if (isLong) {
      numbers.forEach((n, i) => view.setUint16(aside + 2 * i, n, true));
      aside += 16;
    }
    at += 12;
  }
  bytes.set(
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    data,
  );
  return bytes;
}
