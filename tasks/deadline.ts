/**
 * Ends a command that is asked to stop while its own thread hears nothing, as
 * in the midst of an encoder's batch: a worker that every command starts.
 *
 * @module
 */
import process from "node:process";

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // A little after the command would have ended by itself.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 1600);
  });
}
