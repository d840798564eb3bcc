"""The Python side of `task bench pixels`: NumPy with 64-bit floats.

    pixels.py PICTURES MEASURED LENGTH    milliseconds a query, one JSON line

Row by row, which is faster than all rows at once: what lies between two steps
stays in the cache. Measured over MEASURED pictures, for memory's sake, and
scaled to PICTURES: the time is proportional to them. The median of five runs.
"""
import json
import statistics
import sys
import time

import numpy as np

pictures, measured, length = map(int, sys.argv[1:])
random = np.random.default_rng(1)
gallery = random.integers(0, 256, (measured, length)).astype(np.float64)
query = random.integers(0, 256, length).astype(np.float64)
epsilon = np.finfo(float).eps


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + epsilon)


METRICS = {
    "l1": lambda row: np.abs(row - query).sum(),
    "l2": lambda row: np.square(row - query).mean(),
    "cosine": lambda row: cosine(row, query),
    "correlation": lambda row: cosine(row - row.mean(), query - query.mean()),
}


def milliseconds(metric) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        for row in gallery:
            metric(row)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000 * pictures / measured


print(json.dumps({name: milliseconds(metric) for name, metric in METRICS.items()}))
