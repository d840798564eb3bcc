import { deepEqual, ok, rejects } from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as listen } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { startPublicProxy } from "#lib/crawl/public_proxy.ts";

Deno.test("startPublicProxy() leaves a page no way into this machine, asked for by whom ever", async () => {
  let reached = 0;
  const hidden = listen((socket) => {
    reached++;
    socket.destroy();
  });
  await once(hidden.listen(0, "127.0.0.1"), "listening");
  const { port } = hidden.address() as AddressInfo;
  const calls = createSocket("udp4").on("message", () => reached++);
  await new Promise<void>((done) => calls.bind(port, "127.0.0.1", done));
  const other = `127.0.0.1:${port}`;

  const asked = new Set<string>();
  const inWorker = `fetch("http://${other}/").catch(() => {});
    new WebSocket("ws://${other}/")`;
  const page = `<link rel="preconnect" href="http://localhost:${port}">
    <link rel="prefetch" href="http://${other}/">
    <iframe src="http://localhost:${port}/"></iframe>
    <script type="speculationrules">${
    JSON.stringify({
      prefetch: [{ urls: [`http://${other}/`], eagerness: "immediate" }],
      prerender: [{ urls: ["/prerender"], eagerness: "immediate" }],
    })
  }</script><script>
    new WebSocket("ws://${other}/");
    new EventSource("http://${other}/");
    new Worker("/worker.js");
    new SharedWorker("/shared.js");
    navigator.serviceWorker.register("/service.js");
    new WebTransport("https://${other}/").ready.catch(() => {});
    const call = new RTCPeerConnection({ iceServers: [{
      urls: ["stun:${other}", "turn:${other}?transport=tcp"],
      username: "a", credential: "b" }] });
    call.createDataChannel("x");
    call.createOffer().then((offer) => call.setLocalDescription(offer));
    navigator.sendBeacon("http://${other}/");
    fetch("/redirect").catch(() => {})</script>`;
  const site = createServer(({ url }, response) => {
    asked.add(url!);
    if (url === "/redirect") {
      response.writeHead(302, { location: `http://${other}/` }).end();
    } else if (url!.endsWith(".js")) {
      response.setHeader("content-type", "text/javascript").end(inWorker);
    } else {
      response.setHeader("content-type", "text/html");
      response.end(url === "/" ? page : `<img src="http://${other}/">`);
    }
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;

  const browser = await launchBrowser();
  const proxy = await startPublicProxy([host]);
  const context = await browser.createBrowserContext(proxy.contextOptions);
  const tab = await context.newPage();
  await tab.goto(`http://${host}/`, { waitUntil: "domcontentloaded" });
  for (let i = 0; i < 50 && asked.size < 6; i++) await sleep(100);
  await sleep(500);
  const refused = /SOCKS_CONNECTION_FAILED/;
  await rejects(tab.goto(`http://${other}/`), refused);
  await rejects(tab.goto(`http://[::ffff:127.0.0.1]:${port}/`), refused);
  for (const path of ["/", "/redirect", "/shared.js", "/service.js"]) {
    ok(asked.has(path), path);
  }
  deepEqual(reached, 0);

  // Nor does it speak to what is no browser of ours.
  const { port: own } = new URL(
    proxy.contextOptions.proxyServer!.replace("socks5", "http"),
  );
  const stranger = connect(Number(own), "127.0.0.1").on("error", () => {});
  stranger.resume().write("GET / HTTP/1.1\r\n\r\n");
  await once(stranger, "close");

  await browser.close();
  proxy.close();
  calls.close();
  hidden.close();
  site.close();
  site.closeAllConnections();
});
