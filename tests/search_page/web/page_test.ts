/**
 * The search page in a real browser: each feature, and what it says when
 * something is wrong.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import {
  openOptions,
  search,
  searchText,
  slide,
  terms,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

Deno.test("the page starts with totals, statistics and random pictures, and finds by text", () =>
  withPage(async ({ page, app }) => {
    const start = await textOf(page, "#start");
    match(start, /Pictures26.*Terms2.*Similarity of two pictures\d/);
    equal((await page.$$(".card")).length, 12);

    await searchText(page, "red");
    deepEqual(await terms(page), ["red"]);
    match(await textOf(page, "#status"), /shown; \d+ of 26 pictures/);
    match(await textOf(page, ".card"), /Match \d+\.\d%/);
    equal(app.query?.text, "red");
    ok(page.url().endsWith("#text=red"));

    await searchText(page, "blue");
    await search(page, () => page.goBack());
    deepEqual(await terms(page), ["red"]);
    equal(
      await page.$eval("#text", (field) => (field as HTMLInputElement).value),
      "red",
    );
    await search(page, () => page.reload());
    deepEqual(await terms(page), ["red"]);
    await page.click("#random");
    await page.waitForFunction(() =>
      /drawn at random/.test(document.querySelector("#status")!.textContent!)
    );
  }));

Deno.test("what is ticked is selected in that order, and can be cleared", () =>
  withPage(async ({ page, app }) => {
    const cards = await page.$$eval(
      ".card",
      (found) => found.map((card) => (card as HTMLElement).dataset.path!),
    );
    const tick = async (path: string) => {
      const next = app.next();
      await page.click(`[data-path="${path}"] [type=checkbox]`);
      await next;
    };
    const selected = () => app.selection.map(({ path }) => path);
    for (const i of [4, 1, 2]) await tick(cards[i]);
    deepEqual(selected(), [cards[4], cards[1], cards[2]]);
    await tick(cards[1]);
    deepEqual(selected(), [cards[4], cards[2]]);
    equal(await textOf(page, "#clear"), "Clear 2 selected");
    await searchText(page, "red");
    equal((await page.$$(".card :checked")).length <= 2, true);
    const cleared = app.next();
    await page.click("#clear");
    await cleared;
    deepEqual(selected(), []);
    equal(await textOf(page, "#clear"), "None selected");
    equal((await page.$$(".card :checked")).length, 0);
  }));

Deno.test("a long title is cut under its tile, and whole in its tip and its view", () => {
  const name = `${"very long ".repeat(4)}titles 😀😀😀😀😀`;
  return withPage(async ({ page }) => {
    await searchText(page, "white");
    const [shown, tip] = await page.$eval(
      ".card h3",
      (heading) => [heading.textContent!, heading.title],
    );
    deepEqual([tip, shown], [name, `${"very long ".repeat(4)}titles 😀😀…`]);
    await page.click(".tile");
    await page.waitForSelector("#detail[open]");
    equal(await textOf(page, "#detail h2"), name);
  }, {
    prepare: async (folder) =>
      await writeFile(join(folder, `${name}.png`), await plain("white")),
  });
});

Deno.test("all captions of a picture are shown where it is shown large", () =>
  withPage(async ({ page }) => {
    await searchText(page, "white");
    await page.click('[data-path="x.png"] .tile');
    await page.waitForSelector("#detail[open] dl li");
    const captions = await page.$$eval(
      "#detail dl li",
      (items) => items.map(({ textContent }) => textContent),
    );
    deepEqual(captions, ["A white wall", "<b>Snow</b>"]);
    equal(await textOf(page, "#detail dt"), "Captions");
  }, {
    prepare: async (folder) => {
      await writeFile(join(folder, "x.png"), await plain("white"));
      await writeFile(
        join(folder, "captions.json"),
        '{"x.png": ["A white wall", "<b>Snow</b>"]}',
      );
    },
  }));

Deno.test("captions, titles and addresses from outside are text", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await page.click('[data-path="paint/red/red-0.png"] .tile');
    await page.waitForSelector("#detail[open] dl");
    match(
      await textOf(page, "#detail dl"),
      /<img src=x onerror=alert\(1\)> red & "bold"/,
    );
    match(await textOf(page, "#detail dl"), /javascript:alert\(1\)/);
    const found = await page.evaluate(() => ({
      intruders: document.querySelectorAll("[onerror]").length,
      links: [...document.querySelectorAll("a")].map(({ href }) => href),
      alts: [...document.querySelectorAll("img")].every(({ alt }) =>
        alt !== ""
      ),
    }));
    deepEqual(found, { intruders: 0, links: [], alts: true });
  }));

Deno.test("a picture is taken from a file, a drop and the clipboard; more like this", () =>
  withPage(async ({ page, app, folder }) => {
    const file = join(folder, "paint", "blue", "blue-3.png");
    const input = await page.$("#file");
    await search(
      page,
      () =>
        (input as unknown as { uploadFile(path: string): Promise<void> })
          .uploadFile(file),
    );
    deepEqual(await terms(page), ["blue"]);
    match(page.url(), /#picture=[0-9a-f]{64}&mode=visual$/);
    await search(page, () => page.reload());
    deepEqual(await terms(page), ["blue"]);

    const bytes = [...await plain("#f00000", "jpeg", 90)];
    for (const kind of ["drop", "paste"] as const) {
      await search(page, () =>
        page.evaluate(
          (kind, bytes) => {
            const data = new DataTransfer();
            data.items.add(
              new File([Uint8Array.from(bytes)], "a.jpg", {
                type: "image/jpeg",
              }),
            );
            dispatchEvent(
              kind === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
                : new ClipboardEvent("paste", { clipboardData: data }),
            );
          },
          kind,
          bytes,
        ));
      deepEqual(await terms(page), ["red"], kind);
    }
    await search(page, () => page.click("[aria-label^='More like']"));
    match(page.url(), /like=/);
    await page.click("#asked button");
    await page.waitForFunction(() =>
      location.hash === "#mode=visual" ||
      /random/.test(document.querySelector("#status")!.textContent!)
    );
    ok(app.query!.like !== "");
  }));

Deno.test("filters, terms, weight, number, mode, cut and copies change what is shown", () =>
  withPage(async ({ page, app }) => {
    await openOptions(page);
    await searchText(page, "red");
    await search(page, () => page.select("#cut", "none"));
    ok(page.url().includes("cut=none"));
    await search(page, () => page.click("#terms input[value=blue]"));
    deepEqual(await terms(page), ["blue"]);
    equal(await textOf(page, "#active"), "(1 on)");
    await search(page, () => page.click("#terms input[value=blue]"));

    await search(page, () => page.click("#fold"));
    await search(page, () => slide(page, "#k", 24));
    equal((await page.$$(".card")).length, 24);
    await search(page, () => slide(page, "#textWeight", 0.8));
    equal(app.query!.textWeight, 0.8);
    match(await textOf(page, "#weightShown"), /text 80%, picture 20%/);
    await search(page, () => page.select("#mode", "text"));
    equal(app.query!.mode, "text");
    await search(page, () => page.select("#metric", "l2"));
    match(await textOf(page, ".card"), /Distance [\d.]+ \(L2\)/);
    await search(page, () => page.select("#metric", "cosine"));
    await search(page, () => page.select("#mode", "visual"));

    await page.type("#plus", "green");
    await page.type("#minus", "blue, white");
    await search(page, () => page.keyboard.press("Enter"));
    deepEqual([app.query!.plus, app.query!.minus], [["green"], [
      "blue",
      "white",
    ]]);
    for (const id of ["#plus", "#minus"]) {
      await page.$eval(id, (field) => (field as HTMLInputElement).value = "");
    }

    await page.click("#scores summary");
    const most = Number(
      await page.$eval(
        "#cutValue",
        (slider) => (slider as HTMLInputElement).max,
      ),
    );
    await search(page, () => slide(page, "#cutValue", most - 0.05));
    const shown = (await page.$$(".card")).length;
    ok(shown > 0 && shown < 24, `${shown} shown`);
    equal(app.query!.cut, app.result!.cut);

    await search(page, () => page.select("#cut", "auto"));
    await searchText(page, "the price of shares");
    match(await textOf(page, "#results"), /Nothing here fits/);
    await search(page, () => page.click(".empty button"));
    ok((await page.$$(".card")).length > 0);
  }));

Deno.test("beside the results it is said once that the encoder knows English only", () =>
  withPage(async ({ page }) => {
    await searchText(page, "ein rotes Haus");
    equal((await page.$$("#results .remark")).length, 1);
    match(await textOf(page, "#results .remark"), /knows English only/);
    ok((await page.$$(".card, .empty")).length > 0);
    await searchText(page, "a red house");
    equal((await page.$$("#results .remark")).length, 0);
  }, { encoder: { ...colourEncoder(), languages: ["en"] } }));

Deno.test("the map is dragged and zoomed by mouse, and opens what is clicked", () =>
  withPage(async ({ page }) => {
    await page.click("#openMap");
    await page.waitForSelector(".point img");
    const scrolled = () =>
      page.$eval(
        "#mapFrame",
        (
          { scrollLeft, scrollTop },
        ) => [Math.round(scrollLeft), Math.round(scrollTop)],
      );
    const frame = (await (await page.$("#mapFrame"))!.boundingBox())!;
    await page.mouse.move(
      frame.x + frame.width / 2,
      frame.y + frame.height / 2,
    );
    for (let i = 0; i < 4; i++) await page.mouse.wheel({ deltaY: -100 });
    await page.waitForFunction(() =>
      document.querySelector("#mapPoints")!.clientWidth >
        1.9 * document.querySelector("#mapFrame")!.clientWidth
    );
    const zoomed = await scrolled();
    ok(zoomed[0] > 50 && zoomed[1] > 50, "about the middle");
    // A drag that begins on the picture nearest to the middle.
    const [x, y] = await page.$$eval(".point", (points) => {
      const fromMiddle = ({ style }: HTMLElement) =>
        Math.hypot(parseFloat(style.left) - 50, parseFloat(style.top) - 50);
      const [point] = (points as HTMLElement[])
        .toSorted((a, b) => fromMiddle(a) - fromMiddle(b));
      point.scrollIntoView({ block: "center", inline: "center" });
      const box = point.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    });
    const before = await scrolled();
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 30, { steps: 4 });
    await page.mouse.up();
    deepEqual(await scrolled(), [before[0] - 40, before[1] - 30]);
    equal(await page.$("#detail[open]"), null, "a drag opens nothing");
    await page.$eval(".point", (point) => (point as HTMLElement).focus());
    match(await textOf(page, "#mapStatus"), /(red|blue) \d+|wall|bold/);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#detail[open]");
  }));

Deno.test("pixels stand beside the encoder for one query", () =>
  withPage(async ({ page }) => {
    await openOptions(page);
    await searchText(page, "red");
    await search(page, () => page.select("#beside", "pixels"));
    const headings = await page.$$eval(
      "#results h2",
      (found) => found.map((one) => one.textContent),
    );
    equal(headings.length, 2);
    match(headings[0]!, /colours: mean colours/);
    match(headings[1]!, /64 × 64 pixels \(pixels know no words: nearest to “/);
    await search(page, () => page.select("#beside", ""));
    await search(page, () => page.select("#space", "pixels"));
    match(await textOf(page, "#status"), /The nearest \d+ of 26 pictures/);
  }));

Deno.test("results are taken away as CSV, JSON and the cell that finds them", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await page.evaluate(() => {
      URL.createObjectURL = (blob) => {
        (blob as Blob).text().then((text) =>
          document.body.dataset.saved = text
        );
        return "data:,";
      };
    });
    const saved = async (button: string) => {
      await page.evaluate(() => delete document.body.dataset.saved);
      await page.click(button);
      await page.waitForFunction(() => document.body.dataset.saved);
      return await page.evaluate(() => document.body.dataset.saved!);
    };
    const csv = await saved("#csv");
    match(csv, /^"path","value","title"/);
    match(csv, /"'=1\+1"/, "a formula is text");
    match(csv, /"<img src=x onerror=alert\(1\)> red & ""bold"""/);
    ok(JSON.parse(await saved("#json")).hits.length > 0);
    await page.click("#cell");
    equal(
      await textOf(page, "#codeText"),
      "// app: what openSearchApp() of #lib/search_page/search_page.ts returned\n" +
        'const found = await app.search({\n  text: "red",\n});\n' +
        "found.hits.map(({ value, path }) => ({ value, path }))",
    );
  }));

Deno.test("what goes wrong is said on the page, and the page goes on", () =>
  withPage(async ({ page, app, folder }) => {
    const complaint = async (words: RegExp) => {
      await page.waitForFunction(() =>
        document.querySelector("#problem")!.textContent
      );
      match(await textOf(page, "#problem"), words);
    };
    await page.$eval(
      "#text",
      (field) => (field as HTMLInputElement).value = "x".repeat(100_000),
    );
    await page.click("[type=submit]");
    await complaint(/at most 1000 characters, got 100000/);
    await searchText(page, "red");
    equal(await textOf(page, "#problem"), "");
    await page.$eval(
      "#text",
      (field) => (field as HTMLInputElement).value = "please fail",
    );
    await page.click("[type=submit]");
    await complaint(/ran out of memory/);
    await searchText(page, "red");

    const broken = join(folder, "broken.jpg");
    await writeFile(broken, (await plain("red", "jpeg", 300)).slice(0, 300));
    const input = await page.$("#file");
    await (input as unknown as { uploadFile(path: string): Promise<void> })
      .uploadFile(broken);
    await complaint(/cannot be decoded: the decoder says/);

    // A picture that is deleted while it is shown says so where it stands.
    await page.setCacheEnabled(false);
    await searchText(page, "blue");
    deepEqual(await terms(page), ["blue"]);
    await rm(join(folder, "paint", "blue"), { recursive: true });
    await rm(join(paths.search, "thumbnails"), { recursive: true });
    await page.$eval(
      ".tile img",
      (image) => (image as HTMLImageElement).src += "?anew",
    );
    await page.waitForSelector(".tile.gone");
    await page.click(".tile");
    await complaint(/file of "paint\/blue\/\S+" is gone/);
    // And the next search no longer finds it.
    await searchText(page, "blue");
    equal((await terms(page)).includes("blue"), false);

    await page.evaluate(() => {
      dispatchEvent(new ErrorEvent("error", { error: new Error("boom") }));
    });
    await complaint(/This page has a fault: boom/);

    await app.close();
    await page.click("[type=submit]");
    await page.waitForFunction(() =>
      /does not answer/.test(document.querySelector("#problem")!.textContent!)
    );
  }));

Deno.test("a collection that is being indexed shows its progress and can be searched", () => {
  const encoder = colourEncoder();
  const held = Promise.withResolvers<void>();
  const { encodeDecoded } = encoder;
  encoder.encodeDecoded = async (pixels) => {
    await held.promise;
    return await encodeDecoded(pixels);
  };
  return withPage(async ({ page }) => {
    await page.waitForSelector("#loading:not([hidden])");
    match(await textOf(page, "#loadingText"), /Indexing: 0 of 26 pictures/);
    await page.type("#text", "red");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      /Nothing can be searched yet/.test(
        document.querySelector("#results")!.textContent!,
      )
    );
    held.resolve();
    await page.waitForSelector("#loading[hidden]");
    await searchText(page, "red");
    deepEqual(await terms(page), ["red"]);
  }, { encoder, ready: false });
});
