/**
 * The light box in a real browser: leafing, enlarging, the drawer, and every
 * way out of it.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "puppeteer-core";
import sharp from "sharp";
import { NO_FOLDING } from "#lib/search_page/web/query.js";
import { seriousFaults } from "../../support/axe.ts";
import { plain } from "../../support/colour_encoder.ts";
import {
  asPhone,
  search,
  searchText,
  showAs,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

/** Searches with nothing folded, so that all 26 pictures are results. */
async function searchAll(page: Page, text = "red"): Promise<void> {
  const address = new URL(page.url());
  address.hash = `${new URLSearchParams({ text, fold: `${NO_FOLDING}` })}`;
  await page.goto(address.href);
  await search(page, () => page.reload());
}

/** Opens the tile of that place. */
async function open(page: Page, place = 0): Promise<void> {
  const [...tiles] = await page.$$(".card .tile");
  await tiles[place].click();
  await page.waitForSelector("#lightBox[open] .stage img");
}

const alt = (page: Page) =>
  page.$eval(
    "#lightBox .stage img",
    (image) => (image as HTMLImageElement).alt,
  );

const place = (page: Page) => textOf(page, "#lightBox .place");

const isOpen = (page: Page) => page.$("#lightBox[open]").then(Boolean);

/** Waits until the light box is closed and the history is back. */
const closed = (page: Page) =>
  page.waitForFunction(() =>
    !document.querySelector("#lightBox[open]") && !history.state?.layers
  );

const focusedLabel = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label"));

/** Where the picture lies on the screen. */
const box = (page: Page) =>
  page.$eval("#lightBox .stage img", (image) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return { left, top, width, height };
  });

/** Ends when something has come true; it may take five seconds. */
async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!isTrue()) {
    ok(Date.now() < end, `not true in time: ${isTrue}`);
    await delay(20);
  }
}

/** Fills the drawer, with all that the server tells. */
async function openDrawer(page: Page): Promise<void> {
  await page.keyboard.press("i");
  await page.waitForSelector("#lightBox .drawer .found img");
}

Deno.test("the light box leafs through all results, and the focus stays on Next", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    await open(page);
    const total = Number((await place(page)).match(/^1 of (\d+)$/)![1]);
    strictEqual(total, 26, "also those beyond the first page");
    const first = await alt(page);
    await page.click("#lightBox .next");
    await page.waitForFunction(
      (first) =>
        document.querySelector<HTMLImageElement>(".stage img")?.alt !== first,
      {},
      first,
    );
    strictEqual(await place(page), "2 of 26");
    for (let i = 2; i < total; i++) await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent === "26 of 26"
    );
    await page.keyboard.press("Enter");
    strictEqual(await focusedLabel(page), "Next picture");
    strictEqual(
      await page.$eval("#lightBox .next", (next) => next.ariaDisabled),
      "true",
    );
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent === "25 of 26"
    );
    ok(
      await page.$eval(
        "#lightBox [role=status]",
        (status) => status.textContent!.startsWith("25 of 26"),
      ),
    );
  }));

Deno.test("Escape, the button and the browser's Back close it, and the focus is on the tile of the picture shown last", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    const searched = page.url();
    const labels = await page.$$eval(
      ".card .tile",
      (tiles) => tiles.map((tile) => tile.getAttribute("aria-label")),
    );
    const ways = [
      () => page.keyboard.press("Escape"),
      () => page.click("#lightBox .close"),
      () => page.goBack(),
    ];
    for (const [i, close] of ways.entries()) {
      await open(page, i);
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(
        (place) =>
          document.querySelector("#lightBox .place")?.textContent
            ?.startsWith(`${place} `),
        {},
        i + 2,
      );
      await close();
      await closed(page);
      await page.waitForFunction(
        (label) => document.activeElement?.ariaLabel === label,
        { timeout: 5_000 },
        labels[i + 1],
      );
      strictEqual(page.url(), searched);
    }
    await page.goBack();
    ok(page.url() !== searched, "no entry of the light box is left behind");
  }));

