"""What bench/near_duplicates.ts compares with: imagehash's phash of 64 bits.

copies FOLDER     of FOLDER/KIND/N.jpg, how many are near FOLDER/original/N.jpg
time              seconds for the pairs of 10,000, from those of 400
hash FILE ...     milliseconds for a file's hash
"""
import itertools
import json
import os
import sys
import time

import imagehash
import numpy
from PIL import Image

# imagededup's default.
NEAR = 10


def hashes(folder):
    names = sorted(os.listdir(folder), key=lambda name: int(name[:-4]))
    return [imagehash.phash(Image.open(os.path.join(folder, name))) for name in names]


def copies(folder):
    originals = hashes(os.path.join(folder, "original"))
    pairs = itertools.combinations(originals, 2)
    found = {"pairs": sum(a - b <= NEAR for a, b in pairs)}
    for kind in os.listdir(folder):
        near = zip(originals, hashes(os.path.join(folder, kind)))
        found[kind] = sum(bool(a - b <= NEAR) for a, b in near)
    found["pairs"] = int(found["pairs"])
    return found


def pairs_time():
    bits = numpy.random.default_rng(1).random((400, 8, 8)) > 0.5
    some = [imagehash.ImageHash(one) for one in bits]
    start = time.perf_counter()
    sum(a - b <= NEAR for a, b in itertools.combinations(some, 2))
    return {"seconds": (time.perf_counter() - start) * (10_000 / 400) ** 2}


def hash_time(files):
    start = time.perf_counter()
    for file in files:
        imagehash.phash(Image.open(file))
    return {"milliseconds": 1000 * (time.perf_counter() - start) / len(files)}


what, *rest = sys.argv[1:]
print(json.dumps(
    copies(*rest) if what == "copies" else pairs_time() if what == "time" else hash_time(rest)
))
