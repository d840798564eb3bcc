/**
 * The only way out of a crawl's browser: a SOCKS proxy (RFC 1928) that connects
 * to public addresses alone.
 *
 * What a page loads, opens a socket to, leaves to a worker or lets the browser
 * fetch ahead comes through here, whoever in the browser asks. Names are looked
 * up here too, in the look-up that the connection uses.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { startPublicProxy } from "#lib/crawl/public_proxy.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const browser = await launchBrowser();
 * const proxy = await startPublicProxy([]);
 * const context = await browser.createBrowserContext(proxy.contextOptions);
 * const tab = await context.newPage();
 * await rejects(tab.goto("http://localhost:8765/"), /SOCKS_CONNECTION_FAILED/);
 * await browser.close();
 * proxy.close();
 * ```
 *
 * @module
 */
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  isIP,
  type Socket,
} from "node:net";
import type { BrowserContextOptions } from "puppeteer-core";
import { isPublic, publicLookup } from "../http/addresses.ts";

/** A proxy that runs. */
export interface PublicProxy {
  /** Sends all that a context asks for through the proxy. */
  contextOptions: BrowserContextOptions;
  /** Ends it, and what is under way. */
  close(): void;
}

/** A request is "connect to the name", or to an address written as one. */
const GREETING = [5, 1, 0], CONNECT = [5, 1, 0, 3];
/** The answers: no password is needed; how the connection went. */
const WELCOME = [5, 0], DONE = 0, FAILED = 1, NOT_ALLOWED = 2;

/**
 * Starts a proxy on the loopback address.
 *
 * @param allowedHosts Hosts with their ports, as `URL.host` has them, that may
 *   be asked though they are not public.
 */
export async function startPublicProxy(
  allowedHosts: readonly string[],
): Promise<PublicProxy> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    serve(socket, allowedHosts).catch(() => socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1").unref(), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    contextOptions: {
      proxyServer: `socks5://127.0.0.1:${port}`,
      // Browsers go past a proxy to what is this machine's.
      proxyBypassList: ["<-loopback>"],
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Connects whoever asks to whom it asks for. */
async function serve(
  socket: Socket,
  allowedHosts: readonly string[],
): Promise<void> {
  expect(await read(socket, GREETING.length), GREETING);
  socket.write(Uint8Array.from(WELCOME));
  expect(await read(socket, CONNECT.length), CONNECT);
  const [length] = await read(socket, 1);
  const host = String(await read(socket, length));
  const port = (await read(socket, 2)).readUInt16BE();
  const answer = (how: number) =>
    socket.write(Uint8Array.from([5, how, 0, 1, 0, 0, 0, 0, 0, 0]));

  const name = isIP(host) === 6 ? `[${host}]` : host;
  const allowed = ["http", "https"].some((protocol) =>
    allowedHosts.includes(new URL(`${protocol}://${name}:${port}`).host)
  );
  if (!allowed && isIP(host) && !isPublic(host)) {
    answer(NOT_ALLOWED);
    return void socket.end();
  }
  const lookup = allowed ? undefined : publicLookup();
  const target = connect({ host, port, lookup });
  let connected = false;
  target.once("connect", () => {
    connected = true;
    answer(DONE);
    socket.pipe(target).pipe(socket);
  });
  target.on("error", () => connected || answer(FAILED));
  target.on("close", () => connected ? socket.destroy() : socket.end());
  socket.on("close", () => target.destroy());
}

/** The next bytes. */
async function read(socket: Socket, size: number): Promise<Buffer> {
  while (true) {
    const bytes: Buffer | null = socket.read(size);
    if (bytes?.length === size) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error("broke off");
    await once(socket, "readable");
  }
}

function expect(bytes: Buffer, wanted: readonly number[]): void {
  if (wanted.some((byte, i) => byte !== bytes[i])) throw new Error("no SOCKS");
}
