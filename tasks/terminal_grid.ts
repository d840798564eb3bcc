/**
 * `task search --interactive`: pictures in a grid, searched as one types.
 *
 * The folder is indexed and the encoder opened once. Ink draws the grid, and
 * ink-picture the pictures in it, each a small PNG from our own decoder.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import process from "node:process";
import { Box, render, Text, useApp, useInput, useWindowSize } from "ink";
import Image, { InkPictureProvider } from "ink-picture";
// @ts-types="@types/react"
import { createElement as h, useEffect, useRef, useState } from "react";
import { oneLine } from "../lib/display/display.ts";
import type { Precision } from "../lib/encoders/clip.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import type { EngineName } from "../lib/engines/engines.ts";
import type { ListingOptions } from "../lib/pictures/folder.ts";
import { encodePicture, type ImageSource } from "../lib/pictures/pictures.ts";
import type { SearchQuery } from "../lib/search_page/engine/query.ts";
import type {
  SearchHit,
  SearchResult,
} from "../lib/search_page/engine/search_result.ts";
import { Searcher } from "../lib/search_page/engine/searcher.ts";
import { EncoderSpace } from "../lib/search_page/engine/spaces.ts";
import { readSettings } from "../lib/search_page/folder_settings.ts";
import { indexPictures } from "../lib/search_page/index/indexing.ts";
import {
  type OpenEngine,
  openEngine,
} from "../lib/search_page/index/open_index.ts";
import {
  folderSource,
  type PictureSource,
  sampleSource,
} from "../lib/search_page/index/sources.ts";
import { openOutside } from "../lib/search_page/server/reveal.ts";
import {
  findQueryPictures,
  nameQueryPictures,
} from "../lib/search_page/query_pictures.ts";
import { remarkOnNew } from "../lib/search_page/search_once.ts";
import {
  isLateAnswer,
  type Protocol,
} from "../lib/search_page/terminal/protocol.ts";
import {
  DEFAULT_QUERY,
  MODES,
  NO_FOLDING,
  RANGES,
} from "../lib/search_page/web/query.js";
import { withoutControls } from "./progress.ts";
import { readQueryWords } from "./query_words.ts";
import { CLEAR_LINE, DELETE_WORD, typeInto } from "./typed_line.ts";

/** What is searched, and how it is shown. */
export interface GridOptions {
  /** The sample, if left out. */
  folder?: string;
  listing: ListingOptions;
  encoder: string;
  precision?: Precision;
  /** Whether what is new is indexed first. */
  embedNew: boolean;
  /** Which engine finds the nearest vectors. */
  index: EngineName;
  mode: string;
  protocol: Protocol;
  signal: AbortSignal;
  log: (line: string) => void;
  onProgress: (done: number, total: number) => void;
}

/** Most characters and lines of a picture with its title, and the space around. */
const TILE = { width: 24, height: 11 };

/** Fewest, for a picture to be seen. */
const LEAST_TILE = { width: 10, height: 4 };

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
  let engine: OpenEngine | undefined;
  try {
    engine = await openEngine(options.index, source.folder);
    const { length } = source.pictures;
    const space = new EncoderSpace(encoder, length, engine.keepsVectors);
    await engine.attach(space);
    const { hidden = [] } = await readSettings(source.folder);
    for (const path of hidden) space.collection.hide(path, true);
    const failures = await indexPictures(source, space, options);
    await space.index?.sync({ signal });
    // They stand on the screen that comes back when the grid is left.
    const left = length - failures.length - space.collection.count;
    for (const remark of [...remarkOnNew(left), ...source.problems]) {
      log(withoutControls(`  ${remark}`));
    }
    const searcher = new Searcher([space]);
    const grid = h(Grid, { typed, searcher, source, options });
    // Ink draws nothing where CI is set, as dev containers may do; but we are
    // here since somebody sits at a terminal and asked for it.
    const screen = render(grid, {
      ...{ alternateScreen: true, interactive: true, exitOnCtrlC: false },
    });
    signal.addEventListener("abort", () => screen.unmount());
    await screen.waitUntilExit();
    return 0;
  } finally {
    await engine?.close().catch(({ message }) =>
      log(`The index is not kept: ${message}`)
    );
    await encoder.close();
  }
}

/** A picture of the web. */
const ADDRESS = /\bhttps?:\/\//i;

/** What is shown: all of a query's results that were asked for until now. */
interface Found {
  query: Partial<SearchQuery>;
  /** The last that came. */
  result: SearchResult;
  hits: SearchHit[];
}

interface GridProps {
  typed: string;
  searcher: Searcher;
  source: PictureSource;
  options: GridOptions;
}

