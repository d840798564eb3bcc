"""Executes notebooks, each in a fresh kernel, and writes them to be committed.

usage: python execute.py FOLDER INSERT NOTEBOOK..., with a pipe as standard input

INSERT is JSON, {"1_crawler": {"plan": "const plan = {};"}}: a cell with this code
is put behind the cell "plan" of the notebook "1_crawler", so that its variables
get other values and the notebook shows which (as Papermill does it).

Each executed notebook goes to FOLDER under its own name; one with a failed cell
goes there as far as it came, and ends the run. What happens is printed as one
JSON value a line:

    {"event": "notebook", "name": "1_crawler", "cells": 12}
    {"event": "cell", "cell": "first-page", "number": 1}
    {"event": "error", "cell": "first-page", "error": "..."}
    {"event": "written", "seconds": 3.2}

The kernel ends with this process and with its parent, `kill -9` included: a
watcher holds the other end of standard input and acts when it closes.

Nothing is written that changes from run to run by itself: no times, no metadata
but tags, no trace of the pieces in which a stream of text arrived. A cell's
printed text goes before what it displays, because the kernel sends the two by
different ways and either may arrive first.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)

CELL_LIMIT_S = 600

# A kernel's children may be in process groups of their own, as Chromium is, so
# they are found as descendants while the kernel lives.
WATCHER = """
import os, psutil, sys
kernel, parent = psutil.Process(int(sys.argv[1])), psutil.Process(os.getppid())
sys.stdin.buffer.read()
family = [kernel]
if kernel.is_running():
    family += kernel.children(recursive=True)
if parent.is_running():
    family.append(parent)
for process in family:
    if process.is_running():
        process.terminate()
for process in psutil.wait_procs(family, timeout=2)[1]:
    process.kill()
"""


def main(folder, insert, sources):
    for source in map(Path, sources):
        notebook = nbformat.read(source, as_version=4)
        for id, code in json.loads(insert).get(source.stem, {}).items():
            place = [cell.id for cell in notebook.cells].index(id) + 1
            cell = nbformat.v4.new_code_cell(code, id=f"{id}-inserted")
            notebook.cells.insert(place, cell)
        error = execute(notebook, source)
        clean(notebook)
        write(notebook, Path(folder) / source.name)
        if error:
            say(event="error", **error)
            sys.exit(1)


def execute(notebook, source):
    """Runs all cells; returns which one failed and why, or None."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    numbers = {cell.id: number for number, cell in enumerate(codes, 1)}
    say(event="notebook", name=source.stem, cells=len(codes))
    current, watchers = "", []

    def watch(notebook):
        pid = str(client.km.provisioner.pid)
        watchers.append(subprocess.Popen([sys.executable, "-c", WATCHER, pid]))

    def announce(cell, cell_index):
        nonlocal current
        current = cell.id
        if cell.id in numbers:
            say(event="cell", cell=cell.id, number=numbers[cell.id])

    client = NotebookClient(
        notebook,
        kernel_name="deno",
        timeout=CELL_LIMIT_S,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(source.parent)}},
        on_notebook_start=watch,
        on_cell_start=announce,
    )
    start = time.monotonic()
    try:
        # Otherwise what a cell's program prints would mix with the events.
        client.execute(stdout=sys.stderr)
    except CellExecutionError as error:
        return {"cell": current, "error": describe(error)}
    except CellTimeoutError:
        return {"cell": current, "error": f"took longer than {CELL_LIMIT_S} s"}
    except DeadKernelError:
        return {"cell": current, "error": "the kernel died"}
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.wait()
    say(event="written", seconds=round(time.monotonic() - start, 1))


def describe(error):
    text = f"{error.ename}: {error.evalue}\n{error.traceback}"
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def clean(notebook):
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code":
            cell.outputs.sort(key=lambda output: output.output_type != "stream")
    for key in set(notebook.metadata) - {"kernelspec", "language_info"}:
        del notebook.metadata[key]


def write(notebook, path):
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def say(**event):
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
