/**
 * Ends a command that is asked to stop while its own thread hears nothing, as
 * in the midst of an encoder's batch: a worker that every command starts.
 *
 * @module
 */
import process from "node:process";

/** Where each system has its C library. */
const LIBRARIES: Record<string, string> = {
  darwin: "libSystem.dylib",
  linux: "libc.so.6",
  windows: "msvcrt.dll",
};

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // A little after the command would have ended by itself.
    setTimeout(end, 1600);
  });
}

/**
 * Ends the process with 130. A worker's process.exit() would end the worker
 * alone, and a signal has a status of its own.
 */
function end(): void {
  try {
    const { symbols } = Deno.dlopen(LIBRARIES[Deno.build.os], {
      _exit: { parameters: ["i32"], result: "void" },
    });
    symbols._exit(130);
  } catch {
    // Another system, with its library under another name.
    process.kill(process.pid, "SIGKILL");
  }
}