Deno.test("wheel, double click and keys enlarge about the pointer; dragging moves; 0 makes it whole", () =>
  withPage(async ({ page }) => {
    await open(page);
    const whole = await box(page);
    const [x, y] = [520, 400];
    /** The part of the picture that lies at the pointer. */
    const under = async () => {
      const { left, top, width, height } = await box(page);
      return [(x - left) / width, (y - top) / height];
    };
    const near = (a: number[], b: number[]) =>
      ok(Math.hypot(a[0] - b[0], a[1] - b[1]) < 0.01, `${a} is not ${b}`);
    const before = await under();
    await page.mouse.move(x, y);
    await page.mouse.wheel({ deltaY: -400 });
    await page.waitForSelector(".stage.enlarged");
    near(await under(), before);
    const enlarged = await box(page);
    ok(enlarged.width > 1.5 * whole.width);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 20, { steps: 4 });
    await page.mouse.up();
    const moved = await box(page);
    deepStrictEqual(
      [moved.left - enlarged.left, moved.top - enlarged.top].map(Math.round),
      [30, 20],
    );
    await page.keyboard.press("0");
    deepStrictEqual(await box(page), whole);
    await page.mouse.click(x, y, { count: 2 });
    near(await under(), before);
    ok((await box(page)).width > 2 * whole.width);
    await page.mouse.click(x, y, { count: 2 });
    deepStrictEqual(await box(page), whole);
    await page.keyboard.press("+");
    ok((await box(page)).width > whole.width);
    await page.keyboard.press("-");
    deepStrictEqual(await box(page), whole);
  }));

Deno.test("a long picture that is enlarged comes with all its pixels, and can be seen one by one", () =>
  withPage(async ({ page }) => {
    await searchAll(page, "green");
    await open(page);
    const natural = () =>
      page.$eval(
        ".stage img",
        (image) => (image as HTMLImageElement).naturalWidth,
      );
    await page.waitForFunction(() =>
      document.querySelector<HTMLImageElement>(".stage img")!.naturalWidth > 0
    );
    const first = await natural();
    ok(first > 200 && first < 300, `${first}`);
    for (let i = 0; i < 12; i++) await page.keyboard.press("+");
    await page.waitForFunction(() =>
      document.querySelector<HTMLImageElement>(".stage img")!.naturalWidth ===
        300
    );
    const { width } = await page.$eval(".stage", (stage) => ({
      width: stage.clientHeight * 300 / 20_000,
    }));
    const scale = await page.$eval(
      ".stage img",
      (image) => new DOMMatrix((image as HTMLElement).style.transform).a,
    );
    ok(scale * width >= 300, `${scale * width} pixels of 300`);
    await page.keyboard.press("0");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent === "2 of 27"
    );
  }, {
    async prepare(folder) {
      await writeFile(
        join(folder, "green.png"),
        await sharp({
          create: {
            ...{ width: 300, height: 20_000, channels: 3 },
            background: "#00ff00",
          },
        }).png().toBuffer(),
      );
    },
  }));

Deno.test("two fingers enlarge, one finger leafs", () =>
  withPage(async ({ page }) => {
    const send = await openOnPhone(page);
    await send("touchStart", [300, 400]);
    await send("touchMove", [200, 400]);
    await send("touchMove", [100, 400]);
    await send("touchEnd");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent?.startsWith("2 ")
    );
    const whole = await box(page);
    await send("touchStart", [180, 400], [210, 400]);
    await send("touchMove", [150, 400], [240, 400]);
    await send("touchMove", [100, 400], [290, 400]);
    await send("touchEnd");
    await page.waitForSelector(".stage.enlarged");
    ok((await box(page)).width > 2 * whole.width);
    strictEqual((await place(page)).split(" ")[0], "2", "no swipe as well");
  }));

/** Opens the first picture; sends touches: their type, and where the fingers are. */
async function openOnPhone(page: Page) {
  await asPhone(page, 390, 844);
  await page.waitForSelector(".card .tile img");
  await open(page);
  const touches = await page.createCDPSession();
  return (type: string, ...points: number[][]) =>
    touches.send("Input.dispatchTouchEvent", {
      type: type as "touchStart",
      touchPoints: points.map(([x, y], id) => ({ x, y, id })),
    });
}

