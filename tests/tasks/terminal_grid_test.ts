import { match, ok, strictEqual } from "node:assert/strict";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import { venvPython } from "../../tasks/python.ts";

const ignore = !offlineEncoderReady() || Deno.build.os === "windows";
if (ignore) {
  console.warn("terminal_grid_test: ignored, set-up has not been run");
}

/** Runs a program in a terminal, and types once it shows a text. */
const TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios, time
steps = [step.split("=", 1) for step in sys.argv[1].split("|")]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", *map(int, os.environ["SIZE"].split("x")), 0, 0))
seen, new, end = b"", b"", time.time() + 60
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
        new += data
    if steps and steps[0][0].encode() in new:
        os.write(fd, steps.pop(0)[1].encode().decode("unicode_escape").encode())
        new = b""
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const birds = join(paths.sample, "animals", "water bird");

/** Runs the grid over the sample's water birds, or another folder, and types. */
async function typed(steps: string, ...args: string[]) {
  return await typedIn({}, steps, ...args);
}

async function typedIn(
  { folder = birds, size = "30x80", ...env }: Record<string, string>,
  steps: string,
  ...args: string[]
) {
  const data = await mkdtemp(join(tmpdir(), "grid-"));
  try {
    const search = ["search.ts", "-i", "--images", folder, ...args];
    return await runChild(venvPython, [
      ...["-c", TERMINAL, steps],
      ...[Deno.execPath(), "run", "-A", ...search],
    ], {
      cwd: join(paths.root, "tasks"),
      env: {
        CI: "true",
        CONTACT_SHEET_DATA: data,
        CONTACT_SHEET_ENCODER: "offline",
        TERM: "xterm-256color",
        COLORTERM: "truecolor",
        FORCE_COLOR: "3",
        NO_COLOR: "",
        SIZE: size,
        ...env,
      },
    });
  } finally {
    await rm(data, { recursive: true });
  }
}

Deno.test({
  name:
    "task search -i shows what is typed for in a grid, and Esc puts the screen back",
  ignore,
  async fn() {
    const { code, output } = await typed(
      "Type what=duck|▄=\\t|text (Tab)=\\x1b",
      "--preview=blocks",
    );
    strictEqual(code, 0, output.slice(-2000));
    ok(output.includes("\x1b[?1049h"), "another screen");
    match(output, /Search: duck/);
    ok(output.includes("▄"), "pictures");
    ok(output.lastIndexOf("\x1b[?1049l") > output.lastIndexOf("mallard"));
    ok(output.lastIndexOf("\x1b[?25h") > output.lastIndexOf("\x1b[?25l"));
  },
});

Deno.test({
  name:
    "task search -i listens where a terminal answers late or never, takes each key, and scrolls",
  ignore,
  async fn() {
    const down = "\\x1b[B".repeat(3);
    const { code, output } = await typed(
      `Type what=\\x1b[?62;4cdunk\\x7f\\x7fck|▄=${down}|gosling=\\x15x|Search: x=\\x1b`,
    );
    strictEqual(code, 0, output.slice(-2000));
    match(output, /Search: duck█/);
    ok(!output.includes("62;4c"));
  },
});

Deno.test({
  name:
    "task search -i names a picture without a title by its file, counts near copies, and shows them on Ctrl-N",
  ignore,
  async fn() {
    const folder = await mkdtemp(join(tmpdir(), "camera-"));
    try {
      const [one, two] = (await readdir(birds)).sort();
      await copyFile(join(birds, one), join(folder, "IMG_2013.jpg"));
      await copyFile(join(birds, one), join(folder, "IMG_2014.jpg"));
      await copyFile(join(birds, two), join(folder, "IMG_2015.jpg"));
      const { output } = await typedIn(
        { folder },
        "(+1)=\\x0e|IMG_2014=\\x1b",
        "a bird",
      );
      match(output, /\d\.\d\d \(\+1\) IMG_201[34]\.jpg/);
      match(output, /\d\.\d\d IMG_2013\.jpg/);
      match(output, /\d\.\d\d IMG_2014\.jpg/);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "task search -i ends with 130 at Ctrl-C, and puts the screen back",
  ignore,
  async fn() {
    const { code, output } = await typed("▄=\\x03", "duck");
    strictEqual(code, 130, output.slice(-2000));
    ok(output.includes("\x1b[?1049l"));
  },
});

Deno.test({
  name:
    "task search -i lists titles in a window too small for pictures, and tells how to end",
  ignore,
  async fn() {
    const { code, output } = await typedIn(
      { size: "5x20" },
      "drake=\\x1b",
      "duck",
    );
    strictEqual(code, 0, output.slice(-2000));
    match(output, /Esc ends/);
    ok(!output.includes("▄"));
  },
});

Deno.test({
  name: "task search -i says in one sentence where it needs a terminal",
  ignore,
  async fn() {
    const search = [join(paths.root, "tasks", "search.ts"), "-i"];
    const { code, output } = await runChild(Deno.execPath(), [
      ...["run", "-A", ...search],
    ]);
    strictEqual(code, 2);
    match(output, /^search: --interactive needs a terminal .*, or a query$/m);
  },
});
