"""Pins what requirements.txt leaves open: writes constraints.txt.

usage: python tasks/pin.py PYTHON...

Asks pip, on each of these Pythons, what it would install for requirements.txt,
and pins what is the same on all. Where they differ, a pin would keep some Python
from being used at all, so those packages are left to pip. Give the oldest and
the newest Python, and the one that most readers have:
python tasks/pin.py python3.10 python3.11 python3.13
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = """\
# Versions of the packages that requirements.txt draws in, where one version
# suits every Python from 3.10 on. Written by tasks/pin.py: change nothing here.
"""


def resolve(python, packages):
    """What pip would install: pins, "name==version"."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        # Outside of an environment, pip may refuse even to pretend.
        subprocess.run([python, "-m", "venv", Path(folder, "venv")], check=True)
        pip = [Path(folder, "venv", "bin", "python"), "-m", "pip", "install"]
        options = ["--dry-run", "--ignore-installed", "--report", report]
        subprocess.run([*pip, *options, *packages], check=True)
        items = json.loads(report.read_text("utf-8"))["install"]
    found = [item["metadata"] for item in items]
    return {f"{item['name'].lower()}=={item['version']}" for item in found}


def main(pythons):
    lines = (ROOT / "requirements.txt").read_text("utf-8").split("\n")
    packages = [line for line in lines if re.match(r"\w", line)]
    pins = set.intersection(*(resolve(python, packages) for python in pythons))
    text = HEAD + "\n".join(sorted(pins)) + "\n"
    (ROOT / "constraints.txt").write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