Deno.test("a second finger ends a swipe: the picture goes back to the middle, and is enlarged", () =>
  withPage(async ({ page }) => {
    const send = await openOnPhone(page);
    await send("touchStart", [300, 400]);
    await send("touchMove", [250, 400]);
    await send("touchMove", [200, 400]);
    const isAt = (translate: string) =>
      page.waitForFunction(
        (translate) =>
          document.querySelector<HTMLElement>(".stage img")!.style.translate ===
            translate,
        {},
        translate,
      );
    await isAt("-100px");
    await send("touchStart", [200, 400], [230, 400]);
    await isAt("");
    await send("touchMove", [170, 400], [260, 400]);
    await send("touchMove", [100, 400], [330, 400]);
    await send("touchEnd");
    await page.waitForSelector(".stage.enlarged");
    match(await place(page), /^1 of /);
  }));

Deno.test("a finger that goes rather down than aside leafs nowhere", () =>
  withPage(async ({ page }) => {
    const send = await openOnPhone(page);
    await send("touchStart", [300, 200]);
    await send("touchMove", [260, 400]);
    await send("touchMove", [220, 560]);
    await send("touchEnd");
    await send("touchStart", [300, 200]);
    await send("touchMove", [260, 220]);
    await send("touchMove", [220, 260]);
    await send("touchEnd");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent !== "1 of 12"
    );
    match(await place(page), /^2 of /, "only by the second one");
  }));

Deno.test("where the picture shown is deleted it is said, and Next leads to the one that took its place", () =>
  withPage(async ({ page, folder }) => {
    await searchAll(page);
    const shown = await page.$$eval(
      ".card",
      (cards) => cards.map((card) => (card as HTMLElement).dataset.path!),
    );
    const fourth = await page.$eval(
      `[data-path="${shown[3]}"] .name`,
      (name) => name.textContent,
    );
    await open(page, 2);
    const remove = async (path: string) => {
      await rm(join(folder, path));
      await page.evaluate(() =>
        fetch("rescan", { method: "POST", body: "{}" })
      );
    };
    const says = (selector: string, text: string) =>
      page.waitForFunction(
        (selector, text) =>
          document.querySelector(`#lightBox ${selector}`)?.textContent === text,
        {},
        selector,
        text,
      );
    await remove(shown[0]);
    await says(".place", "2 of 25");
    strictEqual(await textOf(page, "#lightBox .message"), "");
    await remove(shown[2]);
    await says(".message", "This picture is no longer in the collection.");
    strictEqual(await place(page), "");
    // The drawer offers nothing that cannot be done.
    await page.keyboard.press("i");
    await says("aside", `No picture "${shown[2]}".`);
    await says(".message", "This picture is no longer in the collection.");
    await page.keyboard.press("i");
    await page.keyboard.press("ArrowRight");
    await says(".name", fourth!);
    strictEqual(await place(page), "2 of 24");
    await page.keyboard.press("ArrowLeft");
    await says(".place", "1 of 24");
    await page.keyboard.press("Escape");
    await closed(page);
    await page.waitForFunction(
      (path) =>
        document.activeElement?.closest<HTMLElement>(".card")?.dataset.path ===
          path,
      {},
      shown[1],
    );
  }));

Deno.test("a long caption is folded, so that what can be done stays in sight; a path keeps its order", () =>
  withPage(async ({ page, folder }) => {
    await asPhone(page, 390, 844);
    await searchAll(page, "green");
    await open(page);
    await openDrawer(page);
    ok(
      await page.$eval("#lightBox .name", (name) => name.checkVisibility()),
      "a phone's bar has the name too",
    );
    const tall = () =>
      page.$eval("#lightBox dd", (dd) => dd.getBoundingClientRect().height);
    const short = await tall();
    ok(short < 200, `${short} pixels`);
    await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("#lightBox dd button")]
        .find(({ textContent }) => textContent === "Show all")!.click()
    );
    ok(await tall() > 2 * short);
    const [trip, name] = await page.$$eval(
      "#lightBox code bdi bdi",
      (parts) =>
        parts.slice(-2).map((part) => {
          const { left, top } = part.getBoundingClientRect();
          return { text: part.textContent, left, top };
        }),
    );
    deepStrictEqual([trip.text, name.text], ["טיול/", "שלום.jpg"]);
    ok(trip.top < name.top || trip.left < name.left, "the folder comes first");
    strictEqual(
      await textOf(page, "#lightBox code"),
      join(folder, "טיול", "שלום.jpg"),
    );
  }, {
    async prepare(folder) {
      await mkdir(join(folder, "טיול"));
      await writeFile(
        join(folder, "טיול", "שלום.jpg"),
        await plain("#00ff00", "jpeg"),
      );
      const caption = "green leaves and more ".repeat(55);
      await writeFile(
        join(folder, "captions.json"),
        JSON.stringify({ "טיול/שלום.jpg": { caption } }),
      );
    },
  }));

