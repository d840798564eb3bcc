"""Runs `chroma run` for one folder and for whoever holds it: server.ts starts it.

usage: python serve.py FOLDER PORT, another port where that is not free

What `chroma run` lacks:
- it ends with the last program that uses it. Each holds a connection to a second
  port, of which server.txt tells; when a program ends, in whichever way, the
  system closes its connection. A server that nobody holds ends;
- it refuses a folder that another server has open. Chroma itself does not
  notice: each server would answer from its own copy of the index.

Calling the server's entry point here, rather than the `chroma` script, leaves
out the Python client: ready in 0.3 s instead of several seconds.
"""

import json
import os
import secrets
import signal
import socket
import sqlite3
import sys
import threading
import time

# Longer than it takes the program that starts this to read server.txt.
UNHELD_LIMIT_S = 10

folder, wanted_port = sys.argv[1:]
owner = os.path.join(folder, "server.txt")

# Whoever presses Ctrl-C in the terminal of one program means that program.
if hasattr(os, "setsid"):
    os.setsid()
signal.signal(signal.SIGINT, signal.SIG_IGN)

# An empty SQLite file serves as a lock that every system has and that the
# system lets go of when this process ends. The wait covers a kernel's restart,
# when the old server is still closing.
lock = sqlite3.connect(os.path.join(folder, "server.lock"), timeout=4)
try:
    lock.execute("BEGIN EXCLUSIVE")
except sqlite3.OperationalError as error:
    if "locked" not in str(error):
        sys.exit(f"{folder}/server.lock cannot be written: {error}")
    try:
        with open(owner, encoding="utf-8") as file:
            said = file.read()
    except OSError:
        said = "of which nothing more is known"
    sys.exit(f"{folder} is in use by another Chroma server, {said}")


def free_port(wanted):
    """Looked for under the lock, so that no other server looks meanwhile."""
    try:
        with socket.create_server(("127.0.0.1", int(wanted))) as probe:
            return str(probe.getsockname()[1])
    except OSError:
        if wanted == "0":
            raise
        return free_port("0")


port = free_port(wanted_port)
doors = socket.create_server(("127.0.0.1", 0), backlog=128)
key = secrets.token_hex(8)
with open(owner + ".part", "w", encoding="utf-8") as file:
    said = {
        "url": f"http://127.0.0.1:{port}",
        "pid": os.getpid(),
        "holdPort": doors.getsockname()[1],
        "key": key,
    }
    json.dump(said, file)
os.replace(owner + ".part", owner)

held = threading.Lock()
holders = 0
ending = False


def end():
    """Ends this process. The holds still open close with it, not before."""
    doors.close()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)
    os._exit(1)


def hold(connection):
    """Greets a program, and waits until it leaves or is no more."""
    global holders, ending
    said = b""
    try:
        connection.sendall(f"{key}\n".encode())
        while not said.endswith(b"leave\n"):
            more = connection.recv(64)
            if not more:
                break
            said += more
    except OSError:
        pass
    with held:
        holders -= 1
        ending = ending or holders == 0
    try:
        connection.sendall(b"last\n" if ending else b"stays\n")
    except OSError:
        pass
    if ending:
        end()
    connection.close()


def take_holds():
    global holders
    while True:
        try:
            connection, _ = doors.accept()
        except OSError:
            return
        with held:
            if ending:
                return
            holders += 1
        threading.Thread(target=hold, args=[connection], daemon=True).start()


def end_unheld():
    global ending
    time.sleep(UNHELD_LIMIT_S)
    with held:
        ending = ending or holders == 0
    if ending:
        end()


threading.Thread(target=take_holds, daemon=True).start()
threading.Thread(target=end_unheld, daemon=True).start()

import chromadb_rust_bindings  # noqa: E402: not worth loading before the lock

os.environ["ANONYMIZED_TELEMETRY"] = "False"
os.environ["RUST_LOG"] = "warn"  # otherwise several lines a request
chromadb_rust_bindings.cli(
    ["chroma", "run", "--path", folder, "--host", "127.0.0.1", "--port", port]
)
