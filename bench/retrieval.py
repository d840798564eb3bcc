"""The Python side of `task bench retrieval`: ranks both ways, in blocks.

    retrieval.py PICTURES CAPTIONS_EACH DIMENSIONS   one JSON line
"""
import json
import resource
import sys
import time

import numpy as np

count, each, dimensions = map(int, sys.argv[1:])
random = np.random.default_rng(1)


def unit_rows(rows: int) -> np.ndarray:
    values = random.random((rows, dimensions), dtype=np.float32) - 0.5
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def ranks(queries: np.ndarray, gallery: np.ndarray, relevant: np.ndarray) -> list:
    """How many are ahead of each query's relevant items, 500 queries at a time."""
    found = []
    for start in range(0, len(queries), 500):
        similarities = queries[start:start + 500] @ gallery.T
        own = np.take_along_axis(similarities, relevant[start:start + 500], axis=1)
        for column in range(own.shape[1]):
            found.append((similarities > own[:, column:column + 1]).sum(axis=1))
    return found


pictures, captions = unit_rows(count), unit_rows(count * each)
start = time.perf_counter()
ranks(captions, pictures, (np.arange(count * each) // each)[:, None])
ranks(pictures, captions, np.arange(count * each).reshape(count, each))
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"seconds": seconds, "megabytes": peak}))