Deno.test("a list that turns out shorter ends at its last picture; one that fails says why", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    await page.evaluate(async () => {
      const module = new URL("light_box.js", location.href).href;
      const { openLightBox } = await import(module);
      const paths = ["a.png", "b.png"];
      let length = 5;
      const hits = {
        length: () => length,
        at: (index: number) => {
          const path = paths[index];
          if (!path) length = paths.length;
          return index === 1 && document.body.dataset.fails
            ? Promise.reject(new Error("The server is gone."))
            : Promise.resolve(path && { id: index, path, title: path });
        },
      };
      openLightBox({ ...hits, at: async (i: number) => await hits.at(i) }, 4, {
        focusTile() {},
      });
    });
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent === "2 of 2"
    );
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .name")?.textContent === "b.png"
    );
    await page.keyboard.press("ArrowLeft");
    await page.evaluate(() => document.body.dataset.fails = "true");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .stage")?.textContent ===
        "The server is gone."
    );
  }));

Deno.test("the neighbours are there before they are asked for", () =>
  withPage(async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await searchAll(page);
    await open(page, 1);
    const large = () => asked.filter((url) => /\/picture\/\d+$/.test(url));
    await until(() => large().length === 3);
    await page.keyboard.press("ArrowRight");
    await until(() => large().length === 4);
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent?.startsWith("3 ")
    );
    strictEqual(new Set(large()).size, 4, "the next but one, nothing twice");
  }));

/** A photograph as a camera writes it. */
const photograph = () =>
  sharp({
    create: { width: 64, height: 48, channels: 3, background: "green" },
  }).jpeg().withExif({
    IFD0: { Make: "Canon", Model: "Canon EOS 5D" },
    IFD2: {
      DateTimeOriginal: "2019:06:01 12:00:00",
      ExposureTime: "1/250",
      FNumber: "28/10",
      ISOSpeedRatings: "400",
      FocalLength: "50/1",
      LensModel: "EF 24-105mm",
    },
    IFD3: {
      GPSLatitudeRef: "N",
      GPSLatitude: "52/1 31/1 12/1",
      GPSLongitudeRef: "E",
      GPSLongitude: "13/1 24/1 18/1",
    },
  }).toBuffer();

Deno.test("the drawer tells what is known of a photograph: size, date, camera, exposure, place, file", () =>
  withPage(async ({ page, folder }) => {
    await searchAll(page, "green");
    await open(page);
    await openDrawer(page);
    const facts = await page.$eval("#lightBox dl", (list) =>
      Object.fromEntries(
        [...list.querySelectorAll("dt")].map((name) => [
          name.textContent,
          name.nextElementSibling!.textContent,
        ]),
      ));
    match(facts.Size!, /^64 × 48 pixels, [\d,.]+ (bytes|kB)$/);
    strictEqual(facts.Date, "1 June 2019 at 12:00 (by the camera)");
    strictEqual(facts.Camera, "Canon EOS 5D");
    strictEqual(facts.Lens, "EF 24-105mm");
    match(facts.Exposure!, /1\/250 s, f\/2\.8, ISO 400, 50 mm/);
    strictEqual(facts.Place, "52.52000, 13.40500 on OpenStreetMap");
    const link = await page.$eval("#lightBox dd a", (link) => {
      const { href, rel } = link as HTMLAnchorElement;
      return { href, rel };
    });
    match(link.href, /^https:\/\/www\.openstreetmap\.org\/\?mlat=52\.52000/);
    strictEqual(link.rel, "noopener noreferrer");
    const file = join(folder, "photo.jpg");
    const [copy] = await page.$$("xpath/.//button[text()='Copy path']");
    for (const isAllowed of [true, false]) {
      await page.evaluate((isAllowed) => {
        navigator.clipboard.writeText = (text) => {
          document.body.dataset.copied = text;
          return isAllowed ? Promise.resolve() : Promise.reject(new Error());
        };
      }, isAllowed);
      await copy.click();
      const said = isAllowed ? "The path is copied." : "press Ctrl+C";
      await page.waitForFunction(
        (said) =>
          document.querySelector("#lightBox .message")!.textContent!
            .includes(said),
        {},
        said,
      );
    }
    deepStrictEqual(
      await page.evaluate(() => [
        document.body.dataset.copied,
        `${getSelection()}`,
      ]),
      [file, file],
    );
    const [download] = await page.$$("#lightBox a[download]");
    const bytes = await download.evaluate(async (link) =>
      (await (await fetch((link as HTMLAnchorElement).href)).bytes()).length
    );
    strictEqual(bytes, (await photograph()).length, "the file as it is");
  }, {
    prepare: async (folder) =>
      await writeFile(join(folder, "photo.jpg"), await photograph()),
  }));

