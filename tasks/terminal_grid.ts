/**
 * `task search --interactive`: pictures in a grid, searched as one types.
 *
 * The folder is indexed and the encoder opened once. Ink draws the grid, and
 * ink-picture the pictures in it, each a small PNG from our own decoder.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { Box, render, Text, useApp, useInput, useWindowSize } from "ink";
import Image, { InkPictureProvider } from "ink-picture";
// @ts-types="@types/react"
import { createElement as h, useEffect, useRef, useState } from "react";
import { oneLine } from "../lib/display/display.ts";
import type { Precision } from "../lib/encoders/clip.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { paths } from "../lib/paths.ts";
import type { ListingOptions } from "../lib/pictures/folder.ts";
import { encodePicture } from "../lib/pictures/pictures.ts";
import type { SearchQuery } from "../lib/search_page/engine/query.ts";
import { UPLOAD } from "../lib/search_page/engine/query_vector.ts";
import {
  Searcher,
  type SearchHit,
  type SearchResult,
} from "../lib/search_page/engine/searcher.ts";
import { EncoderSpace } from "../lib/search_page/engine/spaces.ts";
import { readSettings } from "../lib/search_page/folder_settings.ts";
import { indexPictures } from "../lib/search_page/index/indexing.ts";
import {
  folderSource,
  sampleSource,
} from "../lib/search_page/index/sources.ts";
import { openOutside } from "../lib/search_page/reveal.ts";
import { saveUpload } from "../lib/search_page/served_pictures.ts";
import type { Protocol } from "../lib/search_page/terminal/protocol.ts";
import { MODES, RANGES } from "../lib/search_page/web/query.js";
import { readQueryWords } from "./query_words.ts";

/** What is searched, and how it is shown. */
export interface GridOptions {
  /** The sample, if left out. */
  folder?: string;
  listing: ListingOptions;
  encoder: string;
  precision?: Precision;
  /** Whether what is new is indexed first. */
  index: boolean;
  mode: string;
  protocol: Protocol;
  signal: AbortSignal;
  log: (line: string) => void;
  onProgress: (done: number, total: number) => void;
}

/** Characters and lines of a picture with its title, and the space around. */
const TILE = { width: 24, height: 11 };

/** Lines above and below the grid. */
const LINES = 3;

/** How long nothing is typed before a search begins, in milliseconds. */
const PAUSE_MS = 120;

/** Dots of a picture's longer side. */
const DOTS = 320;

/** Small pictures kept in memory. */
const KEPT = 500;

/** As ink-picture calls them. */
const INK_PROTOCOLS = {
  kitty: "kitty",
  iterm2: "iterm2",
  sixel: "sixel",
  blocks: "halfBlock",
} as const satisfies Record<Protocol, string>;

/**
 * Shows the grid until it is left.
 *
 * @param typed What is searched for first; "" for nothing.
 * @returns The exit status.
 */
export async function runGrid(
  typed: string,
  options: GridOptions,
): Promise<number> {
  const { log, precision, signal, listing } = options;
  const [source, encoder] = await Promise.all([
    options.folder ? folderSource(options.folder, listing) : sampleSource(),
    openEncoder(options.encoder, { log, precision, signal }),
  ]);
  try {
    const space = new EncoderSpace(encoder, source.pictures.length);
    const { hidden = [] } = await readSettings(source.folder);
    for (const path of hidden) space.collection.hide(path, true);
    await indexPictures(source, space, options);
    const searcher = new Searcher([space]);
    const root = options.folder ?? paths.sample;
    const grid = h(Grid, { typed, searcher, root, options });
    const screen = render(grid, { alternateScreen: true });
    signal.addEventListener("abort", () => screen.unmount());
    await screen.waitUntilExit();
    return 0;
  } finally {
    await encoder.close();
  }
}

interface GridProps {
  typed: string;
  searcher: Searcher;
  root: string;
  options: GridOptions;
}

