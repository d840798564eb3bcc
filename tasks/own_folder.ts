/**
 * Where the installed command keeps what it writes: the platform's own place for
 * a program's data.
 *
 * ```ts
 * import { ownFolder } from "./own_folder.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const home = "/users/ada";
 * strictEqual(
 *   ownFolder({ platform: "linux", home, variables: {} }),
 *   "/users/ada/.local/share/contact-sheet",
 * );
 * ```
 *
 * @module
 */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";

/** What the place depends on. */
export interface Place {
  /** As process.platform has it. */
  platform: string;
  home: string;
  /** Of the environment. */
  variables: Record<string, string | undefined>;
}

/** The folder, absolute; CONTACT_SHEET_DATA names another. */
export function ownFolder(
  { platform, home, variables }: Place = {
    platform: process.platform,
    home: homedir(),
    variables: process.env,
  },
): string {
  const { CONTACT_SHEET_DATA, XDG_DATA_HOME, LOCALAPPDATA } = variables;
  if (CONTACT_SHEET_DATA) return resolve(CONTACT_SHEET_DATA);
  if (platform === "win32") {
    const local = LOCALAPPDATA || join(home, "AppData", "Local");
    return join(local, "contact-sheet");
  }
  if (platform === "darwin") {
    return join(home, "Library", "Application Support", "contact-sheet");
  }
  // The standard has relative paths passed over.
  const isSet = XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME);
  const share = isSet ? XDG_DATA_HOME : join(home, ".local", "share");
  return join(share, "contact-sheet");
}