Deno.test("Open folder asks the server, and what that answers is said in the box", () =>
  withPage(async ({ page }) => {
    const asked: (string | undefined)[] = [];
    const answers = [
      { status: 200, body: "{}" },
      { status: 501, body: '{"error":"no file manager was found"}' },
    ];
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (!request.url().endsWith("/reveal")) return request.continue();
      asked.push(request.postData());
      const answer = answers[asked.length - 1];
      request.respond({ ...answer, contentType: "application/json" });
    });
    await searchAll(page);
    await open(page);
    await openDrawer(page);
    const [folder] = await page.$$("xpath/.//button[text()='Open folder']");
    for (const said of ["The folder opens.", "No file manager was found."]) {
      await folder.click();
      await page.waitForFunction(
        (said) =>
          document.querySelector("#lightBox .message")!.textContent === said,
        {},
        said,
      );
    }
    match(asked[0]!, /"path":"paint\/red\/red-\d+\.png"/);
  }));

Deno.test("what a caption holds stays text, and only addresses of the web are links", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    const hostile = await page.$$eval(
      ".card",
      (cards) =>
        cards.findIndex((card) =>
          (card as HTMLElement).dataset.path === "paint/red/red-0.png"
        ),
    );
    await open(page, hostile);
    await openDrawer(page);
    match(await textOf(page, "#lightBox dl"), /<img src=x onerror=alert\(1\)>/);
    match(await textOf(page, "#lightBox dl"), /javascript:alert\(1\)/);
    strictEqual(await page.$("#lightBox img[src=x], #lightBox dd a"), null);
  }));

Deno.test("near copies and nearest pictures open inside the box, with a way back", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    await open(page, 2);
    const first = await alt(page);
    await openDrawer(page);
    const headings = await page.$$eval(
      "#lightBox .drawer h3",
      (found) => found.map(({ textContent }) => textContent),
    );
    ok(headings.includes("Near copies"), `${headings}`);
    ok(headings.includes("Nearest pictures"));
    const tiles = await page.$$("#lightBox .found .tile");
    const label = await tiles[0].evaluate((tile) => tile.ariaLabel);
    await tiles[0].click();
    await page.waitForFunction(
      (label) =>
        label ===
          `Open ${document.querySelector("#lightBox .name")!.textContent}`,
      {},
      label,
    );
    ok(await alt(page) !== first);
    match(await place(page), /^1 of \d+$/);
    ok(
      await page.evaluate(() =>
        document.querySelector("#lightBox")!.contains(document.activeElement)
      ),
    );
    await page.click("#lightBox .wayBack");
    await page.waitForFunction(
      (first) =>
        document.querySelector<HTMLImageElement>(".stage img")?.alt === first,
      {},
      first,
    );
    match(await place(page), /^3 of /);
    await page.keyboard.press("Escape");
    await closed(page);
  }));

Deno.test("a file that is gone and a server that fails are said in the box", () =>
  withPage(async ({ page, app }) => {
    await searchAll(page);
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const isGone = /\/picture\/\d+$/.test(request.url()) && !isClosed;
      if (isGone) request.respond({ status: 404 });
      else request.continue();
    });
    let isClosed = false;
    const [...tiles] = await page.$$(".card .tile");
    await tiles[0].click();
    await page.waitForSelector("#lightBox .stage .empty");
    match(await textOf(page, ".stage"), /gone, or can no longer be read/);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .place")?.textContent?.startsWith("2 ")
    );
    await app.close();
    isClosed = true;
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      /does not answer/.test(document.querySelector(".stage")!.textContent!)
    );
    await page.keyboard.press("i");
    await page.waitForFunction(() =>
      /does not answer/.test(
        document.querySelector("#lightBox .message")!.textContent!,
      )
    );
    ok(await isOpen(page));
  }));