function Grid({ typed, searcher, source, options }: GridProps) {
  const { exit } = useApp();
  const { columns: width, rows: height } = useWindowSize();
  // Where no picture has room there is a list of titles.
  const isList = width < LEAST_TILE.width || height - LINES < LEAST_TILE.height;
  const most = isList ? { width, height: 1 } : TILE;
  const tile = {
    width: Math.min(most.width, width),
    height: Math.min(most.height, height - LINES),
  };
  const across = Math.max(1, Math.floor(width / most.width));
  const down = Math.max(1, Math.floor((height - LINES) / most.height));
  const k = Math.min(2 * across * down, RANGES.k.most);

  const [text, setText] = useState(typed);
  const [like, setLike] = useState("");
  /** The text whose addresses may be fetched: Enter says so. */
  const [accepted, setAccepted] = useState("");
  const [mode, setMode] = useState(options.mode);
  const [fold, setFold] = useState(DEFAULT_QUERY.fold);
  const [at, setAt] = useState(0);
  const [top, setTop] = useState(0);
  const [found, setFound] = useState<Found | undefined>(undefined);
  const [message, setMessage] = useState("");
  const latest = useRef(0);

  /** Runs a search, whose answer counts only if none began since. */
  const search = async (
    query: () => Promise<Partial<SearchQuery> | undefined>,
    done: (result?: SearchResult, query?: Partial<SearchQuery>) => void,
  ) => {
    const mine = ++latest.current;
    try {
      const asked = await query();
      const result = asked && await searcher.search(asked);
      if (mine !== latest.current) return;
      setMessage("");
      done(result, asked);
    } catch (error) {
      if (mine === latest.current) setMessage((error as Error).message);
    }
  };
  useEffect(() => {
    const mine = ++latest.current;
    const timer = setTimeout(() => {
      if (mine !== latest.current) return;
      const read = async () => {
        const query = await readTyped(
          { text, like, mayFetch: text === accepted },
          searcher,
          source,
        );
        return query && { ...query, k, fold, mode: mode as keyof typeof MODES };
      };
      search(read, (result, query) => {
        setFound(result && { query: query!, result, hits: result.hits });
        setAt(0);
        setTop(0);
      });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, like, mode, k, fold, accepted]);

  const hits = found?.hits ?? [];
  const hit = hits[at];
  const isMore = found?.result.more ?? false;
  useEffect(() => {
    const row = Math.floor(at / across);
    if (row < top) setTop(row);
    if (row >= top + down) setTop(row - down + 1);
    // Before the last row is left there is a next one.
    if (!found || !isMore || row + down < Math.floor(hits.length / across)) {
      return;
    }
    const more = { ...found.query, from: hits.length };
    search(() => Promise.resolve(more), (result) =>
      setFound({
        ...found,
        result: result!,
        hits: [...hits, ...result!.hits],
      }));
  }, [at, found, across, down]);

  const move = (by: number) =>
    setAt((at) => Math.max(0, Math.min(hits.length - 1, at + by)));
  const type = (keys: string) => setText((text) => typeInto(text, keys));
  useInput((input, key) => {
    if (key.escape) exit();
    else if (key.leftArrow) move(-1);
    else if (key.rightArrow) move(1);
    else if (key.upArrow) move(-across);
    else if (key.downArrow) move(across);
    else if (key.pageUp) move(-across * down);
    else if (key.pageDown) move(across * down);
    else if (key.tab) setMode(nextMode);
    // In raw mode it is a character.
    else if (key.ctrl && input === "c") process.kill(process.pid, "SIGINT");
    else if (key.ctrl && input === "n") {
      setFold((fold) => fold === NO_FOLDING ? DEFAULT_QUERY.fold : NO_FOLDING);
    } else if (key.return && text !== accepted && ADDRESS.test(text)) {
      setAccepted(text);
    } else if (key.return) {
      if (hit) open(fileOf(hit, searcher)).then(setMessage);
    } else if (key.ctrl && input === "l") hit && setLike(hit.path);
    else if (key.ctrl && input === "u") {
      setLike("");
      type(CLEAR_LINE);
    } else if (key.ctrl && input === "w") type(DELETE_WORD);
    else if (key.backspace || key.delete) {
      if (text === "") setLike("");
      type("\x7f");
    } else if (!key.ctrl && !key.meta && !isLateAnswer(input)) type(input);
  });

  const rows = Array.from(
    { length: down },
    (_, row) => hits.slice((top + row) * across, (top + row + 1) * across),
  );
  return h(
    InkPictureProvider,
    null,
    h(
      Box,
      { flexDirection: "column", width, height },
      h(
        Text,
        { wrap: "truncate-middle" },
        `Search: ${text}█`,
        like && h(Text, { dimColor: true }, `  like ${oneLine(like)}`),
      ),
      h(
        Text,
        { dimColor: true, wrap: "truncate" },
        message || told(found?.result),
      ),
      ...rows.map((row, i) =>
        h(
          Box,
          { key: i, height: tile.height, flexShrink: 0 },
          ...row.map((one, j) =>
            h(Tile, {
              key: one.id,
              hit: one,
              source: fileOf(one, searcher),
              size: tile,
              isChosen: (top + i) * across + j === at,
              protocol: options.protocol,
            })
          ),
        )
      ),
      h(Box, { flexGrow: 1 }),
      h(
        Text,
        { dimColor: true, wrap: "truncate" },
        // What a narrow window cuts off is the least wanted.
        `Esc ends  Enter opens  ${mode} (Tab)  Ctrl-L more like this  ` +
          "Ctrl-N near copies",
      ),
    ),
  );
}

interface TileProps {
  hit: SearchHit;
  source: ImageSource;
  size: { width: number; height: number };
  isChosen: boolean;
  protocol: Protocol;
}

/** A picture and its title; the title alone where there is no room. */
function Tile({ hit, source, size: tile, isChosen, protocol }: TileProps) {
  const size = { width: tile.width - 2, height: tile.height - 2 };
  const hasRoom = size.height > 0;
  const [png, setPng] = useState<Buffer | undefined>(undefined);
  useEffect(() => {
    if (!hasRoom) return;
    let isWanted = true;
    smallPicture(source).then((data) => isWanted && setPng(data), () => {});
    return () => {
      isWanted = false;
    };
  }, [source, hasRoom]);
  const name = oneLine(hit.title || basename(hit.path));
  const copies = hit.copies.length > 0 ? ` (+${hit.copies.length})` : "";
  const title = `${hit.value.toFixed(2)}${copies} ${name}`;
  return h(
    Box,
    { flexDirection: "column", width: tile.width },
    hasRoom && h(
      Box,
      size,
      png && h(Image, {
        src: png,
        ...size,
        alt: name,
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
  { text, like, mayFetch }: { text: string; like: string; mayFetch: boolean },
  { spaces: [{ collection }] }: Searcher,
  source: PictureSource,
): Promise<Partial<SearchQuery> | undefined> {
  const words = (text.match(/(\\\s|\S)+/g) ?? [])
    .map((word) => word.replace(/\\(\s)/g, "$1"));
  // After a sign something is still to be typed.
  while (/^[-+]$/.test(words.at(-1) ?? "")) words.pop();
  if (words.length === 0 && like === "") return undefined;
  const { text: said, plus, minus, pictures } = readQueryWords(words, {});
  if (!mayFetch && pictures.some(({ source }) => ADDRESS.test(source))) {
    throw new Error("Enter fetches the picture at this address.");
  }
  const found = await findQueryPictures(pictures, source.pictures);
  const named = await nameQueryPictures(found, collection);
  const likes = [...like ? [like] : [], ...named.like];
  return { text: said, plus, minus, unlike: named.unlike, like: likes };
}

/** Where a hit's picture lies; its bytes where it has no file of its own. */
function fileOf({ path }: SearchHit, { spaces: [{ collection }] }: Searcher) {
  return collection.pictures[collection.rowOf(path)!].source;
}

/** @returns What is wrong; "" for nothing. */
async function open(source: ImageSource): Promise<string> {
  if (typeof source !== "string") return "This picture has no file of its own.";
  return await openOutside(source) ?? "";
}

/** The line above the grid. */
function told(result: SearchResult | undefined): string {
  if (!result) return "Type what you look for";
  const { total, listed, line, remark = "" } = result;
  const fitting = listed.fitting ?? result.fitting;
  const said = line === undefined
    ? `${total} pictures.`
    : fitting > 0
    ? `${fitting} of ${total} pictures fit; dim titles may not.`
    : "Nothing here seems to show this. The nearest:";
  return `${said} ${remark}`;
}

function nextMode(mode: string): string {
  const names = Object.keys(MODES);
  return names[(names.indexOf(mode) + 1) % names.length];
}

const pictures = new Map<ImageSource, Promise<Buffer>>();

/** A picture as a small PNG, made once as long as it is kept. */
function smallPicture(source: ImageSource): Promise<Buffer> {
  const known = pictures.get(source);
  if (known) return known;
  const made = encodePicture(source, { format: "png" }, { longest: DOTS })
    .then(({ data }) => Buffer.from(data));
  pictures.set(source, made);
  if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value!);
  return made;
}
