"""Runs `chroma run` for one folder and for one parent: chroma.ts starts it.

usage: python serve.py FOLDER PORT, with a pipe as standard input

What `chroma run` lacks:
- it ends with its parent. The parent holds the other end of the pipe; when
  that process ends, in whichever way, the pipe closes and so does the server;
- it refuses a folder that another server has open. Chroma itself does not
  notice: each server would answer from its own copy of the index.

Calling the server's entry point here, rather than the `chroma` script, leaves
out the Python client: ready in 0.3 s instead of several seconds.
"""

import os
import signal
import sqlite3
import sys
import threading
import time

folder, port = sys.argv[1:]
owner = os.path.join(folder, "server.txt")

# An empty SQLite file serves as a lock that every system has and that the
# system lets go of when this process ends. The wait covers a kernel's restart,
# when the old server is still closing.
lock = sqlite3.connect(os.path.join(folder, "server.lock"), timeout=4)
try:
    lock.execute("BEGIN EXCLUSIVE")
except sqlite3.OperationalError:
    with open(owner, encoding="utf-8") as file:
        sys.exit(f"{folder} is in use by another Chroma server, {file.read()}")

with open(owner, "w", encoding="utf-8") as file:
    file.write(f"http://127.0.0.1:{port} (process {os.getpid()})")

import chromadb_rust_bindings  # noqa: E402: not worth loading before the lock

os.environ["ANONYMIZED_TELEMETRY"] = "False"
os.environ["RUST_LOG"] = "warn"  # otherwise several lines a request


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    os._exit(1)


threading.Thread(target=end_with_parent, daemon=True).start()
chromadb_rust_bindings.cli(
    ["chroma", "run", "--path", folder, "--host", "127.0.0.1", "--port", port]
)