Deno.test("More like this closes the box and then searches; Back leads to the results before", () =>
  withPage(async ({ page, app }) => {
    await searchAll(page);
    const searched = page.url();
    await open(page, 1);
    await search(page, () => page.keyboard.press("l"));
    ok(!await isOpen(page));
    strictEqual(app.query!.like.length, 1);
    await search(page, () => page.goBack().then(() => {}));
    strictEqual(page.url(), searched);
    await open(page, 1);
    await search(page, () => page.keyboard.press("n"));
    strictEqual(app.query!.unlike.length, 1);
    strictEqual(app.query!.text, "red", "words and pictures combine");
  }));

Deno.test("Select selects, and Hide goes on to the next of one picture less, which is no longer selected", () =>
  withPage(async ({ page, app }) => {
    await searchAll(page);
    await open(page);
    const first = await alt(page);
    await page.keyboard.press("x");
    await until(() => app.selection.length === 1);
    strictEqual(await textOf(page, "#lightBox .mark"), "✓ Selected");
    await openDrawer(page);
    const [button] = await page.$$("xpath/.//button[text()='Select']");
    await button.click();
    strictEqual(await button.evaluate((own) => own.ariaPressed), "false");
    strictEqual(await textOf(page, "#lightBox .mark"), "");
    await until(() => app.selection.length === 0);
    await page.keyboard.press("x");
    await until(() => app.selection.length === 1);
    await page.keyboard.press("h");
    await page.waitForFunction(
      (first) =>
        document.querySelector<HTMLImageElement>(".stage img")?.alt !== first,
      {},
      first,
    );
    ok(await isOpen(page));
    strictEqual(await place(page), "1 of 25");
    await until(() => app.selection.length === 0);
  }));

Deno.test("a reload with the box open, and Forward to where it was, leave no dead steps", () =>
  withPage(async ({ page }) => {
    await searchAll(page);
    await searchText(page, "blue");
    const searched = page.url();
    await open(page);
    await page.reload();
    await closed(page);
    strictEqual(page.url(), searched);
    // There, and back by itself.
    await page.evaluate(() =>
      new Promise<void>((resolve) => {
        let steps = 0;
        addEventListener("popstate", () => {
          if (++steps === 2) resolve();
        });
        history.forward();
      })
    );
    await closed(page);
    // Also before the page listens: it asks its server first.
    const held = Promise.withResolvers<void>();
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (request.url().endsWith("/status")) await held.promise;
      await request.continue();
    });
    await page.reload();
    await page.evaluate(() => history.forward());
    await page.waitForFunction(() => history.state?.layers === 1);
    held.resolve();
    await closed(page);
    await search(page, () => page.goBack().then(() => {}));
    ok(page.url() !== searched, "Back leads to the search before");
  }));

Deno.test("axe finds nothing serious in the light box, and nothing overflows, from 320 pixels to 4K", () =>
  withPage(async ({ page }) => {
    await page.setBypassCSP(true);
    await page.reload();
    await page.waitForSelector(".card .tile img");
    const client = await page.createCDPSession();
    for (const look of ["light", "dark", "forced"] as const) {
      await showAs(client, look);
      await page.reload();
      await page.waitForSelector(".card[data-path]");
      for (const [width, height] of [[320, 640], [1280, 900], [3840, 2160]]) {
        await page.setViewport({ width, height });
        await open(page);
        strictEqual(await seriousFaults(page), "");
        await openDrawer(page);
        strictEqual(await seriousFaults(page), "");
        const { right, bottom } = await page.$eval(
          "#lightBox .close",
          (button) => button.getBoundingClientRect().toJSON(),
        );
        ok(right <= width && bottom <= height, `${right} at ${width}`);
        const wide = await page.$eval(
          "#lightBox aside",
          (aside) => aside.scrollWidth - aside.clientWidth,
        );
        strictEqual(wide, 0, `the drawer at ${width}`);
        await page.keyboard.press("i");
        await page.keyboard.press("Escape");
        await closed(page);
      }
    }
  }));
