/**
 * A Stop button in a notebook's output.
 *
 * The kernel hears nothing from the page (messages of widgets are dropped, an
 * interrupt ends it), so the button is a form that is posted to a small server
 * inside the kernel: loopback address, free port, unguessable path. It works
 * without scripts. The answer goes to a hidden frame, so the page stays.
 *
 * Runs in Deno's kernel only.
 *
 * ```ts
 * import { stopButton } from "#lib/display/stop_button.ts";
 * import { equal } from "node:assert/strict";
 *
 * let stopped = false;
 * const button = stopButton("Stop embedding", () => stopped = true);
 * const [, address] = button.html.match(/method="post" action="(.+?)"/)!;
 * const headers = { origin: "http://localhost:8888" };
 * equal(await (await fetch(address, { method: "POST", headers })).text(), "Stopping");
 * equal(stopped, true);
 * await button.close();
 * ```
 *
 * @module
 */
import { escapeHtml } from "./display.ts";

/**
 * Makes a button that calls `onStop`, once, when the reader presses it.
 *
 * @param label What the button says: plain text.
 * @returns The button, to be displayed, and how to end the server behind it.
 */
export function stopButton(
  label: string,
  onStop: () => void,
): { html: string; close(): Promise<void> } {
  const token = crypto.randomUUID();
  let stopped = false;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const fault = faultOf(request, token, server.addr.port);
      if (fault) return new Response(fault[1], { status: fault[0] });
      if (!stopped) onStop();
      stopped = true;
      return new Response("Stopping");
    },
  );
  // A script that never calls close() can still end.
  server.unref();
  const { port } = server.addr;
  return {
    html: `<form method="post" action="http://127.0.0.1:${port}/${token}" ` +
      `target="stop-${port}" style="margin:0"><button type="submit" ` +
      `style="${STYLE}">${escapeHtml(label)}</button></form>` +
      `<iframe name="stop-${port}" hidden title="Answer to the Stop button"></iframe>`,
    close: () => server.shutdown(),
  };
}

/**
 * Why a request is not from the button: a status and the reason.
 *
 * The token alone would do. The other two keep out pages of the web that try
 * ports of this machine: under a name of theirs (Host), or from afar (Origin).
 */
function faultOf(
  { method, url, headers }: Request,
  token: string,
  port: number,
): [status: number, reason: string] | undefined {
  if (headers.get("host") !== `127.0.0.1:${port}`) {
    return [421, "expected the address 127.0.0.1"];
  }
  if (new URL(url).pathname !== `/${token}`) return [404, "no such button"];
  if (method !== "POST") return [405, "expected POST"];
  if (!LOCAL_ORIGIN.test(headers.get("origin") ?? "")) {
    return [403, "expected a page of this machine"];
  }
}

/** JupyterLab on this machine, or VS Code. */
const LOCAL_ORIGIN =
  /^(https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?|vscode-webview:\/\/[\w-]+)$/;

/** White on dark red, 8:1, in both themes. */
const STYLE = "background:#8b1a1a;color:#fff;border:0;border-radius:4px;" +
  "padding:4px 12px;font:inherit;cursor:pointer";