function Grid({ typed, searcher, root, options }: GridProps) {
  const { exit } = useApp();
  const { columns: width, rows: height } = useWindowSize();
  const across = Math.max(1, Math.floor(width / TILE.width));
  const down = Math.max(1, Math.floor((height - LINES) / TILE.height));
  const k = Math.min(across * down, RANGES.k.most);

  const [text, setText] = useState(typed);
  const [like, setLike] = useState("");
  const [mode, setMode] = useState(options.mode);
  const [at, setAt] = useState(0);
  const [result, setResult] = useState<SearchResult | undefined>(undefined);
  const [message, setMessage] = useState("");
  const latest = useRef(0);

  useEffect(() => {
    const mine = ++latest.current;
    const timer = setTimeout(async () => {
      try {
        const query = await readTyped(text, like);
        const found = query &&
          await searcher.search({
            ...query,
            k,
            mode: mode as keyof typeof MODES,
          });
        if (mine !== latest.current) return;
        setResult(found);
        setAt(0);
        setMessage("");
      } catch (error) {
        if (mine === latest.current) setMessage((error as Error).message);
      }
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, like, mode, k]);

  const hits = result?.hits ?? [];
  const hit = hits[at];
  const move = (by: number) =>
    setAt(Math.max(0, Math.min(hits.length - 1, at + by)));
  useInput((input, key) => {
    if (key.escape) exit();
    else if (key.leftArrow) move(-1);
    else if (key.rightArrow) move(1);
    else if (key.upArrow) move(-across);
    else if (key.downArrow) move(across);
    else if (key.tab) setMode(nextMode(mode));
    else if (key.return && hit) {
      openOutside(join(root, hit.path))
        .then((trouble) => trouble && setMessage(trouble));
    } else if (key.ctrl && input === "l") hit && setLike(hit.path);
    else if (key.backspace || key.delete) {
      if (text === "") setLike("");
      else setText([...text].slice(0, -1).join(""));
    } else if (!key.ctrl && !key.meta) setText(text + oneLineTyped(input));
  });

  const rows = Array.from(
    { length: Math.ceil(hits.length / across) },
    (_, row) => hits.slice(row * across, (row + 1) * across),
  );
  return h(
    InkPictureProvider,
    null,
    h(
      Box,
      { flexDirection: "column", width, height },
      h(
        Text,
        { wrap: "truncate" },
        `Search: ${text}█`,
        like && h(Text, { dimColor: true }, `  like ${oneLine(like)}`),
      ),
      h(Text, { dimColor: true, wrap: "truncate" }, message || told(result)),
      ...rows.map((row, i) =>
        h(
          Box,
          { key: i, height: TILE.height },
          ...row.map((one, j) =>
            h(Tile, {
              key: one.id,
              hit: one,
              file: join(root, one.path),
              isChosen: i * across + j === at,
              protocol: options.protocol,
            })
          ),
        )
      ),
      h(Box, { flexGrow: 1 }),
      h(
        Text,
        { dimColor: true, wrap: "truncate" },
        `${mode} (Tab)  arrows move  Enter opens  Ctrl-L more like this  Esc ends`,
      ),
    ),
  );
}

interface TileProps {
  hit: SearchHit;
  file: string;
  isChosen: boolean;
  protocol: Protocol;
}

/** A picture and its title. */
function Tile({ hit, file, isChosen, protocol }: TileProps) {
  const [png, setPng] = useState<Buffer | undefined>(undefined);
  useEffect(() => {
    let isWanted = true;
    smallPicture(file).then((data) => isWanted && setPng(data), () => {});
    return () => {
      isWanted = false;
    };
  }, [file]);
  const size = { width: TILE.width - 2, height: TILE.height - 2 };
  const title = `${hit.value.toFixed(2)} ${oneLine(hit.title)}`;
  return h(
    Box,
    { flexDirection: "column", width: TILE.width },
    h(
      Box,
      size,
      png && h(Image, {
        src: png,
        ...size,
        alt: oneLine(hit.title),
        objectFit: "contain",
        protocol: INK_PROTOCOLS[protocol],
      }),
    ),
    h(
      Text,
      { inverse: isChosen, dimColor: !hit.fits, wrap: "truncate" },
      title,
    ),
  );
}

/** What is searched for; undefined for nothing yet. */
async function readTyped(
  text: string,
  like: string,
): Promise<Partial<SearchQuery> | undefined> {
  const words = text.split(/\s+/).filter(Boolean);
  // After a sign something is still to be typed.
  while (/^[-+]$/.test(words.at(-1) ?? "")) words.pop();
  if (words.length === 0 && like === "") return undefined;
  const { pictures, ...query } = readQueryWords(words, {});
  const likes = like ? [like] : [], unlike: string[] = [];
  for (const { source, weight } of pictures) {
    if (/^https?:/i.test(source)) {
      throw new Error("an address is not fetched while you type");
    }
    const name = `${Math.abs(weight)}:${UPLOAD}${await saveUpload(source)}`;
    (weight < 0 ? unlike : likes).push(name);
  }
  const { text: said, plus, minus } = query;
  return { text: said, plus, minus, unlike, like: likes };
}

/** The line above the grid. */
function told(result: SearchResult | undefined): string {
  if (!result) return "Type what you look for";
  const { fitting, total } = result;
  return fitting > 0
    ? `${fitting} of ${total} pictures fit; dim titles may not`
    : "Nothing here seems to show this. The nearest:";
}

function nextMode(mode: string): string {
  const names = Object.keys(MODES);
  return names[(names.indexOf(mode) + 1) % names.length];
}

/** What is pasted may have line breaks and more that terminals obey. */
function oneLineTyped(input: string): string {
  return input.replace(/\p{Cc}+/gu, " ");
}

const pictures = new Map<string, Promise<Buffer>>();

/** A file as a small PNG, made once as long as it is kept. */
function smallPicture(file: string): Promise<Buffer> {
  const known = pictures.get(file);
  if (known) return known;
  const made = encodePicture(file, { format: "png" }, { longest: DOTS })
    .then(({ data }) => Buffer.from(data));
  pictures.set(file, made);
  if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value!);
  return made;
}
